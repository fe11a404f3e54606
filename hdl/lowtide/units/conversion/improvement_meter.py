"""Improvement meter: FAST's relative improvement by a second chunk of magnitudes, over a tensor."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import IllegalValue
from lowtide.netlist import Unit
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.logic import mux
from lowtide.units.stream.delay import delayed

__all__ = ["THRESHOLD", "ImprovementMeter"]

THRESHOLD = 10
"""Bits of a threshold, in 256ths."""


class ImprovementMeter(Unit):
    """Improvement meter: sums the first and second chunks of a tensor's truncated magnitudes and compares the sums.

    ``high_sum = sum(first * 2**(w + E))`` and ``low_sum = sum(second * 2**E)``, over all groups of a tensor, each with
    its exponent code ``E``. The ratio ``low_sum / high_sum`` is FAST's relative improvement by a second chunk of ``w``
    bits. It exceeds ``threshold / 256`` if ``256 * low_sum > threshold * high_sum``. The unit computes the product bit
    by bit at the end of the tensor, so that it needs no divider.

    The converter keeps the second chunk of each significand for rounding, even if it rounds to one chunk. Registered
    adders, which advance with the converter, sum over the lanes.

    Parameters
    ----------
    params : ConverterParams
        Parameters of the converter, which must drop at least a chunk.
    elements : int
        Largest number of elements of a tensor.

    Members
    -------
    start : In(1)
        Pulses for one cycle before the first group of a tensor; clears the sums.
    chunks : In(range(max_chunks + 1))
        Chunks per magnitude; steady.
    enable, take : In(1), In(1)
        The registers load while ``enable`` is high; ``take`` is high while a group is present.
    significands : In(lanes * (mantissa + chunk))
        Shifted significands of the group, lane 0 in the lowest bits, each with one chunk below its magnitude.
    code : In(exponent)
        Exponent code of the group.
    compare : In(1)
        Pulses for one cycle, ``latency`` cycles or more after the last group of a tensor, to start the comparison.
    threshold : In(THRESHOLD)
        Threshold in 256ths; steady from ``compare`` until ``busy`` is low.
    busy : Out(1)
        High while the comparison runs.
    above_threshold : Out(1)
        High if the ratio exceeded the threshold in the last comparison.
    low_sum, high_sum : Out(width)
        Sums of the second and of the first chunks.

    Attributes
    ----------
    latency : int
        Cycles of ``enable`` from a group to sums that include it.
    width : int
        Bits of a sum.

    Raises
    ------
    IllegalValue
        If the converter drops less than a chunk.

    Notes
    -----
    Source: the precision controller of FAST, HPCA 2022.
    """

    def __init__(self, params: ConverterParams, elements: int):
        if params.dropped < params.chunk:
            legal = f"{params.chunk} or more (the bits of a chunk, which the meter compares)"
            raise IllegalValue("bits that are dropped", legal, params.dropped)
        self.params = params
        self.width = (((1 << 2 * params.chunk) - 1 << params.max_code) * elements).bit_length()
        self.latency = (params.lanes - 1).bit_length() + 2
        self.module_name = f"improvement_meter_{params.name}_{self.width}"
        super().__init__(
            {
                "start": In(1),
                "chunks": In(range(params.max_chunks + 1)),
                "enable": In(1),
                "take": In(1),
                "significands": In(params.lanes * (params.mantissa + params.chunk)),
                "code": In(params.exponent),
                "compare": In(1),
                "threshold": In(THRESHOLD),
                "busy": Out(1),
                "above_threshold": Out(1),
                "low_sum": Out(self.width),
                "high_sum": Out(self.width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params, enable = self.params, self.enable
        levels = (params.lanes - 1).bit_length()
        lanes = [self.significands.word_select(lane, params.mantissa + params.chunk) for lane in range(params.lanes)]
        # Sum over all lanes of the chunk at each place, the highest place first.
        places = range(params.max_chunks, -1, -1)
        sums = [self._sum(m, [lane.word_select(place, params.chunk) for lane in lanes]) for place in places]

        # A magnitude of fewer chunks does not use the upper places.
        unused = Signal(range(params.max_chunks))
        code, take = delayed(m, self.code, levels, enable=enable), self.take
        for _ in range(levels + 1):
            there = Signal(name="there")
            with m.If(enable):
                m.d.sync += there.eq(take)
            take = there
        m.d.comb += unused.eq(params.max_chunks - self.chunks)
        weighted = [
            delayed(m, mux(sums[first:][: params.max_chunks], unused) << code, enable=enable) for first in range(2)
        ]
        with m.If(enable & take):
            m.d.sync += [
                self.high_sum.eq(self.high_sum + (weighted[0] << params.chunk)),
                self.low_sum.eq(self.low_sum + weighted[1]),
            ]
        with m.If(self.start):
            m.d.sync += [self.high_sum.eq(0), self.low_sum.eq(0)]
        self._compare(m)
        return m

    def _sum(self, m: Module, words: list[Value]) -> Value:
        while len(words) > 1:
            pairs = [words[first : first + 2] for first in range(0, len(words), 2)]
            words = [delayed(m, sum(pair[1:], pair[0]), enable=self.enable) for pair in pairs]
        return words[0]

    def _compare(self, m: Module) -> None:
        """Compute ``threshold * high_sum``, one bit per cycle, the highest first, and compare ``low_sum`` with it."""
        product = Signal(self.width + THRESHOLD)
        bits = Signal(THRESHOLD)
        left = Signal(range(THRESHOLD + 1))
        last = Signal()
        m.d.comb += self.busy.eq(left.any() | last)
        m.d.sync += last.eq(left == 1)
        with m.If(left.any()):
            m.d.sync += [
                product.eq((product << 1) + Mux(bits[-1], self.high_sum, 0)),
                bits.eq(bits << 1),
                left.eq(left - 1),
            ]
        with m.If(last):
            m.d.sync += self.above_threshold.eq(self.low_sum << 8 > product)
        with m.If(self.compare):
            m.d.sync += [left.eq(THRESHOLD), product.eq(0), bits.eq(self.threshold)]
