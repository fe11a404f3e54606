"""Rounding of a tensor, block by block, to signed integers."""

from collections.abc import Callable

import attrs
import numpy as np

from lowtide_model.grouping import block_shape

__all__ = ["Grouped", "Rounding", "by_addition", "integer_type"]


@attrs.frozen
class Grouped:
    """A tensor that is rounded.

    Parameters
    ----------
    shape : tuple of int
        ``(n, group, inner)``: see `lowtide_model.grouping`.
    groups_in_row : int
        Groups per row along the grouped axis.
    bits : int
        Bits of a magnitude.
    """

    shape: tuple[int, int, int]
    groups_in_row: int
    bits: int


@attrs.frozen
class Rounding:
    """Rounding of a tensor.

    Parameters
    ----------
    fraction : int
        Bits of the fraction in the values that ``function`` takes: the caller multiplies values by ``2**fraction``.
    function : callable
        Returns the signed integers of a block of values, in an array that is valid until the next call, and may
        overwrite the values; a slice has the indices of the block's groups. Values are exact, and no larger than
        ``2**(bits + fraction)``. Magnitudes are rounded: f(-x) is -f(x).
    """

    fraction: int
    function: Callable[[np.ndarray, slice], np.ndarray]


def by_addition(tensor: Grouped, fraction: int, addends: Callable[[slice], np.ndarray]) -> Rounding:
    """The rounding to ``floor(|x| + addend / 2**fraction)``, for the addends ``[0, 2**fraction - 1]`` of each block.

    The bits of ``x`` below ``2**-fraction`` do not matter: the sum of its other bits and the addend is a multiple of
    ``2**-fraction``. A negative ``x`` is rounded in two's complement, with the addend's bits inverted: for the integer
    ``q``, ``-floor((|q| + a) / 2**f) = floor((q - a + 2**f - 1) / 2**f)``.
    """
    kind = integer_type(tensor.bits + fraction)
    sign, ones = kind(np.iinfo(kind).bits - 1), kind(2**fraction - 1)
    room = np.empty((2, *block_shape(tensor.shape)), kind)

    def function(values: np.ndarray, block: slice) -> np.ndarray:
        integers, signed_addends = room[:, : len(values)]
        integers[...] = values
        np.right_shift(integers, sign, out=signed_addends)
        signed_addends &= ones
        signed_addends ^= addends(block)
        integers += signed_addends
        integers >>= kind(fraction)
        return integers

    return Rounding(fraction, function)


def integer_type(bits: int) -> type[np.signedinteger]:
    """The fastest type for sums of a magnitude up to ``2**bits`` and a smaller addend."""
    return np.int16 if bits <= 14 else np.int32 if bits <= 30 else np.int64
