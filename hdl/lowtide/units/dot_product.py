"""Dot product of two chunks: the products of all lanes and their sum."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lowtide.formats.bfp import Bfp
from lowtide.units.delay import delayed

__all__ = ["DotProduct"]


class DotProduct(wiring.Component):
    """Sums the signed products of all lanes of two chunks, exactly.

    ``o = sum_i (-1)**(a.sign_i ^ b.sign_i) * a.magnitude_i * b.magnitude_i``; the exponent codes are not looked at.
    Source: the fMAC of FAST, arXiv 2110.15456.

    A product is never formed. Its partial products, a bit of A and a bit of B with the lane's sign ``s`` XORed in,
    are one four-input LUT each. They are gathered into words that hold one partial product of every weight, as few
    words as the narrower magnitude has bits; with ``s`` for its sign such a word is the negative less one, and the
    one is ``s`` as a carry into an adder of the tree that sums this word over the lanes. Each word has its
    tree, registered at every level; last, the trees' sums are added at their weights.

    Parameters
    ----------
    bfp : Bfp
        The format of the operands.

    Members
    -------
    a : In(bfp.layout_a)
        Chunk of A.
    b : In(bfp.layout_b)
        Chunk of B.
    o : Out(signed)
        Their dot product, ``latency`` cycles later.
    """

    def __init__(self, bfp: Bfp):
        self._bfp = bfp
        self._words = min(bfp.chunk_a, bfp.chunk_b)
        super().__init__({"a": In(bfp.layout_a), "b": In(bfp.layout_b), "o": Out(signed(self.bound.bit_length() + 1))})

    @property
    def bfp(self) -> Bfp:
        """The format of the operands."""
        return self._bfp

    @property
    def bound(self) -> int:
        """Largest magnitude of the result."""
        return self.bfp.lanes * (2**self.bfp.chunk_a - 1) * (2**self.bfp.chunk_b - 1)

    @property
    def latency(self) -> int:
        """Cycles from ``a`` and ``b`` to ``o``."""
        return self.bfp.lanes.bit_length() - 1 + max(self._words - 2, 0)

    def elaborate(self, platform):
        m = Module()
        last = self._words - 1
        square = self.bfp.chunk_a == self.bfp.chunk_b and 1 < 2**last <= self.bfp.lanes
        signs = [a.sign ^ b.sign for a, b in zip(self.a.lane, self.b.lane, strict=True)]
        total = None
        for index in reversed(range(self._words)):
            values = [self._word(a, b, index) for a, b in zip(self.a.lane, self.b.lane, strict=True)]
            bits = [[bit ^ s for bit in v] for v, s in zip(values, signs, strict=True)]
            carries = list(signs)
            if square:
                if index == last:
                    word_sum, carry = tree(m, [Cat(w) for w in bits], [], 2**last)
                else:
                    word_sum, carry = tree(
                        m,
                        [Cat(w, ~s) for w, s in zip(bits, signs, strict=True)],
                        [] if index else [~s for s in signs],
                        1,
                    )
            else:
                words = [Cat(w, s).as_signed() for w, s in zip(bits, signs, strict=True)]
                if index == last:
                    # One carry more than adders: this word is short enough to be negated in its LUTs.
                    words[0] = Mux(carries.pop(0), -Cat(values[0]), Cat(values[0]))[: len(words[0])].as_signed()
                word_sum, carry = tree(m, words, carries)
            if total is None:
                total = word_sum
            else:
                waited = last - 1 - index
                if carry is not None:
                    carry = delayed(m, carry, waited)
                total = add(delayed(m, word_sum, waited), total << 1, carry)
                if index:
                    total = registered(m, total)
        m.d.comb += self.o.eq(total)
        return m

    def _word(self, a, b, index: int) -> list[Value]:
        """Partial products of a lane, one of every weight from ``index`` up."""
        wide, narrow = (a, b) if self.bfp.chunk_a >= self.bfp.chunk_b else (b, a)
        wide, narrow = wide.magnitude, narrow.magnitude
        corner = len(wide) - 1 - index
        row = [wide[j] & narrow[index] for j in range(corner + 1)]
        column = [wide[corner] & narrow[k] for k in range(index + 1, len(narrow))]
        return row + column


def tree(m: Module, words: Sequence[Value], carries: list[Value], flip=0) -> tuple[Value, Value | None]:
    """Sum signed words in a binary tree, registered at every level; give the sum, and the carry left over, if any."""
    while True:
        if len(words) == flip:
            words[0] = Cat(words[0][:-1], ~words[0][-1]).as_signed()
        if len(words) == 1:
            break
        adders = len(words) // 2
        now, later = carries[:adders], carries[adders:]
        now = now or [None] * adders
        words = [registered(m, add(x, y, c)) for x, y, c in zip(words[::2], words[1::2], now, strict=True)]
        carries = [registered(m, c) for c in later]
    return words[0], carries[0] if carries else None


def add(x: Value, y: Value, carry: Value | None) -> Value:
    """``x + y + carry``. The carry is made by a bit below the lowest: so it costs no second adder."""
    if carry is None:
        return x + y
    total = below(x, carry) + below(y, carry)
    return total[1:].as_signed() if total.shape().signed else total[1:]


def below(x, carry):
    both = Cat(carry, x)
    return both.as_signed() if x.shape().signed else both


def registered(m: Module, value: Value) -> Value:
    """`value` of a cycle ago."""
    return delayed(m, value, 1)
