"""Digit serializer: sends a group's digits as digit planes, the highest exponent first."""

import attrs
from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import parameter
from lowtide.netlist import Unit
from lowtide.units.logic import mux
from lowtide.units.terms.digit_plane import DigitPlaneLayout

__all__ = ["DigitSerializer", "SerializerParams"]


@attrs.frozen(kw_only=True)
class SerializerParams:
    """Parameters of a digit serializer.

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
        """Layout of a group: the digits of value 0 in the lowest bits, the digit of exponent 0 the lowest."""
        return data.StructLayout({"nonzero": self.digits * self.lanes, "negative": self.digits * self.lanes})

    @property
    def layout_o(self) -> DigitPlaneLayout:
        """Layout of a digit plane."""
        return DigitPlaneLayout(self.lanes)


class DigitSerializer(Unit):
    """Digit serializer: transposes a group of values to ``digits`` digit planes, each with one digit of every value.

    The unit does not store groups: the source must hold a group until it is accepted with its last plane. The unit
    sends one plane per cycle, without a gap between groups, for example to a `Waterline`.

    Parameters
    ----------
    params : SerializerParams
        Digits and lanes.

    Members
    -------
    i : In(stream of {"nonzero": lanes * digits, "negative": lanes * digits})
        Digits of groups, value 0 in the lowest bits.
    o : Out(stream of DigitPlaneLayout(lanes))
        Digit planes, the highest exponent first.

    Attributes
    ----------
    latency : int
        Cycles from an offered group to its first digit plane.
    """

    latency = 1

    def __init__(self, params: SerializerParams):
        self.params = params
        self.module_name = f"digit_serializer_{params.lanes}x{params.digits}"
        super().__init__({"i": In(stream.Signature(params.layout_i)), "o": Out(stream.Signature(params.layout_o))})

    def elaborate(self, platform):
        m = Module()
        digits, group, output = self.params.digits, self.i.payload, self.o.payload
        sent = Signal(range(digits))  # planes of the group
        move = Signal()
        first, last = sent == 0, sent == digits - 1
        m.d.comb += [move.eq(self.o.ready | ~self.o.valid), self.i.ready.eq(move & last)]
        with m.If(move):
            m.d.sync += [self.o.valid.eq(self.i.valid), output.first.eq(first), output.last.eq(last)]
            for plane in ("nonzero", "negative"):
                m.d.sync += output[plane].eq(mux([group[plane][n::digits] for n in reversed(range(digits))], sent))
            with m.If(self.i.valid):
                m.d.sync += sent.eq(Mux(last, 0, sent + 1))
        return m
