"""Packed groups: block floating point as it lies in memory and on a stream."""

import attrs

from lowtide.formats.bfp import Bfp

__all__ = ["WORD", "PackedLayout"]

WORD = 32
"""Width of a word in bits."""


@attrs.frozen(kw_only=True)
class PackedLayout:
    """Packed group: signs, exponent code and magnitudes of a group in planes of one bit per element.

    A plane has ``lanes`` bits, element 0 in the lowest. The planes follow each other from bit 0:

    1. the signs, 1 for a negative element;
    2. the exponent code, in as many planes as it needs, unused bits zero;
    3. the magnitudes, one plane per bit, the least significant first.

    Zeros pad the group to whole words of 32 bits. So 16 elements with an exponent code of 3 bits take 64, 96 and 160
    bits for magnitudes of 2, 4 and 8 bits. Every plane has one place for any precision, and an unpacker needs no
    multiplexer.

    Parameters
    ----------
    lanes : int
        Elements per group.
    exponent : int
        Width of the exponent code in bits.
    """

    lanes: int
    exponent: int

    @classmethod
    def of(cls, bfp: Bfp) -> "PackedLayout":
        """Return the layout of the groups of a format."""
        return cls(lanes=bfp.lanes, exponent=bfp.exponent)

    @property
    def code_at(self) -> int:
        """Lowest bit of the exponent code."""
        return self.lanes

    @property
    def magnitudes_at(self) -> int:
        """Lowest bit of the magnitudes."""
        return self.lanes * (1 + -(-self.exponent // self.lanes))

    def words(self, mantissa: int) -> int:
        """Return the words of a group with magnitudes of ``mantissa`` bits."""
        return -(-(self.magnitudes_at + self.lanes * mantissa) // WORD)
