"""Dot product of two chunks: the products of all lanes and their sum."""

from amaranth.hdl import Cat, Module, Mux, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from lowtide.formats.bfp import Bfp
from lowtide.units.arithmetic.adder_tree import add, adder_tree, less_half, ones_of_four
from lowtide.units.stream.delay import delayed

__all__ = ["DotProduct"]


class DotProduct(wiring.Component):
    """Sums the signed products of all lanes of two chunks, exactly.

    ``o = sum_i (-1)**(a.sign_i ^ b.sign_i) * a.magnitude_i * b.magnitude_i``; the exponent codes are not looked at.
    Source: the fMAC of FAST, arXiv 2110.15456.

    No product is ever formed. A partial product with its lane's sign ``s`` XORed in is one four-input LUT. The
    partial products of a lane are dealt to as many words as the narrower magnitude has bits, each word having
    one of every weight from ``2**index`` up, and each word is summed over the lanes by a tree of its own. Last, the
    sums are added.

    What the XOR leaves undone can be had in two ways, for a word of ``n`` bits:

    - any widths: ``-v = (v ^ -1) + 1``, so ``s`` is the word's sign bit and also a carry;
    - equal widths: a lane lacks ``s`` times its largest product, ``(2**w - 1)**2``, which is one bit on
      top of every word but the last, and 1. So ``~s`` stands there in the words, and as a carry in the
      first; nothing is added to the last, a single bit; a constant is too much. It is subtracted where that is
      free: by turning over the top bits of sums, and in the tables that count the last words.

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
    o : Out(signed(bound.bit_length() + 1))
        Dot product, ``latency`` cycles later. The last adder's result is not registered: the user registers it.
    """

    a: data.View
    b: data.View

    def __init__(self, bfp: Bfp):
        self._bfp = bfp
        width = self.bound.bit_length() + 1
        super().__init__({"a": In(bfp.layout_a), "b": In(bfp.layout_b), "o": Out(signed(width))})

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

    @property
    def _words(self) -> int:
        """Words that a lane's partial products make."""
        return min(self.bfp.chunk_a, self.bfp.chunk_b)

    @property
    def _equal(self) -> bool:
        """Whether the way of equal widths is open: its constant must be a whole number of last words."""
        return self.bfp.chunk_a == self.bfp.chunk_b and 2 <= 2 ** (self._words - 1) <= self.bfp.lanes

    def elaborate(self, platform):
        m = Module()
        sums = self._equal_sums(m) if self._equal else self._sums(m)
        total, _ = sums.pop()
        for waited, (word_sum, carry) in enumerate(reversed(sums)):
            if waited:
                total = delayed(m, total)
            total = add(delayed(m, word_sum, waited), total << 1, carry if carry is None else delayed(m, carry, waited))
        m.d.comb += self.o.eq(total)
        return m

    def _sums(self, m: Module) -> list[tuple[Value, Value | None]]:
        """Sums of the words over the lanes, any widths, each with the carry left over."""
        signs, sums = self._signs(), []
        for index in range(self._words):
            values = self._values(index)
            words = [Cat(v ^ s.replicate(len(v)), s).as_signed() for v, s in zip(values, signs, strict=True)]
            carries = signs
            if index == self._words - 1:
                # The last sum has no adder after it for the carry left over. But this word is short: its LUTs can
                # negate it.
                words[0], carries = Mux(signs[0], -values[0], values[0])[: len(words[0])].as_signed(), signs[1:]
            sums.append(adder_tree(m, words, carries))
        return sums

    def _equal_sums(self, m: Module) -> list[tuple[Value, Value | None]]:
        """Sums of the words over the lanes, equal widths, each with the carry left over."""
        signs, sums = self._signs(), []
        for index in range(self._words - 1):
            values = self._values(index)
            words = [Cat(v ^ s.replicate(len(v)), ~s) for v, s in zip(values, signs, strict=True)]
            word_sum, carry = adder_tree(m, words, [] if index else [~s for s in signs])
            sums.append((less_half(word_sum), carry))

        bits = delayed(m, Cat(v ^ s for v, s in zip(self._values(self._words - 1), signs, strict=True)))
        # The constant left is lanes / 2**(words - 1) here: the tables take it along, each its share.
        shares = [4 * fours >> self._words - 1 for fours in range(len(bits) // 4 + 1)]
        counts = [ones_of_four(bits[4 * n : 4 * n + 4], shares[n + 1] - shares[n]) for n in range(len(bits) // 4)]
        word_sum, _ = adder_tree(m, counts)
        sums.append((delayed(m, word_sum), None))  # four at a time is a level less
        return sums

    def _signs(self) -> list[Value]:
        """Signs of the products."""
        return [a.sign ^ b.sign for a, b in zip(self.a.lane, self.b.lane, strict=True)]

    def _values(self, index: int) -> list[Value]:
        """Word ``index`` of every lane, without sign: a partial product of each weight from ``2**index`` up."""
        wide, narrow = (self.a, self.b) if self.bfp.chunk_a >= self.bfp.chunk_b else (self.b, self.a)
        return [bent_row(w.magnitude, n.magnitude, index) for w, n in zip(wide.lane, narrow.lane, strict=True)]


def bent_row(wide: Value, narrow: Value, index: int) -> Value:
    """Partial products of row ``index`` up to where it meets column ``index`` from the far side, then that column up.

    So every partial product belongs to one bent row, and none has two of one weight.
    """
    corner = len(wide) - 1 - index
    row = [wide[j] & narrow[index] for j in range(corner + 1)]
    column = [wide[corner] & narrow[k] for k in range(index + 1, len(narrow))]
    return Cat(*row, *column)
