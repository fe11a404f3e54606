"""Model of the BFP converter: floating point to groups that share an exponent."""

from typing import Any

import numpy as np

from lowtide.formats import IllegalValue
from lowtide.formats.parameter import choice, whole_number
from lowtide_model.arrays import axis_of, floats
from lowtide_model.bfp_tensor import LEGAL, BfpTensor, legal_bias, legal_format
from lowtide_model.grouping import block_shape, blocks, group_max, grouped, spread
from lowtide_model.rounding import Grouped, Rounding
from lowtide_model.rounding_modes import random_bits, rounding_of
from lowtide_model.stochastic import RoundingMethod

__all__ = ["default_bias", "quantize"]

# Smallest normal FP32 number. Smaller values count as zero.
SMALLEST_NORMAL = 2.0**-126


def quantize(
    x: Any,
    *,
    mantissa: int,
    exponent: int = 3,
    group: int = 16,
    axis: int = -1,
    bias: int | None = None,
    rounding: str | RoundingMethod = "nearest",
    nonfinite: str = "raise",
) -> BfpTensor:
    """Convert a tensor to block floating point.

    For a group ``x`` with ``X = max floor(log2 |x_i|)`` over its non-zero elements: ``E = clamp(X - B, 0, 2**e - 1)``
    and ``M_i = min(round(|x_i| * 2**(m - 1 - E - B)), 2**m - 1)``, whose sign is kept where ``M_i > 0``. A group of
    zeros has ``E = 0``.

    Every value is converted exactly as given; float64 is not rounded to FP32 first. Values below the smallest normal
    FP32 number, ``2**-126``, count as zero in every type, so FP32 data convert equally as float32 and as float64.

    Parameters
    ----------
    x : array of floats or integers, any shape of one dimension or more
        Tensor to convert: float16, float32, float64, bfloat16 and the other types of ml_dtypes, or integers that
        float64 represents exactly, in any byte order, or lists of numbers.
    mantissa : int
        Width of a magnitude in bits, ``m``.
    exponent : int
        Width of an exponent code in bits, ``e``.
    group : int
        Elements per group. The last group of each row behaves as if padded with zeros.
    axis : int
        Axis along which elements are grouped: the reduction axis of the product that uses the tensor.
    bias : int, optional
        ``B``. By default, the tensor's largest exponent has the largest code; a tensor of zeros has ``B = 0``.
    rounding : str, Stochastic, GivenWords, OneWord or Ideal
        ``truncate``; ``nearest``, ties away from zero, as in the hardware's engine; ``nearest_even``, ties to even; or
        stochastic, with the words of a random source, with given words, or with ideal random numbers. All of them round
        magnitudes.
    nonfinite : str
        Treatment of NaNs and infinities: ``raise`` an error, or ``saturate`` as in hardware. There, a NaN counts as
        zero, and an infinity has the exponent 128 and always the largest magnitude.

    Returns
    -------
    BfpTensor
        The converted tensor, with counts of saturated groups, saturated elements and nonfinite elements.

    Raises
    ------
    ValueError
        If a parameter is not legal, if float64 cannot represent the values of ``x``, or if ``nonfinite`` is ``raise``
        and an element is NaN or infinite; the message gives its index.

    Notes
    -----
    Source: the format and converter of Zhang, McDanel and Kung, FAST, HPCA 2022.
    """
    mantissa, exponent, group = legal_format(mantissa, exponent, group)
    if bias is not None:
        bias = whole_number("bias", bias, legal_bias(exponent))
    choice("nonfinite", nonfinite, ("raise", "saturate"))
    x = _floats(x)
    axis = axis_of("axis", axis, x.ndim)

    groups, padded = grouped(x, axis, group)
    rounded = rounding_of(rounding, Grouped(groups.shape, padded[axis] // group, mantissa))
    fields = _largest_fields(groups)
    nonfinite_elements = 0
    if fields.max(initial=0) == _exponent_mask(x):
        if nonfinite == "raise":
            index = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
            raise ValueError(f"x at {index} must be finite, not {x[index]}")
        nonfinite_elements = int(np.count_nonzero(~np.isfinite(groups)))
        groups = np.where(np.isnan(groups), 0, groups)
        fields = _largest_fields(_sized(groups))
    top = 2**exponent - 1
    B = _default_bias(fields, _offset(x) + top) if bias is None else bias
    if x.dtype == np.float32 and not _float32_suffices(B, mantissa, top, random_bits(rounding)):
        groups = _flushed(groups.astype(np.float64))
        fields = _largest_fields(_sized(groups) if nonfinite_elements else groups)

    # A group of zeros has exponent field 0, which is below the window of every legal bias, and so gets code 0.
    codes = fields.astype(np.int16)
    codes -= _offset(groups) + B
    saturated_groups = int(np.count_nonzero(codes > top))
    codes = np.clip(codes, 0, top, out=codes).astype(np.uint8)
    scales = mantissa - 1 - B - np.arange(top + 1) + rounded.fraction
    clip = saturated_groups + nonfinite_elements > 0
    signed, saturated_elements = _magnitudes(groups, codes, scales, mantissa, rounded, clip=clip)

    per_group = tuple(length // group if i == axis else length for i, length in enumerate(padded))
    return BfpTensor(
        signed=np.moveaxis(signed.reshape(padded), axis, -1),
        codes=np.moveaxis(codes.reshape(per_group), axis, -1),
        bias=B,
        mantissa=mantissa,
        exponent=exponent,
        group=group,
        length=x.shape[axis],
        axis=axis,
        saturated_groups=saturated_groups,
        saturated_elements=saturated_elements,
        nonfinite_elements=nonfinite_elements,
    )


def default_bias(x: Any, *, exponent: int) -> int:
    """The default bias of `quantize`, ``B = max floor(log2 |x_i|) - (2**e - 1)``.

    Parameters
    ----------
    x : array of floats or integers
        The whole tensor. NaNs count as zero, and an infinity has the exponent 128.
    exponent : int
        Width of an exponent code in bits, ``e``.
    """
    exponent = whole_number("exponent", exponent, LEGAL["exponent"])
    x = _floats(x)
    largest = np.asarray(np.fmax.reduce(np.abs(x), axis=None, initial=0)).reshape(1, 1, 1)
    return _default_bias(_largest_fields(_sized(largest)), _offset(x) + 2**exponent - 1)


def _magnitudes(
    groups: np.ndarray, codes: np.ndarray, scales: np.ndarray, mantissa: int, rounding: Rounding, *, clip: bool
) -> tuple[np.ndarray, int]:
    """Signed magnitudes, ``x * 2**scales[code]`` rounded and saturated, and the number of saturated elements.

    ``clip`` tells whether a value may exceed ``2**(mantissa + fraction)``, and so the integers of the rounding.
    """
    # A power of two beyond the largest would scale every value other than zero far above the largest magnitude.
    weights = np.ldexp(groups.dtype.type(1), np.minimum(scales, np.finfo(groups.dtype).maxexp - 1))
    largest, limit = 2**mantissa - 1, 2.0 ** (mantissa + rounding.fraction)
    signed, room = np.empty(groups.shape, np.int16), np.empty(block_shape(groups.shape), groups.dtype)
    saturated = 0
    # A product that overflows still saturates, and one that underflows still rounds to zero: both results are exact.
    with np.errstate(over="ignore", under="ignore"):
        for block in blocks(groups):
            values = room[: block.stop - block.start]
            np.multiply(groups[block], spread(weights[codes[block]], groups.shape[1]), out=values)
            if clip:
                np.clip(values, -limit, limit, out=values)
            integers = rounding.function(values, block)
            saturated += int(np.count_nonzero(integers > largest) + np.count_nonzero(integers < -largest))
            signed[block] = np.clip(integers, -largest, largest, out=integers)
    return signed, saturated


def _floats(x: Any) -> np.ndarray:
    """The array in float32 or float64; values that count as zero become zero, except subnormal float32 numbers."""
    x = floats("x", x)
    if x.ndim == 0:
        raise IllegalValue("x", "an array of one dimension or more", x[()])
    return _flushed(x) if x.dtype == np.float64 else x


def _flushed(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < SMALLEST_NORMAL, 0, x)


def _sized(x: np.ndarray) -> np.ndarray:
    """The array with infinities replaced by ``2**128`` in float64; in float32 their field already means 128."""
    return x if x.dtype == np.float32 else np.where(np.isinf(x), 2.0**128, x)


def _default_bias(fields: np.ndarray, top_field: int) -> int:
    """The bias with which the largest exponent field has the largest code."""
    largest = int(fields.max(initial=0))
    return largest - top_field if largest else 0


def _float32_suffices(bias: int, mantissa: int, top: int, random: int) -> bool:
    """Whether scaling in float32 gives the exact result.

    Each scale ``2**(m - 1 - E - B)`` must be a normal float32, also times ``2**(r+1)`` with r random bits, as some
    roundings need. The largest subnormal number must scale to less than one half, or less than ``2**-(r+1)``, and so
    round to zero.
    """
    return mantissa - 126 + random <= bias <= mantissa - 1 - top + 126


def _offset(x: np.ndarray) -> int:
    """Exponent bias of the floating-point type."""
    return 127 if x.dtype == np.float32 else 1023


def _exponent_mask(x: np.ndarray) -> int:
    """Exponent field of infinities and NaNs."""
    return 2 * _offset(x) + 1


def _largest_fields(groups: np.ndarray) -> np.ndarray:
    """Largest exponent field of each group; 0 if all elements are zero or subnormal."""
    word, fraction, field = (np.uint32, 23, np.uint8) if groups.dtype == np.float32 else (np.uint64, 52, np.uint16)
    largest = np.empty(groups[:, 0].shape, field)
    for block in blocks(groups):
        fields = (groups[block].view(word) >> fraction).astype(field)
        fields &= _exponent_mask(groups)  # without the sign
        largest[block] = group_max(fields)
    return largest
