"""Rounding without a generator: by bits of the number in the neighbouring lane."""

import attrs
import numpy as np

from lowtide_sim.golden import rounds_up
from lowtide_sim.golden.stochastic import Rounding

__all__ = ["Neighbour"]

FRACTION = 23
"""Bits of FP32's fraction field."""


@attrs.frozen(kw_only=True)
class Neighbour:
    """Stochastic rounding, with half a step, by the leading bits of the neighbour's fraction field.

    The word of lane l is the first ``bits`` bits behind the leading one of the number in lane l + 1 of the group, and
    the last lane takes those of the first. Bits further back are no good here: products of few-bit operands have
    short significands, behind which there are zeros. A zero, as the rectifier makes many, gives the word 0.

    With ``alternating``, words are inverted where lane, group and row sum to an odd number, which mends the bias of
    words that are zero or small too often.

    Parameters
    ----------
    bits : int
        Bits of a word, ``r``, up to 22.
    alternating : bool
        Whether every second word is inverted.
    """

    bits: int = 3
    alternating: bool = True

    def on(self, groups_in_row: int, group: int, inner: int) -> Rounding:
        """The rounding of a tensor in groups ``(n, group, inner)``, of so many groups a row."""
        lane, column = np.arange(group)[:, np.newaxis], np.arange(inner)

        def rounding(values: np.ndarray, block: slice) -> None:
            n = np.arange(block.start, block.start + len(values))[:, np.newaxis, np.newaxis]
            row = n // groups_in_row * inner + column
            odd = (lane + n % groups_in_row + row) % 2 * self.alternating
            words = self.words(values) ^ odd * (2**self.bits - 1)
            fractions, below = np.modf(np.abs(values))
            # Of the fraction only those bits count at which the rounder looks.
            seen = np.ldexp(fractions, self.bits + 1).astype(np.int64)
            up = rounds_up(seen, mode="half_step", fraction=self.bits + 1, random=words, random_bits=self.bits)
            np.copysign(below + up, values, out=values)

        return rounding

    def words(self, values: np.ndarray) -> np.ndarray:
        """Words that groups ``(n, group, inner)`` give to each other, none inverted.

        Scaled by a power of two or not, a number has the same fraction field.
        """
        fields = np.roll(values, -1, axis=1).astype(np.float32).view(np.uint32).astype(np.int64)
        return fields >> FRACTION - self.bits & 2**self.bits - 1
