"""Arrays as arguments: converted where NumPy has their values exactly, and refused by name in one line elsewhere."""

from numbers import Integral
from typing import Any

import numpy as np

from lowtide.formats.parameter import IllegalValue, Unquoted, whole_number

__all__ = ["array_of", "axis_of", "few_bits", "floats", "integers"]

EXACT = 2**53
"""Up to it, float64 has every integer."""


def array_of(name: str, x: Any) -> np.ndarray:
    """An array of whatever NumPy makes an array of.

    Raises
    ------
    IllegalValue
        If NumPy makes none, as of rows of different lengths.
    """
    try:
        return np.asarray(x)
    except (TypeError, ValueError, OverflowError):
        raise IllegalValue(name, "an array of numbers", x) from None


def floats(name: str, x: Any) -> np.ndarray:
    """The array in float32, or in float64 where float32 does not have its values; always exactly.

    Taken are float16, float32, float64, the types of ml_dtypes (bfloat16 among them), and integers, in any byte order,
    and lists of such numbers. float128, complex numbers, booleans, objects and strings are refused.

    Raises
    ------
    IllegalValue
        If the type is none of these, or float64 does not have an integer; then the message gives its index.
    """
    found = array_of(name, x)
    if found.dtype.kind not in "iufV" or not np.can_cast(found.dtype, np.float64):
        raise IllegalValue(name, "an array of floats or integers that float64 holds", Unquoted(found.dtype))
    if found.dtype == np.float64 and not isinstance(x, np.ndarray):
        _check_list(name, x)
    if found.dtype.kind in "iu":
        _check_exact(name, found)
    with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one
        return found.astype(np.float32 if np.can_cast(found.dtype, np.float32) else np.float64, copy=False)


def integers(name: str, values: Any, lowest: int, largest: int) -> np.ndarray:
    """The values as int64.

    Raises
    ------
    IllegalValue
        If they are no integers, or one is out of range; then the message gives its index.
    """
    return few_bits(name, values, lowest, largest).astype(np.int64, copy=False)


def few_bits(name: str, values: Any, lowest: int, largest: int) -> np.ndarray:
    """The values as `integers` checks them, in the type of integers that they came in."""
    found = array_of(name, values)
    if found.dtype.kind == "V" and np.can_cast(found.dtype, np.int64):
        found = found.astype(np.int64)
    if found.dtype.kind not in "iu":
        raise IllegalValue(name, "integers", Unquoted(found.dtype))
    if found.size and not lowest <= found.min() <= found.max() <= largest:
        _check_each(name, found, (found < lowest) | (found > largest), f"from {lowest} to {largest}")
    return found


def axis_of(name: str, axis: Any, dimensions: int) -> int:
    """An axis of an array of so many dimensions, counted from 0.

    Raises
    ------
    IllegalValue
        If there is no such axis.
    """
    if not dimensions:
        raise IllegalValue(name, "an axis, and the array has none", axis)
    return whole_number(name, axis, range(-dimensions, dimensions)) % dimensions


def _check_exact(name: str, x: np.ndarray) -> None:
    """Refuse integers that float64 does not have: those whose significant bits are more than 53."""
    if not x.size or (x.max() <= EXACT and x.min() >= -EXACT):
        return
    magnitudes = np.where(x < 0, -x.astype(np.uint64), x.astype(np.uint64))
    lowest_bits = magnitudes & (~magnitudes + np.uint64(1))
    odd = magnitudes // np.maximum(lowest_bits, np.uint64(1))
    _check_each(name, x, odd > EXACT, "exact in float64")


def _check_list(name: str, x: Any) -> None:
    """Refuse what NumPy would turn into a float64 of another value, or another meaning, on its way out of a list."""
    for index, value in np.ndenumerate(np.array(x, object)):
        boolean = isinstance(value, bool | np.bool_)
        if boolean or (isinstance(value, Integral) and int(float(value)) != int(value)):
            legal = "a float or an integer" if boolean else "exact in float64"
            raise IllegalValue(f"{name} at {index}", legal, value)


def _check_each(name: str, x: np.ndarray, refused: np.ndarray, legal: str) -> None:
    if refused.any():
        index = tuple(int(i) for i in np.argwhere(refused)[0])
        raise IllegalValue(f"{name} at {index}" if index else name, legal, int(x[index]))
