"""A tensor in block floating point: integers, an exponent code per group, and one bias."""

from typing import Any

import attrs
import numpy as np

from lowtide.formats import Bfp
from lowtide.formats.parameter import count, whole_number
from lowtide_model.arrays import few_bits
from lowtide_model.grouping import blocks, grouped, spread

__all__ = ["LEGAL", "BfpTensor", "legal_bias", "legal_format", "scaled"]

# Legal values of each field of the hardware's format.
LEGAL = {field.name: field.metadata["legal"] for field in attrs.fields(Bfp)}

# A group may be as long as the longest reduction.
LEGAL_GROUPS = range(1, LEGAL["max_k"][-1] + 1)


def legal_format(mantissa: int, exponent: int, group: int) -> tuple[int, int, int]:
    """The format as Python integers, if hardware can be generated for it."""
    return (
        whole_number("mantissa", mantissa, LEGAL["mantissa"]),
        whole_number("exponent", exponent, LEGAL["exponent"]),
        whole_number("group", group, LEGAL_GROUPS),
    )


def legal_bias(exponent: int) -> range:
    """Biases for which float64 represents every value and every power of two that scales one."""
    return range(-1000, 1024 - (2**exponent - 1))


def _read_only(array: np.ndarray, dtype: type[np.integer]) -> np.ndarray:
    view = array.astype(dtype, copy=False).view()
    view.flags.writeable = False
    return view


def _count(value: Any, field: attrs.Attribute) -> int:
    return count(field.name, value)


def _length(value: int) -> int:
    return whole_number("length", value, range(2**48))


COUNT = attrs.Converter(_count, takes_field=True)


@attrs.frozen(kw_only=True, eq=False)
class BfpTensor:
    """Values ``signed * 2**(code + bias - (mantissa - 1))``, with one code per group of elements along an axis.

    In ``signed`` and ``codes``, the axis of the groups is the last axis, padded with zeros to whole groups. ``axis``
    records its position in the original tensor, and `to_float` moves it back.

    Parameters
    ----------
    signed : array of int16, shape (..., whole groups of K)
        Magnitudes ``M`` with their signs, in ``[-(2**mantissa - 1), 2**mantissa - 1]``. Zero has no sign.
    codes : array of uint8, shape (..., groups)
        Exponent codes ``E`` in ``[0, 2**exponent - 1]``.
    bias : int
        ``B``, the exponent of code 0.
    mantissa, exponent, group : int
        Width of a magnitude, width of a code, elements per group.
    length : int
        ``K``: elements along the axis before padding.
    axis : int
        Position of the axis in the original tensor, from 0.
    saturated_groups : int
        Groups whose largest exponent exceeded the largest code.
    saturated_elements : int
        Elements whose rounded magnitude exceeded ``2**mantissa - 1`` and saturated, and all infinities.
    nonfinite_elements : int
        Elements that were NaN or infinite.

    Raises
    ------
    ValueError
        If a parameter is not legal, the shapes do not match, or an element is out of range.
    """

    signed: np.ndarray
    codes: np.ndarray
    bias: int
    mantissa: int
    exponent: int
    group: int
    length: int = attrs.field(converter=_length)
    axis: int
    saturated_groups: int = attrs.field(default=0, converter=COUNT)
    saturated_elements: int = attrs.field(default=0, converter=COUNT)
    nonfinite_elements: int = attrs.field(default=0, converter=COUNT)

    def __attrs_post_init__(self):
        mantissa, exponent, group = legal_format(self.mantissa, self.exponent, self.group)
        bias = whole_number("bias", self.bias, legal_bias(exponent))
        self._set(mantissa=mantissa, exponent=exponent, group=group, bias=bias)
        signed = few_bits("signed", self.signed, -self.max_magnitude, self.max_magnitude)
        codes = few_bits("codes", self.codes, 0, self.max_code)
        self._set(signed=_read_only(signed, np.int16), codes=_read_only(codes, np.uint8))
        groups = -(-self.length // self.group)
        if self.signed.ndim < 1 or self.signed.shape[-1] != groups * self.group:
            raise ValueError(
                f"signed must end in {groups} groups of {self.group} for a length of {self.length},"
                f" not have shape {self.signed.shape}"
            )
        if self.codes.shape != (*self.signed.shape[:-1], groups):
            raise ValueError(
                f"codes must have shape {(*self.signed.shape[:-1], groups)}, one per group, not {self.codes.shape}"
            )
        self._set(axis=whole_number("axis", self.axis, range(self.signed.ndim)))

    def _set(self, **converted: Any) -> None:
        """Set fields of the frozen class whose legal values depend on other fields."""
        for name, value in converted.items():
            object.__setattr__(self, name, value)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the original tensor, without padding."""
        others = self.signed.shape[:-1]
        return (*others[: self.axis], self.length, *others[self.axis :])

    @property
    def max_magnitude(self) -> int:
        """Largest magnitude, ``2**mantissa - 1``."""
        return 2**self.mantissa - 1

    @property
    def max_code(self) -> int:
        """Largest exponent code, ``2**exponent - 1``."""
        return 2**self.exponent - 1

    def to_float(self) -> np.ndarray:
        """The values, exactly.

        Returns
        -------
        array of float64, shape ``shape``
            The values in the original shape, without padding.
        """
        weights = np.ldexp(1.0, self.codes.astype(np.int32) + (self.bias - (self.mantissa - 1)))
        return scaled(self, weights)[(slice(None),) * self.axis + (slice(self.length),)]


def scaled(tensor: BfpTensor, weights: np.ndarray) -> np.ndarray:
    """Each magnitude times its group's weight, in the weights' type, padded, with the axis in its original position.

    ``weights`` has the shape of ``tensor.codes``.
    """
    signed, shape = grouped(np.moveaxis(tensor.signed, -1, tensor.axis), tensor.axis, tensor.group)
    weights = np.moveaxis(weights, -1, tensor.axis).reshape(signed.shape[0], signed.shape[2])
    values = np.empty(signed.shape, weights.dtype)
    for block in blocks(signed):
        np.multiply(signed[block], spread(weights[block], tensor.group), out=values[block], dtype=weights.dtype)
    return values.reshape(shape)
