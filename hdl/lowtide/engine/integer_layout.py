"""Settings of an operand of integers: layout and legal values."""

from amaranth.hdl import Const, Value, signed
from amaranth.lib import data

from lowtide.engine.operand import LEAST_BIAS, MOST_BIAS
from lowtide.formats.integers import PackedIntegers
from lowtide.units.logic import at_most

__all__ = ["IntegerLayout"]


class IntegerLayout(data.StructLayout):
    """Settings of an operand of integers, a matrix of ``vectors`` vectors with ``length`` integers along the reduction.

    The operand arrives as `PackedIntegers`, in order. An integer ``x`` has the value ``x * 2**bias``.

    Parameters
    ----------
    width : int
        Bits of an integer.
    values : int
        Integers per word of the buffer, a power of two.
    max_k : int
        Maximum length of the reduction.
    vectors : int
        Maximum number of vectors.
    slots : int
        Slots of the operand's buffer; 0 without slots.

    Members
    -------
    vectors : unsigned
        Number of vectors: rows of A or columns of B.
    length : unsigned
        Integers per vector, along K.
    bias : signed, 9 bits
        Exponent of the scale.
    slot : unsigned
        Slot of the buffer into which the operand is loaded, or in which it stays. Only with ``slots``.

    Attributes
    ----------
    legal : dict of str to range
        Legal values of each member.
    lanes : int
        Integers per word of the buffer.
    max_k : int
        Maximum length of the reduction.
    most_chunks : int
        Most words per group of ``lanes`` integers: 1.
    most_row : int
        Most words of the stream per vector.
    """

    most_chunks = 1

    def __init__(self, width: int, values: int, max_k: int, vectors: int, slots: int):
        self.lanes, self.max_k = values, max_k
        self._packed = PackedIntegers(width=width)
        self.name = f"l{values}_i{width}_k{max_k}" + f"_s{slots}" * bool(slots)
        self.legal = {
            "vectors": range(1, vectors + 1),
            "length": range(1, max_k + 1),
            "bias": range(LEAST_BIAS, MOST_BIAS + 1),
            **({"slot": range(slots)} if slots else {}),
        }
        super().__init__(
            {
                "vectors": vectors.bit_length(),
                "length": max_k.bit_length(),
                "bias": signed(9),
                **({"slot": range(slots)} if slots else {}),
            }
        )

    @property
    def most_row(self) -> int:
        """Most words of the stream per vector."""
        return self._packed.words(self.max_k)

    def accepts(self, settings: data.View) -> Value:
        """Whether settings are legal, apart from the room in the buffer."""
        return (
            (settings.vectors != 0)
            & (settings.length != 0)
            & at_most(settings.length, self.max_k)
            & (settings.bias >= LEAST_BIAS)
            & (settings.bias <= MOST_BIAS)
        )

    def packed(self, settings: data.View) -> Value:
        """Whether the operand arrives packed, and cannot serve to find a bias: always."""
        return Const(1)

    def chunks(self, settings: data.View) -> Value:
        """Words per group."""
        return Const(1)

    def auto(self, settings: data.View) -> Value:
        """Whether the operand uses the bias found last: never."""
        return Const(0)

    def words(self, settings: data.View, groups: Value) -> Value:
        """Words of the buffer per vector."""
        return groups

    def row(self, settings: data.View, groups: Value) -> Value:
        """Words of the stream per vector."""
        per_word = self._packed.per_word
        return (settings.length + per_word - 1) >> (per_word - 1).bit_length()
