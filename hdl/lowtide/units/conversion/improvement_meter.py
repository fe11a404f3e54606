"""Ratio meter: what a second chunk of magnitudes adds to the first, over a tensor."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import IllegalValue
from lowtide.netlist import Unit
from lowtide.units.arithmetic.logic import choice
from lowtide.units.conversion.params import ConverterShape
from lowtide.units.stream.delay import delayed

__all__ = ["THRESHOLD", "RatioMeter"]

THRESHOLD = 10
"""Bits of a threshold, in 256ths."""


class RatioMeter(Unit):
    """Adds up first and second chunks of truncated magnitudes, weighted by their groups' exponents, and compares them.

    ``kept = sum first * 2**(w + E)`` and ``rest = sum second * 2**E``. Their ratio is FAST's relative improvement: what
    a tensor gains by its second chunk. It is above ``threshold / 256`` where ``256 * rest > threshold * kept``, which
    takes no divider: the product is made bit by bit once the tensor has gone by.

    Whatever a converter keeps of a significand to round it has the second chunk too, also where only the first one is
    wanted. Chunks of all lanes are added in registered levels that move with the converter.

    Parameters
    ----------
    shape : ConverterShape
        The converter that it is in; what it drops has a chunk at least.
    elements : int
        Most elements of a tensor.

    Members
    -------
    start : In(1)
        A tensor begins.
    chunks : In(range(max_chunks + 1))
        Chunks of its magnitudes; steady.
    enable, take : In(1), In(1)
        The converter moves; there is a group.
    significands : In(lanes * (mantissa + w))
        Shifted significands of the group, lane 0 in the lowest bits, each with a chunk below its magnitude.
    code : In(exponent)
        Its code.
    compare : In(1)
        The tensor has gone by, ``latency`` cycles ago or more.
    threshold : In(10)
        In 256ths; steady from then on while it is ``busy``.
    busy : Out(1)
        It compares.
    above : Out(1)
        The ratio is above the threshold, as it was compared last.
    rest, kept : Out(width)
        The sums.

    Attributes
    ----------
    latency : int
        Cycles of ``enable`` from a group to the sums.
    width : int
        Bits of a sum.

    Raises
    ------
    IllegalValue
        If the converter keeps no second chunk of what it rounds to one.

    Notes
    -----
    Source: the precision controller of FAST, HPCA 2022.
    """

    start: Value
    chunks: Value
    enable: Value
    take: Value
    significands: Value
    code: Value
    compare: Value
    threshold: Value
    busy: Value
    above: Value
    rest: Value
    kept: Value

    def __init__(self, shape: ConverterShape, elements: int):
        if shape.dropped < shape.chunk:
            legal = f"{shape.chunk} or more (the bits of a chunk, which the meter compares)"
            raise IllegalValue("bits that are dropped", legal, shape.dropped)
        self.shape = shape
        self.width = (((1 << 2 * shape.chunk) - 1 << shape.max_code) * elements).bit_length()
        self.latency = (shape.lanes - 1).bit_length() + 2
        self.module_name = f"ratio_meter_{shape.name}_{self.width}"
        super().__init__(
            {
                "start": In(1),
                "chunks": In(range(shape.max_chunks + 1)),
                "enable": In(1),
                "take": In(1),
                "significands": In(shape.lanes * (shape.mantissa + shape.chunk)),
                "code": In(shape.exponent),
                "compare": In(1),
                "threshold": In(THRESHOLD),
                "busy": Out(1),
                "above": Out(1),
                "rest": Out(self.width),
                "kept": Out(self.width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        shape, enable = self.shape, self.enable
        levels = (shape.lanes - 1).bit_length()
        lanes = [self.significands.word_select(lane, shape.mantissa + shape.chunk) for lane in range(shape.lanes)]
        # Of every place that a chunk can have, the highest first, the sum over all lanes.
        places = range(shape.max_chunks, -1, -1)
        sums = [self._sum(m, [lane.word_select(place, shape.chunk) for lane in lanes]) for place in places]

        # A magnitude of few chunks has none in the places above.
        unused = Signal(range(shape.max_chunks))
        code, take = delayed(m, self.code, levels, enable=enable), self.take
        for _ in range(levels + 1):
            there = Signal(name="there")
            with m.If(enable):
                m.d.sync += there.eq(take)
            take = there
        m.d.comb += unused.eq(shape.max_chunks - self.chunks)
        weighted = [
            delayed(m, choice(sums[first:][: shape.max_chunks], unused) << code, enable=enable) for first in range(2)
        ]
        with m.If(enable & take):
            m.d.sync += [self.kept.eq(self.kept + (weighted[0] << shape.chunk)), self.rest.eq(self.rest + weighted[1])]
        with m.If(self.start):
            m.d.sync += [self.kept.eq(0), self.rest.eq(0)]
        self._compare(m)
        return m

    def _sum(self, m: Module, words: list[Value]) -> Value:
        while len(words) > 1:
            pairs = [words[first : first + 2] for first in range(0, len(words), 2)]
            words = [delayed(m, sum(pair[1:], pair[0]), enable=self.enable) for pair in pairs]
        return words[0]

    def _compare(self, m: Module) -> None:
        """Make ``threshold * kept``, a bit of it a cycle, the highest first, and hold the rest against it."""
        product = Signal(self.width + THRESHOLD)
        bits = Signal(THRESHOLD)
        left = Signal(range(THRESHOLD + 1))
        last = Signal()
        m.d.comb += self.busy.eq(left.any() | last)
        m.d.sync += last.eq(left == 1)
        with m.If(left.any()):
            m.d.sync += [
                product.eq((product << 1) + Mux(bits[-1], self.kept, 0)),
                bits.eq(bits << 1),
                left.eq(left - 1),
            ]
        with m.If(last):
            m.d.sync += self.above.eq(self.rest << 8 > product)
        with m.If(self.compare):
            m.d.sync += [left.eq(THRESHOLD), product.eq(0), bits.eq(self.threshold)]
