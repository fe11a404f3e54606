"""Digit serializer: the digits of a group of values as lines, the highest exponent first."""

import attrs
from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import parameter
from lowtide.netlist import Unit
from lowtide.units.arithmetic.logic import mux
from lowtide.units.terms.digit_plane import DigitPlaneLayout

__all__ = ["DigitSerializer", "SerializerParams"]


@attrs.frozen(kw_only=True)
class SerializerParams:
    """What a digit serializer is generated for.

    Parameters
    ----------
    digits : int
        Digits of a value.
    lanes : int
        Values of a group.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    digits: int = parameter(8, range(1, 18), "digits of a value")
    lanes: int = parameter(8, range(1, 65), "values of a group")

    @property
    def layout_i(self) -> data.StructLayout:
        """Layout of a group: the digits of value 0 in the lowest bits, that of exponent 0 the lowest."""
        return data.StructLayout({"nonzero": self.digits * self.lanes, "negative": self.digits * self.lanes})

    @property
    def layout_o(self) -> DigitPlaneLayout:
        """Layout of a line."""
        return DigitPlaneLayout(self.lanes)


class DigitSerializer(Unit):
    """Turns groups of values by their sides: ``digits`` lines, each with a digit of every value.

    A group waits where it is offered until its last line is chosen from it, so that none is stored here; a group can be
    offered in the very next cycle. A line a cycle, and no cycle between groups; the first line comes the cycle after a
    group is offered. `Waterline` takes the lines as they are.

    Parameters
    ----------
    params : SerializerParams
        Its digits and lanes.

    Members
    -------
    i : In(stream of {"nonzero": lanes * digits, "negative": lanes * digits})
        Digits of groups, value 0 in the lowest bits.
    o : Out(stream of DigitPlaneLayout(lanes))
        Digit planes, the highest exponent first.

    Attributes
    ----------
    latency : int
        Cycles from a group offered to its first line offered.
    """

    latency = 1

    def __init__(self, params: SerializerParams):
        self.params = params
        self.module_name = f"digit_serializer_{params.lanes}x{params.digits}"
        super().__init__({"i": In(stream.Signature(params.layout_i)), "o": Out(stream.Signature(params.layout_o))})

    def elaborate(self, platform):
        m = Module()
        digits, group, line = self.params.digits, self.i.payload, self.o.payload
        sent = Signal(range(digits))  # lines of the group
        move = Signal()
        first, last = sent == 0, sent == digits - 1
        m.d.comb += [move.eq(self.o.ready | ~self.o.valid), self.i.ready.eq(move & last)]
        with m.If(move):
            m.d.sync += [self.o.valid.eq(self.i.valid), line.first.eq(first), line.last.eq(last)]
            for plane in ("nonzero", "negative"):
                m.d.sync += line[plane].eq(mux([group[plane][n::digits] for n in reversed(range(digits))], sent))
            with m.If(self.i.valid):
                m.d.sync += sent.eq(Mux(last, 0, sent + 1))
        return m
