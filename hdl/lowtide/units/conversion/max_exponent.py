"""Largest code: the exponent code of a group, from the depths of its elements."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.stream.delay import delayed

__all__ = ["MaxExponent"]


class MaxExponent(Unit):
    """Finds the largest exponent code of any lane, ``max(2**e - 1 - depth, 0)``, two bits a cycle from the top.

    No codes are compared. Of the two bits, three conditions are ORed over all lanes that are still in the running: the
    code is ``1x``, it is ``11``, it is not ``00``. That gives the two bits of the largest, and lanes that differ from
    it there drop out.

    Parameters
    ----------
    params : ConverterParams
        The converter that it is for.

    Members
    -------
    enable : In(1)
        Registers take what comes.
    depths : In(lanes * params.depth)
        Depth of each lane, lane 0 in the lowest bits.
    above : In(lanes)
        Lanes above the window.
    code : Out(exponent)
        The largest code, ``latency`` cycles of ``enable`` later: the top one if a lane is above the window, 0 if all
        are below it.
    exceeded : Out(1)
        A lane is above the window, likewise.
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
        """Cycles from the depths to the code: one for each two bits of it."""
        return (self.params.exponent + 1) // 2

    def elaborate(self, platform):
        m = Module()

        def register(value: Value) -> Value:
            return delayed(m, value, enable=self.enable)

        e = self.params.exponent
        depths = [self.depths.word_select(lane, self.params.depth) for lane in range(self.params.lanes)]
        running = [~depth[e:].any() for depth in depths]
        codes = [~depth[:e] for depth in depths]
        found: list[Value] = []
        exceeded = Signal()
        m.d.comb += exceeded.eq(self.above.any())
        for high in range(e - 1, -1, -2):
            bits = Signal(min(2, high + 1), name=f"bits_{high}")
            parts = [code[high + 1 - len(bits) : high + 1] for code in codes]
            m.d.comb += bits.eq(_largest_of_two(parts, running) | exceeded.replicate(len(bits)))
            found = [register(part) for part in (bits, *found)]
            exceeded = register(exceeded)
            running = [register(here) for here in running]
            codes = [register(code) for code in codes]
            running = [
                here & (code[high + 1 - len(bits) : high + 1] == found[0])
                for here, code in zip(running, codes, strict=True)
            ]
        m.d.comb += [self.code.eq(Cat(found)), self.exceeded.eq(exceeded)]
        return m


def _largest_of_two(parts: list[Value], running: list[Value]) -> Value:
    """The largest of numbers of one or two bits, of those in the running."""
    highest = Cat(part[-1] & here for part, here in zip(parts, running, strict=True)).any()
    if len(parts[0]) == 1:
        return highest
    all_ones = Cat(part.all() & here for part, here in zip(parts, running, strict=True)).any()
    some = Cat(part.any() & here for part, here in zip(parts, running, strict=True)).any()
    return Cat(all_ones | (some & ~highest), highest)
