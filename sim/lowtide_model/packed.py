"""Packed groups: tensors in block floating point as words of memory, and back."""

from typing import Any

import numpy as np

from lowtide.formats.packed import WORD, PackedLayout
from lowtide.formats.parameter import IllegalValue, Unquoted, instance, whole_number
from lowtide_model.arrays import axis_of, few_bits
from lowtide_model.bfp_tensor import BfpTensor, legal_format

__all__ = ["pack", "unpack"]


def pack(tensor: BfpTensor) -> np.ndarray:
    """Pack a tensor into words, as an engine reads them from memory.

    Each group becomes the words of a `PackedLayout`: signs, exponent code, magnitudes. The bias, the precision and the
    length travel beside the words.

    Parameters
    ----------
    tensor : BfpTensor
        Tensor of shape ``(..., K)``, with its groups along the last axis of ``signed``.

    Returns
    -------
    array of uint32, shape (..., groups, words)
        Words of each group, in the order of their addresses.
    """
    instance("tensor", tensor, BfpTensor)
    layout = PackedLayout(lanes=tensor.group, exponent=tensor.exponent)
    lanes, m = tensor.group, tensor.mantissa
    groups = tensor.signed.reshape(*tensor.codes.shape, lanes)
    bits = np.zeros((*tensor.codes.shape, layout.words(m) * WORD), np.uint8)
    bits[..., :lanes] = groups < 0
    for place in range(tensor.exponent):
        bits[..., layout.code_at + place] = tensor.codes >> place & 1
    magnitudes = np.abs(groups)
    for place in range(m):
        start = layout.magnitudes_at + place * lanes
        bits[..., start : start + lanes] = magnitudes >> place & 1
    return np.packbits(bits, axis=-1, bitorder="little").view("<u4").astype(np.uint32, copy=False)


def unpack(
    words: Any, *, mantissa: int, exponent: int = 3, group: int = 16, bias: int, length: int, axis: int = -1
) -> BfpTensor:
    """Return the tensor of packed words: the inverse of `pack`.

    A negative sign of a zero magnitude is ignored, as in hardware.

    Parameters
    ----------
    words : array of integers, shape (..., groups, words)
        Words of each group.
    mantissa, exponent, group : int
        Width of a magnitude in bits, width of an exponent code in bits, elements per group.
    bias : int
        ``B``, the exponent of code 0.
    length : int
        ``K``: elements along the axis, at most ``groups * group``; elements beyond it must be zero.
    axis : int
        Position of the axis in the original tensor.

    Raises
    ------
    ValueError
        If a parameter is not legal, the shape does not match, padding is not zero, or a word is out of range.
    """
    mantissa, exponent, group = legal_format(mantissa, exponent, group)
    layout = PackedLayout(lanes=group, exponent=exponent)
    found = np.ascontiguousarray(few_bits("words", words, 0, 2**WORD - 1).astype("<u4"))
    if found.ndim < 2 or found.shape[-1] != layout.words(mantissa):
        raise ValueError(f"words must have shape (..., groups, {layout.words(mantissa)}), not {found.shape}")
    groups = found.shape[-2]
    legal = range(max(groups * group - group + 1, 0), groups * group + 1)
    length = whole_number("length", length, legal, because=f"{groups} groups of {group}")
    bits = np.unpackbits(found.view(np.uint8), axis=-1, bitorder="little")
    magnitudes = np.zeros((*found.shape[:-1], group), np.int16)
    for place in range(mantissa):
        start = layout.magnitudes_at + place * group
        magnitudes |= bits[..., start : start + group].astype(np.int16) << place
    codes = np.zeros(found.shape[:-1], np.uint8)
    for place in range(exponent):
        codes |= bits[..., layout.code_at + place] << place
    end = layout.magnitudes_at + mantissa * group
    spare = [bits[..., layout.code_at + exponent : layout.magnitudes_at], bits[..., end:]]
    if any(part.any() for part in spare):
        raise IllegalValue("words", "zero in the unused bits of each group", Unquoted("other bits"))
    signed = np.where(bits[..., :group] == 1, -magnitudes, magnitudes)
    signed = signed.reshape(*found.shape[:-2], found.shape[-2] * group)
    if signed[..., length:].any():
        raise IllegalValue("words", f"zero beyond element {length}, the length", Unquoted("other magnitudes"))
    return BfpTensor(
        signed=signed,
        codes=codes,
        bias=bias,
        mantissa=mantissa,
        exponent=exponent,
        group=group,
        length=length,
        axis=axis_of("axis", axis, signed.ndim),
    )
