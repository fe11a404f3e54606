"""LUT6 sites of a netlist for 7-series FPGAs: the fewest that hold its look-up tables."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import Any

import attrs

from lowtide.synthesis.matching import maximum_matching

__all__ = ["Table", "lut_sites", "sites_of", "tables_of"]

INPUTS = 5  # of two look-up tables in one site; look-up tables of six inputs have a site of their own
LUT = "LUT[1-6]|INV"
TABLE_RAM = "RAM\\w+|SRL\\w+"  # look-up tables used as RAM or as shift register
MUX_INPUTS = ("I0", "I1")


@attrs.frozen
class Table:
    """Look-up table of a netlist.

    Parameters
    ----------
    nets : frozenset of int
        Nets of its inputs.
    fixed : bool
        Whether the look-up table has to be the first of a site: its output drives a carry cell or a multiplexer, which
        hardware connects to output O6 alone.
    """

    nets: frozenset[int]
    fixed: bool

    def shares(self, other: "Table") -> bool:
        """Whether one site holds both look-up tables."""
        return not (self.fixed and other.fixed) and len(self.nets | other.nets) <= INPUTS


def sites_of(netlist: Mapping[str, Any], top: str) -> int:
    """Return the fewest LUT6 sites for a netlist of ``synth_xilinx``, as ``write_json -selected`` writes it.

    The result counts look-up tables of logic, inverters, and one site for each input of a carry cell or MUXF7 that no
    look-up table drives. It excludes look-up tables used as RAM and as shift registers. No site holds look-up tables of
    two modules. Placement, control sets and routing are left out: they can only add sites.
    """
    modules = netlist["modules"]

    @cache
    def sites(name: str) -> int:
        below = [cell["type"] for cell in modules[name]["cells"].values() if cell["type"] in modules]
        return lut_sites(tables_of(modules[name])) + sum(map(sites, below))

    return sites(top)


def lut_sites(tables: Sequence[Table]) -> int:
    """Return the fewest sites: one for each look-up table, less the most disjoint pairs of which each shares a site."""
    edges: list[list[int]] = [[] for _ in tables]
    for one, other in _overlapping(tables):
        edges[one].append(other)
        edges[other].append(one)
    # Two look-up tables of at most five inputs together share a site whatever their nets.
    classes = [(len(table.nets), table.fixed) for table in tables]
    joined = {one: [other for other in set(classes) if _always(one, other)] for one in set(classes)}
    partners = maximum_matching(edges, classes, joined)
    return len(tables) - sum(partner > one for one, partner in enumerate(partners))


def _always(one: tuple[int, bool], other: tuple[int, bool]) -> bool:
    return one[0] + other[0] <= INPUTS and not (one[1] and other[1])


def _overlapping(tables: Sequence[Table]) -> Iterator[tuple[int, int]]:
    """Pairs that share a site because they share nets."""
    readers: dict[int, list[int]] = {}
    for index, table in enumerate(tables):
        if len(table.nets) <= INPUTS:
            for net in table.nets:
                readers.setdefault(net, []).append(index)
    pairs = {pair for its in readers.values() for pair in combinations(its, 2)}
    for one, other in pairs:
        if len(tables[one].nets) + len(tables[other].nets) > INPUTS and tables[one].shares(tables[other]):
            yield one, other


def tables_of(module: Mapping[str, Any]) -> list[Table]:
    """Return the look-up tables of a module, and those that inputs of carry cells and MUXF7 add."""
    cells = module["cells"].values()
    luts = {cell["connections"]["O"][0]: _nets(cell) for cell in cells if re.fullmatch(LUT, cell["type"])}
    stored = {
        bit
        for cell in cells
        if re.fullmatch(TABLE_RAM, cell["type"])
        for port, bits in cell["connections"].items()
        if cell["port_directions"][port] == "output"
        for bit in bits
    }
    tables, placed = [], set()
    for bit in _fixed_inputs(module):
        if bit not in stored:
            placed.add(bit)
            through = frozenset([bit]) if isinstance(bit, int) else frozenset()
            tables.append(Table(luts.get(bit, through), fixed=True))
    return tables + [Table(nets, fixed=False) for output, nets in luts.items() if output not in placed]


def _nets(cell: Mapping[str, Any]) -> frozenset[int]:
    """Nets of the inputs; a constant is no input."""
    bits = [bit for port, bits in cell["connections"].items() if port != "O" for bit in bits]
    return frozenset(bit for bit in bits if isinstance(bit, int))


def _fixed_inputs(module: Mapping[str, Any]) -> Iterator[int | str]:
    """The net, or constant, of each input of a carry cell or MUXF7 that output O6 of a site drives."""
    cells = module["cells"].values()
    reads: Counter[int | str] = Counter()
    for cell in cells:
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] != "output":
                reads.update(bits)
    for port in module["ports"].values():
        if port["direction"] != "input":
            reads.update(port["bits"])
    for cell in cells:
        pins = cell["connections"]
        if cell["type"] == "CARRY4":
            used = [any(reads[bit] for bit in outputs) for outputs in zip(pins["O"], pins["CO"], strict=True)]
            last = max((index for index, use in enumerate(used) if use), default=-1)
            yield from pins["S"][: last + 1]
        elif cell["type"] == "MUXF7":
            yield from (pins[name][0] for name in MUX_INPUTS)
