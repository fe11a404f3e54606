"""Structures: units that hold nothing but other units and wires."""

from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from amaranth.hdl import Module, ValueLike

from lowtide.netlist.unit import AnyUnit, Unit, place, signals

__all__ = ["Place", "Structure", "power_of_two_split"]


class Place(Protocol):
    """Puts a unit into a structure."""

    def __call__(self, name: str, unit: AnyUnit, /, **inputs: ValueLike) -> AnyUnit:
        """Put ``unit`` in under ``name``, its inputs connected, and return it, for its outputs."""
        ...


class Structure(Unit):
    """A unit that holds nothing but other units and wires between them.

    A `Netlist` writes it word by word, which takes no longer for a wide bus than for a narrow one, where Amaranth
    goes bit by bit. Any other unit may be placed in it, another structure too; but no unit that is none may hold one.
    """

    _MustUse__silence = True  # a netlist makes use of it without elaborating it, of which Amaranth would complain

    @abstractmethod
    def wire(self, place: Place) -> Mapping[str, ValueLike]:
        """Place the units, and say what each output is.

        What goes to inputs and outputs is made of ports, its own and those of units that were placed, and of constants
        by slicing and `Cat` alone.

        Returns
        -------
        mapping of str to value
            By the ports' names in Verilog; widths are exact.
        """

    def attributes(self) -> Mapping[str, Mapping[str, str]]:
        """Attributes of ports in Verilog, for tools that look for them, by the ports' names."""
        return {}

    def elaborate(self, platform):
        """The same as submodules, for Amaranth's simulator."""
        m = Module()
        outputs = self.wire(partial(place, m, platform))
        m.d.comb += [signals(self)[name].eq(value) for name, value in outputs.items()]
        return m


def power_of_two_split(count: int) -> tuple[int, int]:
    """``count`` in two parts, the first the largest power of two below it.

    So parts recur: for any number of rows there are at most twice as many distinct parts as it has bits.
    """
    first = 1 << (count - 1).bit_length() - 1
    return first, count - first
