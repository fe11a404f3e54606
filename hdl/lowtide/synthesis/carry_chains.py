"""Carry chains of ECP5 without the slices that nextpnr adds at both ends.

Yosys ties CIN of the first CCU2C of a chain to a constant, and leaves a net without readers at COUT of the last one.
nextpnr-ecp5 then adds a CCU2C that feeds the constant in, and a CCU2C that brings the carry out: four cells
TRELLIS_COMB per chain. nextpnr adds neither for a pin without a net.

`trim_carry_chains` disconnects COUT if nothing reads its net, and a constant CIN in one of two cases:

1. No output that is read depends on CIN. Example: a first half with A0 = B0 generates the carry A0 whatever CIN is.
2. The carry of the first half is a function of A0 and B0. Then the first half generates this carry, and a LUT4 computes
   S0 if S0 is read. Example: the sum of the least significant bits, ``A0 ^ B0``, with the carry ``A0 & B0``.

The function enumerates all values of a cell's other inputs, and changes the cell only if all outputs remain equal for
both values of CIN.

`trim_file` runs between Yosys and nextpnr.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

__all__ = ["PINS", "ccu2c", "trim_carry_chains", "trim_code", "trim_command", "trim_file"]

PINS = ("A0", "B0", "C0", "D0", "A1", "B1", "C1", "D1", "CIN")
OUTPUTS = ("S0", "S1", "COUT")
UNCONNECTED = "x"

Bit = int | str  # a net, or a constant "0", "1" or "x"
Cell = dict[str, Any]


def trim_carry_chains(netlist: Mapping[str, Any]) -> dict[str, Any]:
    """Return a netlist with equal outputs whose carry chains take fewer cells.

    Parameters
    ----------
    netlist : mapping
        Netlist for ECP5 in Yosys's JSON; not changed.
    """
    return {**netlist, "modules": {name: _trim_module(module) for name, module in netlist["modules"].items()}}


def trim_file(file: str | Path) -> None:
    """Trim a netlist in Yosys's JSON in place."""
    netlist = json.loads(Path(file).read_text(encoding="utf-8"))
    Path(file).write_text(json.dumps(trim_carry_chains(netlist)), encoding="utf-8")


def trim_code() -> str:
    """Return the text of this module; a figure of a trimmed netlist depends on it."""
    return Path(__file__).read_text(encoding="utf-8")


def trim_command(file: str) -> str:
    """Return the shell command that trims a netlist in place."""
    return f"python -c 'from {__name__} import trim_file; trim_file(\"{file}\")'"


def ccu2c(parameters: Mapping[str, str], pins: Mapping[str, int]) -> dict[str, int]:
    """Return the outputs S0, S1 and COUT of a CCU2C.

    In each half, the LUT4 selects between its carry input and the LUT2 of A and B, the low quarter of the LUT4::

        S = LUT4 ^ carry_in
        carry_out = carry_in if LUT4 else LUT2

    With INJECT1 = YES, 0 replaces carry_in in the sum, and LUT2.

    Parameters
    ----------
    parameters : mapping of str to str
        Parameters in Yosys's JSON.
    pins : mapping of str to int
        Values of the inputs, `PINS`.
    """
    carry = pins["CIN"]
    outputs = {}
    for half in "01":
        a, b, c, d = (pins[f"{pin}{half}"] for pin in "ABCD")
        table = int(parameters.get(f"INIT{half}", "0"), 2)
        lut4, lut2 = table >> (a + 2 * b + 4 * c + 8 * d) & 1, table >> (a + 2 * b) & 1
        inject = parameters.get(f"INJECT1_{half}", "YES") == "YES"
        outputs[f"S{half}"] = lut4 ^ (0 if inject else carry)
        carry = carry if lut4 else (0 if inject else lut2)
    return {**outputs, "COUT": carry}


def _trim_module(module: Mapping[str, Any]) -> dict[str, Any]:
    uses = _uses(module)
    cells = {}
    for name, cell in module["cells"].items():
        # A user's CCU2C may omit pins; Yosys connects all.
        whole = cell["type"] == "CCU2C" and cell["connections"].keys() >= {*PINS, *OUTPUTS}
        cells |= _trim_cell(name, cell, uses) if whole else {name: cell}
    return {**module, "cells": cells}


def _uses(module: Mapping[str, Any]) -> Counter[Bit]:
    """Count the pins of cells and ports on each net, drivers included."""
    vectors = [bits for cell in module["cells"].values() for bits in cell["connections"].values()]
    vectors += [port["bits"] for port in module["ports"].values()]
    return Counter(bit for bits in vectors for bit in bits if isinstance(bit, int))


def _trim_cell(name: str, cell: Cell, uses: Mapping[Bit, int]) -> dict[str, Cell]:
    """Return the cells that replace a CCU2C, by name."""
    pins = {pin: bits[0] for pin, bits in cell["connections"].items()}
    read = [pin for pin in OUTPUTS if uses[pins[pin]] > 1]
    if "COUT" not in read:
        cell = _connected(cell, COUT=UNCONNECTED)
    if pins["CIN"] not in ("0", "1"):
        return {name: cell}
    without_cin = _connected(cell, CIN=UNCONNECTED)
    if _equal(cell, without_cin, read):
        return {name: without_cin}
    generator = _connected(_carry_generator(cell), CIN=UNCONNECTED, S0=UNCONNECTED)
    if not _equal(cell, generator, [pin for pin in read if pin != "S0"]):
        return {name: cell}
    return {name: generator, **({f"{name}$sum": _sum_table(cell)} if "S0" in read else {})}


def _connected(cell: Cell, **bits: Bit) -> Cell:
    """Return a cell with some pins connected to other nets."""
    return {**cell, "connections": {**cell["connections"], **{pin: [bit] for pin, bit in bits.items()}}}


def _carry_generator(cell: Cell) -> Cell:
    """Return a CCU2C whose first half generates the carry of a cell from A0 and B0.

    With C0 = D0 = 1 and only the low quarter of its table in use, the LUT4 is 0 and selects the LUT2 of A0 and B0.
    """
    pins = cell["connections"]
    fixed = dict.fromkeys(PINS, 0) | {pin: int(pins[pin][0] != "0") for pin in ("C0", "D0", "CIN")}
    carries = 0
    for a, b in product((0, 1), repeat=2):
        carries |= _carry_of_first_half(cell["parameters"], fixed | {"A0": a, "B0": b}) << (a + 2 * b)
    parameters = {**cell["parameters"], "INIT0": f"{carries:016b}", "INJECT1_0": "NO"}
    return {**_connected(cell, C0="1", D0="1"), "parameters": parameters}


def _carry_of_first_half(parameters: Mapping[str, str], pins: Mapping[str, int]) -> int:
    """The carry of the first half, seen at COUT of a cell whose second half propagates its carry."""
    return ccu2c({**parameters, "INIT1": "1" * 16}, pins)["COUT"]


def _sum_table(cell: Cell) -> Cell:
    """Return a LUT4 that computes S0 of a CCU2C with a constant CIN."""
    parameters, pins = cell["parameters"], cell["connections"]
    table = 0
    for index in range(16):
        values = dict.fromkeys(PINS, 0) | {f"{pin}0": index >> bit & 1 for bit, pin in enumerate("ABCD")}
        table |= ccu2c(parameters, values | {"CIN": int(pins["CIN"][0])})["S0"] << index
    return {
        "hide_name": cell["hide_name"],
        "type": "LUT4",
        "parameters": {"INIT": f"{table:016b}"},
        "attributes": cell["attributes"],
        "port_directions": {**dict.fromkeys("ABCD", "input"), "Z": "output"},
        "connections": {**{pin: pins[f"{pin}0"] for pin in "ABCD"}, "Z": pins["S0"]},
    }


def _equal(old: Cell, new: Cell, outputs: Sequence[str]) -> bool:
    """Whether outputs of two CCU2C are equal for all values of their nets and of each unconnected pin."""
    wirings = [(cell["parameters"], _nets(cell)) for cell in (old, new)]
    free = sorted({net for _, nets in wirings for net in nets.values()} - {"0", "1"}, key=str)
    for values in product((0, 1), repeat=len(free)):
        value_of = {"0": 0, "1": 1, **dict(zip(free, values, strict=True))}
        before, after = (
            ccu2c(parameters, {pin: value_of[net] for pin, net in nets.items()}) for parameters, nets in wirings
        )
        if any(before[pin] != after[pin] for pin in outputs):
            return False
    return True


def _nets(cell: Cell) -> dict[str, Bit]:
    """Return the net of each input; an unconnected pin stands for itself."""
    bits = {pin: cell["connections"][pin][0] for pin in PINS}
    return {pin: pin if bit == UNCONNECTED else bit for pin, bit in bits.items()}
