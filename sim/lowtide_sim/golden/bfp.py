"""A tensor in block floating point: integers, their groups' exponent codes, and one bias."""

import attrs
import numpy as np

from lowtide.formats import Bfp, IllegalValue
from lowtide.formats.parameter import legal_text
from lowtide_sim.golden.grouping import blocks, grouped, spread

__all__ = ["LEGAL", "BfpTensor", "check_format", "legal_bias", "scaled"]

# What hardware may be generated for: field by field, the legal values.
LEGAL = {field.name: field.metadata["legal"] for field in attrs.fields(Bfp)}


def check_format(mantissa: int, exponent: int, group: int) -> None:
    """Refuse a format that no hardware here has."""
    for name, value in (("mantissa", mantissa), ("exponent", exponent)):
        if not isinstance(value, int | np.integer) or value not in LEGAL[name]:
            raise IllegalValue(name, legal_text(LEGAL[name]), value)
    if not isinstance(group, int | np.integer) or group < 1:
        raise IllegalValue("group", "1 or more", group)


def legal_bias(exponent: int) -> range:
    """Biases with which every value, and every power of two that scales one, is a float64."""
    return range(-1000, 1024 - (2**exponent - 1))


def _read_only(array: np.ndarray) -> np.ndarray:
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


@attrs.frozen(kw_only=True, eq=False)
class BfpTensor:
    """Values ``signed * 2**(code + bias - (mantissa - 1))``, one code for each group of elements along an axis.

    The axis of the groups is moved last in ``signed`` and ``codes``, whatever it was in the tensor that was
    quantised; ``axis`` remembers, and `to_float` moves it back. There it is padded with zeros to whole groups.

    Parameters
    ----------
    signed : array of int16, shape (..., whole groups of K)
        Magnitudes ``M`` with their signs, in ``[-(2**mantissa - 1), 2**mantissa - 1]``. Zero has no sign.
    codes : array of uint8, shape (..., groups)
        Exponent codes ``E`` in ``[0, 2**exponent - 1]``.
    bias : int
        ``B``, the exponent that code 0 stands for.
    mantissa, exponent, group : int
        Bits of a magnitude, bits of a code, elements of a group.
    length : int
        ``K``: elements along the axis before padding.
    axis : int
        Where the axis was, from 0.
    saturated_groups : int
        Groups whose largest exponent lay above the top code.
    saturated_elements : int
        Elements whose rounded magnitude exceeded ``2**mantissa - 1`` and was held there, and all infinities.
    bad_elements : int
        Elements that were NaN or infinite.

    Raises
    ------
    ValueError
        If a parameter is not legal, the shapes do not belong together, or an element is out of its range.
    """

    signed: np.ndarray = attrs.field(converter=_read_only)
    codes: np.ndarray = attrs.field(converter=_read_only)
    bias: int
    mantissa: int
    exponent: int
    group: int
    length: int
    axis: int
    saturated_groups: int = 0
    saturated_elements: int = 0
    bad_elements: int = 0

    def __attrs_post_init__(self):
        check_format(self.mantissa, self.exponent, self.group)
        if self.bias not in legal_bias(self.exponent):
            raise IllegalValue("bias", legal_text(legal_bias(self.exponent)), self.bias)
        groups = -(-self.length // self.group)
        if self.signed.ndim < 1 or self.signed.shape[-1] != groups * self.group:
            raise ValueError(
                f"signed must end in {groups} groups of {self.group} for a length of {self.length},"
                f" not have shape {self.signed.shape}"
            )
        if self.codes.shape != (*self.signed.shape[:-1], groups):
            raise ValueError(
                f"codes must have shape {(*self.signed.shape[:-1], groups)}, one a group, not {self.codes.shape}"
            )
        if self.axis not in range(self.signed.ndim):
            raise IllegalValue("axis", legal_text(range(self.signed.ndim)), self.axis)
        _check_range("signed", self.signed, -self.max_magnitude, self.max_magnitude)
        _check_range("codes", self.codes, 0, self.max_code)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor as it was quantised, without padding."""
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
            The axis of the groups is back in its place, without padding.
        """
        weights = np.ldexp(1.0, self.codes.astype(np.int32) + (self.bias - (self.mantissa - 1)))
        return scaled(self, weights)[(slice(None),) * self.axis + (slice(self.length),)]


def scaled(tensor: BfpTensor, weights: np.ndarray) -> np.ndarray:
    """Each magnitude times the weight of its group, in the weights' type, padded, with the axis back in its place.

    ``weights`` has the shape of ``tensor.codes``.
    """
    signed, shape = grouped(np.moveaxis(tensor.signed, -1, tensor.axis), tensor.axis, tensor.group)
    weights = np.moveaxis(weights, -1, tensor.axis).reshape(signed.shape[0], signed.shape[2])
    values = np.empty(signed.shape, weights.dtype)
    for block in blocks(signed):
        np.multiply(signed[block], spread(weights[block], tensor.group), out=values[block], dtype=weights.dtype)
    return values.reshape(shape)


def _check_range(name: str, array: np.ndarray, lowest: int, largest: int) -> None:
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must be integers, not {array.dtype}")
    if array.size and (array.min() < lowest or array.max() > largest):
        index = tuple(int(i) for i in np.argwhere((array < lowest) | (array > largest))[0])
        raise ValueError(f"{name} at {index} must be from {lowest} to {largest}, not {array[index]}")
