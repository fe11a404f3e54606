"""Normalizer: converts an exact accumulator to FP32, rounded once."""

import attrs
from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import BIAS, FP32
from lowtide.formats.parameter import parameter
from lowtide.netlist import Unit, place
from lowtide.units.conversion.fp32_rounder import Fp32Rounder
from lowtide.units.conversion.leading_zero_shifter import LeadingZeroShifter
from lowtide.units.stream.delay import delayed

__all__ = ["Normalizer", "NormalizerParams"]


@attrs.frozen(kw_only=True)
class NormalizerParams:
    """Parameters of a normalizer.

    Parameters
    ----------
    width : int
        Bits of the accumulator.
    """

    width: int = parameter(35, range(2, 129), "bits of the accumulator")

    @property
    def layout_i(self) -> data.StructLayout:
        """Layout of an accumulator with a user-defined mark."""
        return data.StructLayout({"data": signed(self.width), "last": 1})

    @property
    def layout_o(self) -> data.StructLayout:
        """Layout of a number with the mark."""
        return data.StructLayout({"data": FP32, "last": 1})


class Normalizer(Unit):
    """Normalizer: converts an accumulator to FP32, ``acc * 2**scale``, rounded once to nearest, ties to even.

    A rounded result of ``2**128`` or more becomes an infinity of its sign; a result below ``2**-126``, the smallest
    normal number, becomes +0. Flags report both.

    All stages advance together, whenever the last stage is empty or its number is accepted. So the unit loses no number
    and can accept an accumulator in every cycle.

    Parameters
    ----------
    params : NormalizerParams
        Width of the accumulator.
    rounds_to_odd : bool
        Whether there is a port ``odd``.

    Members
    -------
    i : In(stream of {"data": signed(width), "last": 1})
        Accumulators. ``last`` is user-defined and passes through.
    scale : In(signed(10))
        Exponent of the accumulator's lowest bit, ``Ba - (ma - 1) + Bb - (mb - 1)``. It is sampled with each accumulator
        and may change between accumulators.
    odd : In(1)
        Rounds to odd while high, see `Fp32Rounder`; steady while numbers are in the unit. Only with ``rounds_to_odd``.
    o : Out(stream of {"data": FP32, "last": 1})
        Numbers, ``latency`` cycles later if nothing stalls.
    overflow : Out(1)
        High while the number on ``o`` is infinite.
    underflow : Out(1)
        High while the number on ``o`` is zero but its accumulator was not.
    """

    def __init__(self, params: NormalizerParams, rounds_to_odd: bool = False):
        self.params, self.rounds_to_odd = params, rounds_to_odd
        self.module_name = f"normalizer_{params.width}" + "_odd" * rounds_to_odd
        super().__init__(
            {
                "i": In(stream.Signature(params.layout_i)),
                "scale": In(signed(10)),
                **({"odd": In(1)} if rounds_to_odd else {}),
                "o": Out(stream.Signature(params.layout_o)),
                "overflow": Out(1),
                "underflow": Out(1),
            }
        )
        self._shift = LeadingZeroShifter(params.width)

    @property
    def latency(self) -> int:
        """Cycles from an accepted accumulator to its number on ``o``, if nothing stalls."""
        return self._shift.latency + Fp32Rounder.latency

    def elaborate(self, platform):
        m = Module()
        shift = self._shift
        move = Signal()
        m.d.comb += [move.eq(self.o.ready | ~self.o.valid), self.i.ready.eq(move)]

        valid, last = self.i.valid, self.i.payload.last
        for _ in range(self.latency):
            there = Signal(name="there")
            with m.If(move):
                m.d.sync += there.eq(valid)
            valid, last = there, delayed(m, last, enable=move)

        place(m, platform, "shift", shift, enable=move, i=self.i.payload.data)
        lowest = Signal(signed(11))
        m.d.comb += lowest.eq(self.scale + (BIAS + self.params.width - 1 - 2**shift.places))
        rounder = place(
            m,
            platform,
            "rounder",
            Fp32Rounder(shift.places, self.rounds_to_odd),
            **({"odd": self.odd} if self.rounds_to_odd else {}),
            enable=move,
            sign=shift.sign,
            significand=shift.significand,
            inexact=shift.inexact,
            stays=shift.stays,
            lowest=delayed(m, lowest, shift.latency, enable=move),
        )
        m.d.comb += [
            self.o.valid.eq(valid),
            self.o.payload.data.eq(rounder.o),
            self.o.payload.last.eq(last),
            self.overflow.eq(rounder.overflow),
            self.underflow.eq(rounder.underflow),
        ]
        return m
