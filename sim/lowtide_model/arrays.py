"""Validation of array arguments: exact conversion, or an error of one line that names the argument."""

from numbers import Integral
from typing import Any

import numpy as np

from lowtide.formats.parameter import IllegalValue, Unquoted, whole_number

__all__ = ["array_of", "axis_of", "few_bits", "floats", "integers"]

EXACT = 2**53
"""Float64 represents every integer up to this limit."""


def array_of(name: str, x: Any) -> np.ndarray:
    """The argument as a NumPy array.

    Raises
    ------
    IllegalValue
        If NumPy cannot convert it, for example rows of different lengths.
    """
    try:
        return np.asarray(x)
    except (TypeError, ValueError, OverflowError):
        raise IllegalValue(name, "an array of numbers", x) from None


def floats(name: str, x: Any) -> np.ndarray:
    """The array in float32, or in float64 if float32 cannot represent its type; always exact.

    Legal types are float16, float32, float64, the types of ml_dtypes (for example bfloat16), and integers, in any byte
    order, and lists of such numbers. Float128, complex numbers, booleans, objects and strings are not legal.

    Raises
    ------
    IllegalValue
        If the type is not legal, or float64 cannot represent an integer; then the message gives its index.
    """
    found = array_of(name, x)
    if found.dtype.kind not in "iufV" or not np.can_cast(found.dtype, np.float64):
        raise IllegalValue(name, "an array of floats or integers that float64 holds", Unquoted(found.dtype))
    if found.dtype == np.float64 and not isinstance(x, np.ndarray):
        _check_list(name, x)
    if found.dtype.kind in "iu":
        _check_exact(name, found)
    with np.errstate(invalid="ignore"):  # a signaling NaN becomes a quiet one
        return found.astype(np.float32 if np.can_cast(found.dtype, np.float32) else np.float64, copy=False)


def integers(name: str, values: Any, lowest: int, largest: int) -> np.ndarray:
    """The values as int64.

    Raises
    ------
    IllegalValue
        If the values are not integers, or one is out of range; then the message gives its index.
    """
    return few_bits(name, values, lowest, largest).astype(np.int64, copy=False)


def few_bits(name: str, values: Any, lowest: int, largest: int) -> np.ndarray:
    """The values, checked as by `integers`, in their original integer type."""
    found = array_of(name, values)
    if found.dtype.kind == "V" and np.can_cast(found.dtype, np.int64):
        found = found.astype(np.int64)
    if found.dtype.kind not in "iu":
        raise IllegalValue(name, "integers", Unquoted(found.dtype))
    if found.size and not lowest <= found.min() <= found.max() <= largest:
        _check_each(name, found, (found < lowest) | (found > largest), f"from {lowest} to {largest}")
    return found


def axis_of(name: str, axis: Any, dimensions: int) -> int:
    """The index of an axis, counted from 0, in an array of ``dimensions`` dimensions.

    Raises
    ------
    IllegalValue
        If the axis does not exist.
    """
    if not dimensions:
        raise IllegalValue(name, "an axis, and the array has none", axis)
    return whole_number(name, axis, range(-dimensions, dimensions)) % dimensions


def _check_exact(name: str, x: np.ndarray) -> None:
    """Reject integers with more than 53 significant bits, which float64 cannot represent."""
    if not x.size or (x.max() <= EXACT and x.min() >= -EXACT):
        return
    magnitudes = np.where(x < 0, -x.astype(np.uint64), x.astype(np.uint64))
    lowest_bits = magnitudes & (~magnitudes + np.uint64(1))
    odd = magnitudes // np.maximum(lowest_bits, np.uint64(1))
    _check_each(name, x, odd > EXACT, "exact in float64")


def _check_list(name: str, x: Any) -> None:
    """Reject list elements that NumPy would convert to a float64 of another value or meaning."""
    for index, value in np.ndenumerate(np.array(x, object)):
        boolean = isinstance(value, bool | np.bool_)
        if boolean or (isinstance(value, Integral) and int(float(value)) != int(value)):
            legal = "a float or an integer" if boolean else "exact in float64"
            raise IllegalValue(f"{name} at {index}", legal, value)


def _check_each(name: str, x: np.ndarray, refused: np.ndarray, legal: str) -> None:
    if refused.any():
        index = tuple(int(i) for i in np.argwhere(refused)[0])
        raise IllegalValue(f"{name} at {index}" if index else name, legal, int(x[index]))
