"""Dot product of two chunks: the sum of the products of all lanes."""

from amaranth.hdl import Cat, Module, Mux, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from lowtide.formats.bfp import Bfp
from lowtide.units.arithmetic.adder_tree import AdderLevels, add, adder_tree, less_half, ones_of_four

__all__ = ["DotProduct"]


class DotProduct(wiring.Component):
    """Dot product: sums the signed products of all lanes of two chunks, exactly.

    ``o = sum_i (-1)**(a.sign_i ^ b.sign_i) * a.magnitude_i * b.magnitude_i``; the exponent codes are ignored.
    Source: the fMAC of FAST, arXiv 2110.15456.

    The unit forms no product of a lane. A partial product XORed with its lane's sign ``s`` is one four-input LUT. The
    partial products of a lane form as many words as the narrower magnitude has bits; word ``index`` has one partial
    product of every weight from ``2**index`` up. An adder tree per word sums the word over the lanes, and the last
    adders add the sums.

    The XOR inverts negative words. Two methods complete the negation of a word of ``n`` bits:

    - any widths: ``-v = (v ^ -1) + 1``, so ``s`` is the word's sign bit and a carry;
    - equal widths: a lane lacks ``s`` times its largest product, ``(2**w - 1)**2``, which is 1 and one bit above every
      word but the last. So ``~s`` is the top bit of these words and a carry of the first; the last word, a single bit,
      gets nothing. This adds a constant, which the unit subtracts without logic: by inverting the top bits of sums, and
      in the tables that count the last words.

    Parameters
    ----------
    bfp : Bfp
        Format of the operands, and the levels of adders per register.

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
        """Format of the operands."""
        return self._bfp

    @property
    def bound(self) -> int:
        """Largest magnitude of the result."""
        return self.bfp.lanes * (2**self.bfp.chunk_a - 1) * (2**self.bfp.chunk_b - 1)

    @property
    def latency(self) -> int:
        """Cycles from ``a`` and ``b`` to ``o``."""
        return (self.levels - 1) // self.bfp.adder_levels

    @property
    def levels(self) -> int:
        """Levels of adders: the levels of a word's tree, and the adders that add the words' sums."""
        return self._tree_levels + self._words - 1

    @property
    def _tree_levels(self) -> int:
        return self.bfp.lanes.bit_length() - 1

    @property
    def _words(self) -> int:
        """Words that a lane's partial products form."""
        return min(self.bfp.chunk_a, self.bfp.chunk_b)

    @property
    def _equal(self) -> bool:
        """Whether the method of equal widths applies: its constant must be a whole number of last words."""
        return self.bfp.chunk_a == self.bfp.chunk_b and 2 <= 2 ** (self._words - 1) <= self.bfp.lanes

    def elaborate(self, platform):
        m = Module()
        levels = AdderLevels(m, self.bfp.adder_levels, last=self.levels)
        sums = self._equal_sums(levels) if self._equal else self._sums(levels)
        total, _ = sums.pop()
        for level in range(self._tree_levels + 1, self.levels + 1):
            word_sum, carry = sums.pop()
            total = levels.registered(level, add(word_sum, total << 1, carry))
            sums = [
                (levels.registered(level, word), carry if carry is None else levels.registered(level, carry))
                for word, carry in sums
            ]
        m.d.comb += self.o.eq(total)
        return m

    def _sums(self, levels: AdderLevels) -> list[tuple[Value, Value | None]]:
        """Return the sum of each word over the lanes, for any widths, with its leftover carry."""
        signs, sums = self._signs(), []
        for index in range(self._words):
            values = self._values(index)
            words = [Cat(v ^ s.replicate(len(v)), s).as_signed() for v, s in zip(values, signs, strict=True)]
            carries = signs
            if index == self._words - 1:
                # No adder after the last sum takes its leftover carry. The LUTs of this short word negate it instead.
                words[0], carries = Mux(signs[0], -values[0], values[0])[: len(words[0])].as_signed(), signs[1:]
            sums.append(adder_tree(levels, words, carries))
        return sums

    def _equal_sums(self, levels: AdderLevels) -> list[tuple[Value, Value | None]]:
        """Return the sum of each word over the lanes, for equal widths, with its leftover carry."""
        signs, sums = self._signs(), []
        for index in range(self._words - 1):
            values = self._values(index)
            words = [Cat(v ^ s.replicate(len(v)), ~s) for v, s in zip(values, signs, strict=True)]
            word_sum, carry = adder_tree(levels, words, [] if index else [~s for s in signs])
            sums.append((less_half(word_sum), carry))

        # The last word: its bits are level 1, and counts of four bits are level 2. A register between the counts and
        # their adders keeps a synthesizer from merging them into functions of eight inputs.
        bits = levels.registered(1, Cat(v ^ s for v, s in zip(self._values(self._words - 1), signs, strict=True)))
        # The remaining constant is lanes / 2**(words - 1) here: each table subtracts its share.
        shares = [4 * fours >> self._words - 1 for fours in range(len(bits) // 4 + 1)]
        counts = [ones_of_four(bits[4 * n : 4 * n + 4], shares[n + 1] - shares[n]) for n in range(len(bits) // 4)]
        word_sum, _ = adder_tree(levels, [levels.registered(2, count) for count in counts], first=3)
        sums.append((word_sum, None))
        return sums

    def _signs(self) -> list[Value]:
        """Signs of the products."""
        return [a.sign ^ b.sign for a, b in zip(self.a.lane, self.b.lane, strict=True)]

    def _values(self, index: int) -> list[Value]:
        """Return word ``index`` of every lane, unsigned: one partial product of each weight from ``2**index`` up."""
        wide, narrow = (self.a, self.b) if self.bfp.chunk_a >= self.bfp.chunk_b else (self.b, self.a)
        return [bent_row(w.magnitude, n.magnitude, index) for w, n in zip(wide.lane, narrow.lane, strict=True)]


def bent_row(wide: Value, narrow: Value, index: int) -> Value:
    """Return the partial products of row ``index`` up to column ``index`` from the far side, then of that column up.

    So every partial product belongs to one bent row, and no bent row has two of one weight.
    """
    corner = len(wide) - 1 - index
    row = [wide[j] & narrow[index] for j in range(corner + 1)]
    column = [wide[corner] & narrow[k] for k in range(index + 1, len(narrow))]
    return Cat(*row, *column)
