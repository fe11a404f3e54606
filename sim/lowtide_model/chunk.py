"""Chunks: a tensor's magnitudes, split into the few bits that a processing element multiplies at once."""

import attrs
import numpy as np

from lowtide.formats.parameter import instance, whole_number
from lowtide_model.bfp_tensor import BfpTensor

__all__ = ["Chunk", "chunks"]


@attrs.frozen(kw_only=True, eq=False)
class Chunk:
    """One chunk of every element of a tensor; the chunk is itself block floating point with ``width``-bit magnitudes.

    It contributes ``signed * 2**code`` to an integer, which ``2**(bias - (mantissa - 1))``, the tensor's constant,
    scales.

    Parameters
    ----------
    signed : array of int16, shape (..., whole groups of K)
        The chunk's bits of the magnitudes, with the elements' signs. Zero has no sign.
    codes : array of uint8, shape (..., groups)
        Exponent codes: the tensor's codes plus ``width`` per less significant chunk.
    width : int
        Width of the chunk in bits.
    """

    signed: np.ndarray
    codes: np.ndarray
    width: int


def chunks(tensor: BfpTensor, w: int) -> tuple[Chunk, ...]:
    """Split magnitudes into chunks of ``w`` bits, the most significant first.

    Chunk ``j`` of ``c = mantissa / w`` has exponent code ``E + w * (c - 1 - j)``.

    Parameters
    ----------
    tensor : BfpTensor
        Tensor to split.
    w : int
        Width of a chunk in bits: a divisor of the tensor's mantissa.

    Returns
    -------
    tuple of Chunk
        The chunks. Their sum of ``signed * 2**codes`` equals the tensor's ``signed * 2**codes``.

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
