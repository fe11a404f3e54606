"""Exponents of a converter: the window of a bias and a precision, and the exponent code of a group."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import BIAS
from lowtide.netlist import Unit
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.stream.delay import delayed

__all__ = ["ExponentWindow", "MaxExponent"]


class ExponentWindow(Unit):
    """Exponent window: computes the top of the window and the magnitude mask from a tensor's settings.

    The outputs are registered: they belong to the settings of the cycle before, also during reset.

    Parameters
    ----------
    params : ConverterParams
        Parameters of the converter.

    Members
    -------
    bias : In(signed(9))
        Exponent bias ``B`` of the tensor.
    chunks : In(range(max_chunks + 1))
        Chunks per magnitude, 1 or more.
    top : Out(9)
        Exponent field of the largest code, ``max(B + 2**e - 1 + 127, 0)``; below 0, every number would exceed the
        window.
    empty : Out(range(max(mantissa, 2)))
        Number of high bits of ``mantissa`` that a magnitude does not use.
    mask : Out(mantissa)
        Bits of ``mantissa`` that a magnitude uses.
    """

    def __init__(self, params: ConverterParams):
        self.params = params
        self.module_name = f"exponent_window_m{params.mantissa}_w{params.chunk}_e{params.exponent}"
        super().__init__(
            {
                "bias": In(signed(9)),
                "chunks": In(range(params.max_chunks + 1)),
                "top": Out(9),
                "empty": Out(range(max(params.mantissa, 2))),
                "mask": Out(params.mantissa),
            }
        )

    def elaborate(self, platform):
        m = Module()
        top = Signal(signed(11))
        m.d.comb += top.eq(self.bias + (self.params.max_code + BIAS))
        mask = Cat(self.chunks > bit // self.params.chunk for bit in range(self.params.mantissa))
        m.d.comb += [
            self.top.eq(delayed(m, Mux(top < 0, 0, top)[:9])),
            self.empty.eq(delayed(m, (self.params.mantissa - self.params.chunk * self.chunks)[: len(self.empty)])),
            self.mask.eq(delayed(m, mask)),
        ]
        return m


class MaxExponent(Unit):
    """Maximum exponent: finds the largest code ``max(2**e - 1 - depth, 0)`` of the lanes, two bits per cycle.

    The unit does not compare codes. For the two highest remaining bits, it ORs three conditions over all candidate
    lanes: the bits are ``1x``, they are ``11``, they are not ``00``. The conditions give the two bits of the maximum,
    and lanes with other bits stop being candidates.

    Parameters
    ----------
    params : ConverterParams
        Parameters of the converter.

    Members
    -------
    enable : In(1)
        The registers load while high.
    depths : In(lanes * params.depth)
        Depth of each lane, lane 0 in the lowest bits.
    above : In(lanes)
        Bit of each lane: high if its number exceeds the window.
    code : Out(exponent)
        Largest code, ``latency`` cycles of ``enable`` later: ``2**e - 1`` if a number exceeds the window, 0 if all
        numbers are below the window.
    exceeded : Out(1)
        High if a number exceeds the window, ``latency`` cycles of ``enable`` later.
    """

    def __init__(self, params: ConverterParams):
        self.params = params
        self.module_name = f"max_exponent_l{params.lanes}_d{params.depth}_e{params.exponent}"
        super().__init__(
            {
                "enable": In(1),
                "depths": In(params.lanes * params.depth),
                "above": In(params.lanes),
                "code": Out(params.exponent),
                "exceeded": Out(1),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the depths to the code: one per two bits of the code."""
        return (self.params.exponent + 1) // 2

    def elaborate(self, platform):
        m = Module()

        def register(value: Value) -> Value:
            return delayed(m, value, enable=self.enable)

        e = self.params.exponent
        depths = [self.depths.word_select(lane, self.params.depth) for lane in range(self.params.lanes)]
        candidates = [~depth[e:].any() for depth in depths]
        codes = [~depth[:e] for depth in depths]
        found: list[Value] = []
        exceeded = Signal()
        m.d.comb += exceeded.eq(self.above.any())
        for high in range(e - 1, -1, -2):
            bits = Signal(min(2, high + 1), name=f"bits_{high}")
            parts = [code[high + 1 - len(bits) : high + 1] for code in codes]
            m.d.comb += bits.eq(_largest_of_two(parts, candidates) | exceeded.replicate(len(bits)))
            found = [register(part) for part in (bits, *found)]
            exceeded = register(exceeded)
            candidates = [register(candidate) for candidate in candidates]
            codes = [register(code) for code in codes]
            candidates = [
                candidate & (code[high + 1 - len(bits) : high + 1] == found[0])
                for candidate, code in zip(candidates, codes, strict=True)
            ]
        m.d.comb += [self.code.eq(Cat(found)), self.exceeded.eq(exceeded)]
        return m


def _largest_of_two(parts: list[Value], candidates: list[Value]) -> Value:
    """Return the largest of one-bit or two-bit numbers of the candidate lanes."""
    highest = Cat(part[-1] & candidate for part, candidate in zip(parts, candidates, strict=True)).any()
    if len(parts[0]) == 1:
        return highest
    all_ones = Cat(part.all() & candidate for part, candidate in zip(parts, candidates, strict=True)).any()
    some = Cat(part.any() & candidate for part, candidate in zip(parts, candidates, strict=True)).any()
    return Cat(all_ones | (some & ~highest), highest)
