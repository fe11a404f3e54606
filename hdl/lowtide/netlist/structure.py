"""Structures: units that contain only instances of units and wires."""

from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from amaranth.hdl import Module
from amaranth.lib.wiring import Out

from lowtide.netlist.unit import AnyUnit, Connection, Unit, by_port, place, signals

__all__ = ["Place", "Structure", "power_of_two_split"]


class Place(Protocol):
    """Function that instantiates a unit in a structure."""

    def __call__(self, name: str, unit: AnyUnit, /, **inputs: Connection) -> AnyUnit:
        """Instantiate ``unit`` under ``name``, connect its inputs, and return the unit for its outputs."""
        ...


class Structure(Unit):
    """Unit that contains only instances of units and wires between them.

    A `Netlist` writes a structure word by word, in a time that does not depend on the width of a bus; Amaranth writes
    bit by bit. A structure may instantiate any unit, also structures. A unit with logic must not instantiate a
    structure.
    """

    _MustUse__silence = True  # a netlist does not elaborate structures, of which Amaranth would warn

    @abstractmethod
    def wire(self, place: Place) -> Mapping[str, Connection]:
        """Instantiate the units and connect the outputs.

        Inputs and outputs connect to ports, of the structure and of the placed units, and to constants, and to slices
        and `Cat` of these. Widths must match. A stream connects as a whole, as in `lowtide.netlist.place`.

        Returns
        -------
        mapping of str to value or stream
            Connection of each output, by the port's name in Verilog, and of each stream, by the stream's name.
        """

    def attributes(self) -> Mapping[str, Mapping[str, str]]:
        """Verilog attributes of ports, for tools that read them, by the ports' names."""
        return {}

    def elaborate(self, platform):
        """Elaborate the instances as submodules, for Amaranth's simulator."""
        m = Module()
        outputs = by_port(self, self.wire(partial(place, m, platform)), Out)
        m.d.comb += [signals(self)[name].eq(value) for name, value in outputs.items()]
        return m


def power_of_two_split(count: int) -> tuple[int, int]:
    """Split ``count`` into two parts, the first of which is the largest power of two below ``count``.

    A recursive split of ``n`` rows has at most twice as many distinct parts as ``n`` has bits.
    """
    first = 1 << (count - 1).bit_length() - 1
    return first, count - first
