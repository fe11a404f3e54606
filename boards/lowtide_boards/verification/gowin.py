"""Netlist of a Gowin bitstream: Verilog from Apycula's ``gowin_unpack``, and what the program leaves out.

``gowin_unpack`` knows ten modes of a carry cell, but nextpnr writes the look-up table of a carry cell bit by bit. So
the look-up tables come from a second run, which takes carry cells for look-up tables. The program also leaves out the
settings and contents of block RAM, look-up tables of ones, and the vertical wires for signals of many cells.
"""

import importlib.resources
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from lowtide.synthesis.tool import run_tool
from lowtide_boards.targets.board import BoardError
from lowtide_boards.verification.board_ports import BoardPort

__all__ = ["netlist"]

DEVICE = "GW1N-9C"
PART = "GW1NR-LV9QN88PC6/I5"

CELL = re.compile(r"^(\w+) (\w+) \(\n(.*?)\n\);", re.MULTILINE | re.DOTALL)
PORT = re.compile(r"\.(\w+)\((.*?)\)")
PARAMETER = re.compile(r"^defparam (\w+)\.(\w+) = (.*);", re.MULTILINE)
CONNECTION = re.compile(r"^(?:assign|`define) (\w+) (?:= )?`?(\w+|1'b[01]);?$", re.MULTILINE)
PLACE = re.compile(r"(R\d+C)(\d+)_ALU_(\d)")
TABLE = re.compile(r"R\d+C\d+_F\d")
"""Output of a look-up table; the program leaves out tables of ones."""

CLOCK = re.compile(r"R\d+C\d+_(?:G[TB]\d0|SPINE\d+)")
"""Wires of the clock tree that ``gowin_unpack`` leaves without a source; a design has one clock."""

OUTPUTS = ("F", "O", "Q", "SUM", "COUT", "DO", "DOA", "DOB", "LOCK")

WIDTHS = {"1": 1, "2": 2, "4": 4, "9": 9, "16": 18, "X36": 36}
"""Width of a block RAM's word with parity bits, by Apycula's name."""


@attrs.frozen
class Cell:
    """A cell of a netlist.

    Parameters
    ----------
    kind : str
        Module of the cell.
    ports : dict of str to list of str
        Wires of each port, highest bit first.
    parameters : dict of str to str
        Parameters of the module.
    """

    kind: str
    ports: dict[str, list[str]]
    parameters: dict[str, str]


def netlist(bitstream: bytes, ports: dict[str, BoardPort], folder: Path) -> str:
    """Verilog of the module ``netlist``.

    Parameters
    ----------
    bitstream : bytes
        Content of the ``.fs`` file.
    ports : dict of str to BoardPort
        Ports of the board.
    folder : Path
        Folder for the files of the tools.

    Raises
    ------
    BoardError
        If a pin of a port is not in use.
    SynthesisError
        If ``gowin_unpack`` fails.
    """
    (folder / "netlist.fs").write_bytes(bitstream)
    for name, options in (("netlist", ()), ("tables", ("--noalu",))):
        arguments = ["-d", DEVICE, *options, "-o", f"{name}.v", "-s", f"{name}.cst", "netlist.fs"]
        run_tool("apycula", arguments, folder, "gowin_unpack")
    text, without_carries = ((folder / f"{name}.v").read_text(encoding="utf-8") for name in ("netlist", "tables"))
    tables, zeros = _cells(without_carries), dict(CONNECTION.findall(without_carries))
    database = _database()
    sources = {wire: (source,) for wire, source in CONNECTION.findall(text)} | _long_wires(database)
    unpacked = _cells(text)
    # The program leaves out carry cells of modes that it does not know.
    carries = {name.replace("LUT4", "ALU"): cell for name, cell in tables.items() if name not in unpacked}
    unpacked |= {name: attrs.evolve(cell, kind="ALU") for name, cell in carries.items() if cell.kind == "LUT4"}
    cells = {}
    for name, cell in unpacked.items():
        match cell.kind:
            case "ALU":
                cells[name] = _carry(name, tables, zeros)
            case "RAM16SDP4":
                # The program lists one output too many.
                cells[name] = attrs.evolve(cell, ports=cell.ports | {"DO": cell.ports["DO"][1:]})
            case "BSRAM" | "rPLL":
                pass
            case _:
                cells[name] = cell
    cells |= _memories(database, folder / "netlist.fs")
    pads = {port.name: _pad(database, port.pin, folder / "netlist.cst", cells) for port in ports.values()}
    for name, cell in unpacked.items():
        if cell.kind == "rPLL":
            # The clock tree has the clock of the board already, so only the lock matters.
            (lock,) = sources.get(cell.ports["LOCK"][0], cell.ports["LOCK"])
            cells[name] = Cell("PLL_LOCK", {"CLKIN": [pads[ports["clk"].name]], "LOCK": [lock]}, {})
    outputs = {ports[name].name for name in ("tx", "right", "wrong")}
    return _verilog(cells, sources, pads, outputs, ports["clk"].name)


def _cells(text: str) -> dict[str, Cell]:
    """Cells of Verilog from ``gowin_unpack``."""
    parameters: dict[str, dict[str, str]] = {}
    for name, parameter, value in PARAMETER.findall(text):
        parameters.setdefault(name, {})[parameter] = value
    return {
        name: Cell(
            kind,
            {port: re.findall(r"\w+", wires) for port, wires in PORT.findall(body)},
            parameters.get(name, {}),
        )
        for kind, name, body in CELL.findall(text)
    }


def _carry(name: str, tables: Mapping[str, Cell], zeros: Mapping[str, str]) -> Cell:
    """The carry cell at a place, with its look-up table; a table of zeros is a connection to ``VSS``."""
    place = PLACE.fullmatch(name)
    assert place is not None
    row, column, number = place[1], int(place[2]), int(place[3])
    here = f"{row}{column}_"
    table = tables.get(f"{here}LUT4_{number}")
    init = table.parameters["INIT"] if table else "16'h0000" if f"{here}F{number}" in zeros else "16'hffff"
    following = f"{here}CIN{number + 1}" if number < 5 else f"{row}{column + 1}_CIN0"
    wires = {pin: [f"{here}{pin}{number}"] for pin in "ABCD"}
    wires |= {"CIN": [f"{here}CIN{number}"], "SUM": [f"{here}F{number}"], "COUT": [following]}
    return Cell("CARRY_LUT4", wires, {"INIT": init})


def _database() -> Any:
    from apycula.chipdb import load_chipdb

    with importlib.resources.as_file(importlib.resources.files("apycula") / f"{DEVICE}.msgpack.xz") as path:
        return load_chipdb(path)


def _long_wires(database: Any) -> dict[str, tuple[str, ...]]:
    """Sources of the vertical wires for signals of many cells, which have a source at the top or at the bottom."""
    sources: dict[str, tuple[str, ...]] = {}
    for (_, column, number), wire in database.segments.items():
        branch = number // 4
        ends = tuple(f"R{wire[f'{end}_row'] + 1}C{column + 1}_{wire[f'{end}_wire']}" for end in ("top", "bottom"))
        for row in range(wire["min_y"], wire["max_y"] + 1):
            sources[f"R{row + 1}C{column + 1}_LT0{(1, 4)[branch]}"] = ends
            for place in range(wire["min_x"], wire["max_x"] + 1):
                sources[f"R{row + 1}C{place + 1}_LB{number}1"] = (f"R{row + 1}C{column + 1}_LBO{branch}",)
    return sources


def _pad(database: Any, pin: str, constraints: Path, cells: Mapping[str, Cell]) -> str:
    """Wire of a pin."""
    package, device, _ = database.packages[PART]
    place = database.pinout[device][package][pin][0]
    found = re.search(rf'^IO_LOC "(\w+)" {place};', constraints.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None or found[1] not in cells:
        raise BoardError(f"pin {pin} is not in use")
    cell = cells[found[1]]
    return cell.ports["I" if cell.kind == "IBUF" else "IO" if cell.kind == "IOBUF" else "O"][0]


def _memories(database: Any, bitstream: Path) -> dict[str, Cell]:
    """Block RAMs of a bitstream, with their settings and contents."""
    from apycula import attrids, bslib, chipdb, gowin_unpack

    bitmap = bslib.read_bitstream(bitstream)[0]
    tiles = chipdb.tile_bitmap(database, bitmap)
    names = {number: name for name, number in attrids.bsram_attrvals.items()}
    roots = {
        f"R{row + 1}C{column + 1}_{wire}": f"R{root[0] + 1}C{root[1] + 1}_{root[2]}"
        for _, wires in database.nodes.values()
        if any(wire.startswith("BSRAM") for _, _, wire in wires)
        for root in [min(wires, key=lambda place: len(place[2]))]
        for row, column, wire in wires
    }
    memories = {}
    for row, column in tiles:
        if "BSRAM" not in database[row, column].bels:
            continue
        settings: dict[str, str] = {}
        for place in range(column, column + 3):
            tables = database.shortval[database[row, place].ttyp]
            if "BSRAM_SP" in tables and (row, place) in tiles:
                values = gowin_unpack.parse_attrvals(
                    tiles[row, place],
                    database.rev_logicinfo("BSRAM"),
                    tables["BSRAM_SP"],
                    attrids.bsram_attrids,
                    "BSRAM",
                )
                settings |= {name: names[value] for name, value in values.items() if value in names}
        if "MODE" not in settings:
            continue
        wires = {
            port: roots.get(wire := f"R{row + 1}C{column + 1}_{local}", wire)
            for port, local in database[row, column].bels["BSRAM"].portmap.items()
        }
        memories[f"memory_{row}_{column}"] = _memory(settings, wires, _contents(database, bitmap, row, column))
    return memories


def _memory(settings: Mapping[str, str], wires: Mapping[str, str], contents: int) -> Cell:
    """The cell of a block RAM, with the ports of the model ``BLOCK_RAM``."""
    wide = settings.get("DBLWA") == "X36"
    widths = {side: 36 if wide else WIDTHS[settings.get(f"SP{side}_DATA_WIDTH", "16")] for side in "AB"}
    modes = {side: {"WT": 1, "RBW": 2}.get(settings.get(f"SP{side}_MODE", ""), 0) for side in "AB"}
    ports: dict[str, list[str]] = {}
    for side in "AB":
        for pin in ("CLK", "CE", "WRE", "RESET"):
            ports[pin + side] = [wires[pin + side]]
        ports["AD" + side] = [wires[f"AD{side}{bit}"] for bit in reversed(range(14))]
    if wide:  # written at port A and read at port B, each with the pins of both
        ports["WREB"] = ["0"]
        ports["DIA"] = [wires[f"DI{bit}"] for bit in reversed(range(36))]
        ports["DOB"] = [wires[f"DO{bit}"] for bit in reversed(range(36))]
    else:
        for side in "AB":
            ports["DI" + side] = [wires[f"DI{side}{bit}"] for bit in reversed(range(18))]
            ports["DO" + side] = [wires[f"DO{side}{bit}"] for bit in reversed(range(18))]
    parameters = {f"WIDTH_{side}": str(widths[side]) for side in "AB"} | {f"MODE_{s}": str(modes[s]) for s in "AB"}
    reset = "ASYNC" if settings.get("OUTREG_ASYNC") == "RESET" else "SYNC"
    return Cell("BLOCK_RAM", ports, parameters | {"RESET_MODE": f'"{reset}"', "INIT": f"18432'h{contents:x}"})


def _contents(database: Any, bitmap: Any, row: int, column: int) -> int:
    """Initial bits of a block RAM: frames after the frames of the logic have them, 256 for each row of block RAMs."""
    frames = bitmap[database.height :]
    if len(frames) == 0:  # no block RAM has contents
        return 0
    bottom = 256 * sorted(database.simplio_rows).index(row) + 255
    left = sum(database[0, place].width for place in range(column))
    lines = database.rev_logicinfo("BSRAM_INIT")
    contents = 0
    for place in range(18432):
        byte, bit = divmod(place, 9)
        address = 8 * byte + min(bit, 7)
        line = lines[(place % 18) * 4 + (address >> 12)][0] - 1
        quarter = (0x00, 0x80, 0x40, 0xC0)[address >> 4 & 3]
        contents |= int(frames[bottom - quarter - (address >> 6 & 0x3F)][left + line]) << place
    return contents


def _verilog(
    cells: Mapping[str, Cell],
    sources: Mapping[str, tuple[str, ...]],
    pads: Mapping[str, str],
    outputs: set[str],
    clock: str,
) -> str:
    """Verilog of the cells that reach an output of the board, with direct connections between cells."""
    drivers = {
        wire: name
        for name, cell in cells.items()
        for port in cell.ports
        if _drives(cell, port)
        for wire in cell.ports[port]
    }
    inputs = {wire: port for port, wire in pads.items() if port not in outputs}

    def source(wire: str) -> str:
        """What drives a wire: a wire of a cell, a port or a constant; an empty text if nothing drives the wire."""
        while wire not in drivers and wire not in inputs and wire in sources:
            ends = sources[wire]
            wire = ends[0] if len(ends) == 1 else next(filter(None, map(source, ends)), "")
        if CLOCK.fullmatch(wire):
            return clock
        constant = {"VCC": "1'b1", "VSS": "1'b0", "1'b1": "1'b1", "1'b0": "1'b0"}
        if wire not in drivers and TABLE.fullmatch(wire):
            return "1'b1"
        return inputs.get(wire) or (wire if wire in drivers else constant.get(wire, ""))

    cells = {name: _connected(cell, source) for name, cell in cells.items()}
    live: dict[str, None] = {}
    waiting = [drivers[pads[port]] for port in sorted(outputs)]
    while waiting:
        if (name := waiting.pop()) not in live:
            live[name] = None
            waiting += [drivers[wire] for wires in cells[name].ports.values() for wire in wires if wire in drivers]
    lines = [f"module netlist ({', '.join(f'{_way(port, outputs)} {port}' for port in pads)});"]
    for name in live:
        cell = cells[name]
        driven = [wire for port in cell.ports if _drives(cell, port) for wire in cell.ports[port]]
        lines.append(f"wire {', '.join(dict.fromkeys(driven))};")
        parameters = ", ".join(f".{key}({value})" for key, value in cell.parameters.items())
        connections = ", ".join(f".{port}({{{', '.join(wires)}}})" for port, wires in cell.ports.items())
        lines.append(f"{cell.kind} {f'#({parameters}) ' if parameters else ''}{name} ({connections});")
    lines += [f"assign {port} = {pads[port]};" for port in sorted(outputs)]
    return "\n".join([*lines, "endmodule\n"])


def _connected(cell: Cell, source: Callable[[str], str]) -> Cell:
    """A cell with what drives its inputs; 0 for inputs that nothing drives, or that a look-up table ignores."""
    ports = {
        port: wires if _drives(cell, port) else [source(wire) or "1'b0" for wire in wires]
        for port, wires in cell.ports.items()
    }
    pins = {"LUT4": ("I0", "I1", "I2", "I3"), "CARRY_LUT4": tuple("ABCD")}.get(cell.kind)
    if pins:
        contents = int(cell.parameters["INIT"].removeprefix("16'h"), 16)
        fixed = {n: int(ports[pin][0][-1]) for n, pin in enumerate(pins) if ports[pin][0] in ("1'b0", "1'b1")}
        places = {n for n in range(16) if all(n >> pin & 1 == value for pin, value in fixed.items())}
        # The carry of a carry cell depends on the lowest four bits.
        used = [places, set(range(4))] if cell.kind == "CARRY_LUT4" else [places]
        for number, pin in enumerate(pins):
            pairs = [(n, n ^ 1 << number) for some in used for n in some if n ^ 1 << number in some]
            if number not in fixed and all(contents >> n & 1 == contents >> m & 1 for n, m in pairs):
                ports[pin] = ["1'b0"]
    return attrs.evolve(cell, ports=ports)


def _way(port: str, outputs: set[str]) -> str:
    return "output" if port in outputs else "input"


def _drives(cell: Cell, port: str) -> bool:
    """Whether a port of a cell is an output; an ``IOBUF`` drives its pad."""
    return port in OUTPUTS or (cell.kind == "IOBUF" and port == "IO")
