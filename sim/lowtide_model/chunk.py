"""Chunks: a tensor's magnitudes cut into the few bits that a processing element takes at a time."""

import attrs
import numpy as np

from lowtide.formats.parameter import instance, whole_number
from lowtide_model.bfp_tensor import BfpTensor

__all__ = ["Chunk", "chunks"]


@attrs.frozen(kw_only=True, eq=False)
class Chunk:
    """One chunk of every element of a tensor: itself groups of block floating point, of ``width`` bits.

    It contributes ``signed * 2**code`` to an integer that the tensor's constant, ``2**(bias - (mantissa - 1))``,
    scales.

    Parameters
    ----------
    signed : array of int16, shape (..., whole groups of K)
        Its bits of the magnitudes, with the elements' signs. Zero has no sign.
    codes : array of uint8, shape (..., groups)
        Exponent codes, by ``width`` times the chunks below it larger than the tensor's.
    width : int
        Bits of the chunk.
    """

    signed: np.ndarray
    codes: np.ndarray
    width: int


def chunks(tensor: BfpTensor, w: int) -> tuple[Chunk, ...]:
    """Cut magnitudes into chunks of ``w`` bits, the most significant first.

    Chunk ``j`` of ``c = mantissa / w`` has exponent code ``E + w * (c - 1 - j)``.

    Parameters
    ----------
    tensor : BfpTensor
        What to cut.
    w : int
        Bits of a chunk: a divisor of the tensor's mantissa.

    Returns
    -------
    tuple of Chunk
        They hold every bit: the sum of their ``signed * 2**codes`` is the tensor's.

    Raises
    ------
    ValueError
        If ``w`` does not divide the mantissa.
    """
    mantissa = instance("tensor", tensor, BfpTensor).mantissa
    widths = [width for width in range(1, mantissa + 1) if mantissa % width == 0]
    w = whole_number("w", w, widths, because=f"the divisors of the mantissa, {mantissa}")
    magnitudes, signs = np.abs(tensor.signed), np.sign(tensor.signed)
    return tuple(
        Chunk(signed=signs * (magnitudes >> below & 2**w - 1), codes=tensor.codes + np.uint8(below), width=w)
        for below in range(tensor.mantissa - w, -1, -w)
    )
