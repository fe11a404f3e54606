"""Packed integers: integers in two's complement as they lie in memory and on a stream."""

import attrs

from lowtide.formats.packed import WORD

__all__ = ["PackedIntegers"]


@attrs.frozen(kw_only=True)
class PackedIntegers:
    """Packed integers: each integer is sign-extended to 2, 4, 8 or 16 bits, and fills a part of a word of 32 bits.

    The first integer of a word is in the lowest bits. So 8-bit integers lie in memory as an array of int8, and the
    engine ignores the bits above ``width``. Zeros pad a vector to whole words.

    Parameters
    ----------
    width : int
        Bits of an integer, from 2 to 16.
    """

    width: int

    @property
    def bits(self) -> int:
        """Bits that an integer occupies: the smallest power of two that is at least ``width``."""
        return 1 << (self.width - 1).bit_length()

    @property
    def per_word(self) -> int:
        """Integers per word, a power of two."""
        return WORD // self.bits

    def words(self, length: int) -> int:
        """Return the words of a vector of ``length`` integers."""
        return -(-length // self.per_word)
