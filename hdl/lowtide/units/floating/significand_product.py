"""Significand product: exact product of two significands."""

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lowtide.units.arithmetic.multiplier import booth_row
from lowtide.units.stream.delay import delayed

__all__ = ["MULTIPLIERS", "SignificandProduct"]

MULTIPLIERS = ("booth", "inferred")


class SignificandProduct(wiring.Component):
    """Significand product: multiplies two unsigned words whose first bits are ones, ``o = a * b``.

    ============ ===============================================================================
    ``booth``    rows of radix-4 Booth digits of ``b``, one adder each, two rows between registers
    ``inferred`` ``a * b``, which synthesis may map to DSP blocks
    ============ ===============================================================================

    A row weighs four times the row before it. So the two free bits below a row take the 1 that a negative row before it
    lacks. The last digit includes no bit above the leading one of ``b``, so that its row is never negative.

    Parameters
    ----------
    width : int
        Bits of a significand.
    multiplier : str
        ``booth`` or ``inferred``.

    Members
    -------
    a, b : In(width)
        Significands.
    o : Out(2 * width)
        Product, ``latency`` cycles later. The product is not registered: the user registers it.

    Attributes
    ----------
    latency : int
        Cycles from the factors to the product.
    """

    ROWS = 2

    def __init__(self, width: int, multiplier: str):
        self.width, self.multiplier = width, multiplier
        self.latency = (width // 2 - 1) // self.ROWS if multiplier == "booth" else 2
        super().__init__({"a": In(width), "b": In(width), "o": Out(2 * width)})

    def elaborate(self, platform):
        m = Module()
        if self.multiplier == "booth":
            m.d.comb += self.o.eq(self._rows(m))
        else:
            m.d.comb += self.o.eq(delayed(m, delayed(m, self.a) * delayed(m, self.b)))
        return m

    def _rows(self, m: Module) -> Value:
        a, zero = Cat(self.a, Const(0, 1)).as_signed(), Const(0, 1)
        b = Cat(zero, self.b, zero, zero)  # a digit includes the bit below its own two
        total, negative = booth_row(a, b[:3]), b[2]
        done = []  # bits of the product that no later row changes
        for row, low in enumerate(range(2, self.width + 1, 2), start=1):
            total = total + Cat(negative, zero, booth_row(a, b[low : low + 3])).as_signed()
            negative = b[low + 2]
            done, total = [*done, total[:2]], total[2:].as_signed()
            if row % self.ROWS == 0 and low + 2 <= self.width:
                a, b, total, negative = (delayed(m, value) for value in (a, b, total, negative))
                done = [delayed(m, bits) for bits in done]
        return Cat(*done, total)[: 2 * self.width]
