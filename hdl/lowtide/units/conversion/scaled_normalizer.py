"""Scaled normalizer: adds an offset to an exact sum, multiplies by an FP32 number, and rounds once."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import BIAS, FP32
from lowtide.netlist import Unit, place
from lowtide.units.arithmetic.multiplier import Multiplier
from lowtide.units.conversion.normalizer import Normalizer, NormalizerParams
from lowtide.units.stream.delay import delayed

__all__ = ["OFFSET_BITS", "ScaledNormalizer"]

SIGNIFICAND = 24
"""Bits of the significand of FP32."""

OFFSET_BITS = 32
"""Most bits of an offset: a word of the stream."""


class ScaledNormalizer(Unit):
    """Scaled normalizer: ``(i + offset) * factor * 2**scale``, rounded once to FP32.

    The sum and the product with the 24 bits of the factor's significand are exact. A `Normalizer` rounds the product.
    The unit ignores the sign of the factor. A zero or a subnormal factor counts as zero.

    All stages advance together, whenever the last stage is empty or its number is accepted. So the unit loses no number
    and can accept an accumulator in every cycle.

    Parameters
    ----------
    params : NormalizerParams
        Width of the accumulator.

    Members
    -------
    i : In(stream of {"data": signed(width), "last": 1})
        Accumulators. ``last`` is user-defined and passes through.
    scale : In(signed(10))
        Exponent of the accumulator's lowest bit; sampled with each accumulator.
    factor : In(FP32)
        Factor of the accumulator that was accepted last: a memory reads the factor while the unit accepts the
        accumulator.
    offset : In(signed(self.offset_bits))
        Offset of that accumulator.
    odd : In(1)
        Rounds to odd while high, see `Fp32Rounder`; steady while numbers are in the unit.
    o : Out(stream of {"data": FP32, "last": 1})
        Numbers, ``latency`` cycles later if nothing stalls.
    overflow : Out(1)
        High while the number on ``o`` is infinite.
    underflow : Out(1)
        High while the number on ``o`` is zero but its product was not.

    Attributes
    ----------
    offset_bits : int
        Bits of an offset: as many as an accumulator has, and at most `OFFSET_BITS`.
    """

    def __init__(self, params: NormalizerParams):
        self.params = params
        self.module_name = f"scaled_normalizer_{params.width}"
        self.offset_bits = min(params.width, OFFSET_BITS)
        self._multiplier = Multiplier(params.width + 1, SIGNIFICAND, "inferred")
        self._normalizer = Normalizer(NormalizerParams(width=params.width + 1 + SIGNIFICAND), rounds_to_odd=True)
        super().__init__(
            {
                "i": In(stream.Signature(params.layout_i)),
                "scale": In(signed(10)),
                "factor": In(FP32),
                "offset": In(signed(self.offset_bits)),
                "odd": In(1),
                "o": Out(stream.Signature(params.layout_o)),
                "overflow": Out(1),
                "underflow": Out(1),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from an accepted accumulator to its number on ``o``, if nothing stalls."""
        return 2 + self._multiplier.latency + self._normalizer.latency

    def elaborate(self, platform):
        m = Module()
        multiplier, normalizer = self._multiplier, self._normalizer
        move = normalizer.i.ready
        m.d.comb += self.i.ready.eq(move)

        valid, last = self.i.valid, self.i.payload.last
        for _ in range(2 + multiplier.latency):
            there = Signal(name="there")
            with m.If(move):
                m.d.sync += there.eq(valid)
            valid, last = there, delayed(m, last, enable=move)

        # A block RAM takes most of a cycle to read a factor and an offset.
        factor = delayed(m, self.factor, enable=move)
        offset = delayed(m, self.offset, enable=move)
        total = Signal(signed(self.params.width + 1))
        significand = Signal(SIGNIFICAND)
        lowest = Signal(signed(10))  # exponent of the product's lowest bit
        m.d.comb += [
            total.eq(delayed(m, self.i.payload.data, 2, enable=move) + offset),
            significand.eq(Mux(factor.exponent.any(), Cat(factor.fraction, 1), 0)),
            lowest.eq(delayed(m, self.scale, 2, enable=move) + factor.exponent - (BIAS + SIGNIFICAND - 1)),
        ]
        place(m, platform, "multiplier", multiplier, enable=move, i=total, by=significand)
        place(
            m,
            platform,
            "normalizer",
            normalizer,
            i__payload=Cat(multiplier.o, last),
            i__valid=valid,
            scale=delayed(m, lowest, multiplier.latency, enable=move),
            odd=self.odd,
            o=self.o,
        )
        m.d.comb += [
            self.o.valid.eq(normalizer.o.valid),
            self.o.payload.eq(normalizer.o.payload),
            self.overflow.eq(normalizer.overflow),
            self.underflow.eq(normalizer.underflow),
        ]
        return m
