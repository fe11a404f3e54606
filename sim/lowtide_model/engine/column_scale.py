"""Offset and scale per column of exact sums of integers, and the conversion of results to integers."""

from typing import Any

import numpy as np

from lowtide.config import Config
from lowtide.engine.params import integer_format
from lowtide.formats.integers import PackedIntegers
from lowtide.units.conversion.scaled_normalizer import OFFSET_BITS
from lowtide_model import Fp32, scaled_to_fp32
from lowtide_model.engine.integer_operand import IntegerSettings, packed_integers
from lowtide_model.terms import IntegerTensor

__all__ = [
    "integer_results",
    "integer_words",
    "integers_from_words",
    "legal_offsets",
    "scaled_columns",
    "words_of_integers",
]

SIGNIFICAND = 24
"""Bits of the significand of FP32."""

SMALL = 2**38
"""Sums of this size, times a significand, fit into int64."""


def scaled_columns(
    sums: np.ndarray, exponent: int, scale: np.ndarray | None, offset: np.ndarray | None, *, odd: bool
) -> Fp32:
    """Return ``(sums + offset) * scale * 2**exponent`` in FP32, rounded once.

    Parameters
    ----------
    sums : array of integers, shape (M, N)
        Exact sums.
    exponent : int
        Exponent of the lowest bit of a sum.
    scale : array of float32, shape (N,), optional
        Factor of each column, at least 0; subnormal factors count as zero. By default 1.
    offset : array of integers, shape (N,), optional
        Integer added to the sums of each column. By default 0.
    odd : bool
        Whether an inexact number is truncated and its lowest bit set, for the conversion to integers. Otherwise the
        number is rounded to nearest, ties to even.
    """
    columns = sums.shape[1]
    factors = np.ones(columns, np.float32) if scale is None else scale
    offsets = np.zeros(columns, np.int64) if offset is None else offset.astype(np.int64)
    fraction, exponents = np.frexp(np.where(factors < np.float32(2.0**-126), 0, factors).astype(np.float64))
    significands = np.ldexp(fraction, SIGNIFICAND).astype(np.int64)
    wide = sums.dtype == object or max(-int(sums.min(initial=0)), int(sums.max(initial=0))) > SMALL
    sums = sums.astype(object) if wide else sums
    products = (sums + offsets) * significands
    if odd:
        products = np.asarray(TO_ODD(products), products.dtype)
    values, overflows, underflows = np.zeros(sums.shape, np.float32), 0, 0
    for power in np.unique(exponents):
        of_power = exponents == power
        part = scaled_to_fp32(products[:, of_power], exponent + int(power) - SIGNIFICAND)
        values[:, of_power] = part.values
        overflows, underflows = overflows + part.overflows, underflows + part.underflows
    return Fp32(values=values, overflows=overflows, underflows=underflows)


def _to_odd(value: Any) -> int:
    """Return an integer truncated to 24 bits, with the lowest of them set if a dropped bit was set."""
    magnitude = abs(int(value))
    dropped = max(magnitude.bit_length() - SIGNIFICAND, 0)
    kept = magnitude >> dropped
    kept = (kept | (kept << dropped != magnitude)) << dropped
    return -kept if value < 0 else kept


TO_ODD = np.frompyfunc(_to_odd, 1, 1)


def legal_offsets(config: Config) -> range:
    """Offsets that an engine takes: as wide as a sum, and at most 32 bits."""
    engine, format = config.engine, integer_format(config.array.element, config.terms)
    bits = min(engine.sum_width(format) if engine.sum_rows else format.accumulator, OFFSET_BITS)
    return range(-(2 ** (bits - 1)), 2 ** (bits - 1))


def integer_results(config: Config, values: np.ndarray, settings: IntegerSettings) -> tuple[IntegerTensor, int]:
    """Convert FP32 results to integers, and count the saturated ones.

    An integer is ``value / 2**bias``, rounded to nearest, ties to even, and saturated at
    ``+-(2**(terms.width-1) - 1)``. A NaN is 0.

    Parameters
    ----------
    config : Config
        The engine.
    values : array of float32, shape (M, N)
        Results in FP32.
    settings : IntegerSettings
        Exponent of the scale of the integers.
    """
    width = config.terms.width
    rounded = np.rint(np.ldexp(np.nan_to_num(values.astype(np.float64), posinf=np.inf, neginf=-np.inf), -settings.bias))
    most = 2 ** (width - 1) - 1
    integers = np.clip(rounded, -most, most)
    tensor = IntegerTensor(integers=integers.astype(np.int64), scale=np.asarray(2.0**settings.bias), width=width)
    return tensor, int(np.count_nonzero(integers != rounded))


def integer_words(config: Config, rows: int, columns: int) -> int:
    """Words of the packed integers of a product, without the zeros that fill the last beat."""
    return rows * PackedIntegers(width=config.terms.width).words(columns)


def words_of_integers(config: Config, tensor: IntegerTensor) -> np.ndarray:
    """Words of packed integers in the order of arrival: for each row of tiles, word 0 of each row, then word 1."""
    words, high = packed_integers(tensor.integers, config.terms.width).view(np.uint32), config.array.rows
    return np.concatenate([words[top : top + high].T.reshape(-1) for top in range(0, len(words), high)])


def integers_from_words(
    config: Config, found: np.ndarray, shape: tuple[int, int], settings: IntegerSettings
) -> IntegerTensor:
    """Return packed integers from their words in the order of arrival: the inverse of `words_of_integers`.

    Parameters
    ----------
    config : Config
        The engine.
    found : array of uint32
        Words, as many as `integer_words` returns.
    shape : tuple of int
        Rows and columns of the product.
    settings : IntegerSettings
        Exponent of the scale of the integers.
    """
    (rows, columns), high = shape, config.array.rows
    packed = PackedIntegers(width=config.terms.width)
    size, parts, start = packed.words(columns), [], 0
    for top in range(0, rows, high):
        end = start + size * min(high, rows - top)
        parts.append(found[start:end].reshape(size, -1).T)
        start = end
    words = np.concatenate(parts).astype(np.int64)
    fields = words[:, :, np.newaxis] >> packed.bits * np.arange(packed.per_word) & (1 << packed.bits) - 1
    integers = (fields.reshape(rows, -1)[:, :columns] ^ 1 << packed.bits - 1) - (1 << packed.bits - 1)
    return IntegerTensor(integers=integers, scale=np.asarray(2.0**settings.bias), width=config.terms.width)
