"""Conversion of operands to block floating point by operations of PyTorch: the bits of `lowtide_model.quantize`."""

import attrs
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Converted", "Format", "Words", "convert", "fits"]


@attrs.frozen(kw_only=True)
class Format:
    """Format and rounding of an operand.

    Parameters
    ----------
    lanes, mantissa, exponent : int
        Elements per group, bits of a magnitude, bits of an exponent code.
    bias : int
        Exponent of code 0.
    rounding : str
        ``truncate``, ``nearest`` or ``stochastic``.
    random_bits : int
        Width of a random word in bits; 0 without one.
    chunk : int
        Width of a chunk in bits if the relative improvement is measured, otherwise 0.
    """

    lanes: int
    mantissa: int
    exponent: int
    bias: int
    rounding: str
    random_bits: int = 0
    chunk: int = 0

    @property
    def scale(self) -> int:
        """Exponent of the unit of the integers."""
        return self.bias - (self.mantissa - 1)

    @property
    def fraction(self) -> int:
        """Bits after the point that decide the rounding, and the second chunk where it is measured."""
        return max(self.random_bits + 1, 2 * self.chunk - self.mantissa)


@attrs.frozen(kw_only=True, eq=False)
class Words:
    """Random words of the vectors of an operand, in one panel of K.

    The word of vector ``v``, group ``g`` and lane ``l`` is at ``starts[m, v // high] + v % high + g + l // 2`` in the
    table. It is inverted if ``v % high + g + l`` is odd.

    Parameters
    ----------
    table : array of uint8
        Words without polarity.
    pairs : array of uint8
        Each word of the table, and then its inverse.
    starts : array of int64, shape (matrices, panels)
        Place of the first word of each panel of vectors.
    high : int
        Vectors per panel.
    """

    table: np.ndarray
    pairs: np.ndarray
    starts: np.ndarray
    high: int


@attrs.frozen(kw_only=True, eq=False)
class Converted:
    """Operand in units of ``2**scale``.

    Parameters
    ----------
    integers : Tensor of float32, shape of the operand
        Magnitudes with their signs, times ``2**code``. A zero may have a sign.
    squares : float
        Upper bound of the sum of squares of a vector.
    normal_squares : float
        Upper bound of the sum of squares of a vector in units of its lowest bit.
    scale : int
        Exponent of the unit.
    low_sums, high_sums : Tensor of float64, shape (matrices, vectors), optional
        Sums of the second and first chunks of each vector, for the relative improvement.
    vectors : (Tensor of float64, Tensor of int32), shape (matrices, vectors), optional
        Sum of squares of each vector, and the exponent of its lowest bit.
    """

    integers: Tensor
    squares: float
    normal_squares: float
    scale: int
    low_sums: Tensor | None = None
    high_sums: Tensor | None = None
    vectors: tuple[Tensor, Tensor] | None = None

    @property
    def mT(self) -> "Converted":
        """The operand with its last two axes exchanged."""
        return attrs.evolve(self, integers=self.integers.mT)


def fits(form: Format) -> bool:
    """Whether float32 scales every value exactly: see `lowtide_model.converter`."""
    top, low = 2**form.exponent - 1, form.mantissa - 126 + form.fraction
    return low <= form.bias <= form.mantissa - 1 - top + 126


def convert(x: Tensor, form: Format, words: Words | None = None, *, columns: bool = False) -> Converted:
    """Convert matrices of finite numbers, of which each row is a vector along K; with ``columns``, each column.

    Parameters
    ----------
    x : Tensor of float32, shape (matrices, vectors, K), or (matrices, K, vectors) with ``columns``
        One panel along K of each matrix.
    form : Format
        Format and rounding; `fits` must hold.
    words : Words, optional
        Random words of stochastic rounding.
    columns : bool
        Whether the groups are along the second axis.
    """
    matrices, length = x.shape[0], x.shape[1 if columns else 2]
    vectors = x.shape[2 if columns else 1]
    lanes, missing = form.lanes, -length % form.lanes
    if missing:
        x = functional.pad(x, (0, 0, 0, missing) if columns else (0, missing))
    groups = (length + missing) // lanes
    # Both orders share the code: groups are at axis 1 or 2, lanes at the next axis.
    grouped = x.reshape(matrices, groups, lanes, vectors) if columns else x.reshape(matrices, vectors, groups, lanes)
    axis = 2 if columns else 3
    sizes = grouped.abs()
    fields = sizes.amax(axis, keepdim=True).view(torch.int32) >> 23
    codes = (fields - (127 + form.bias)).clamp_(0, 2**form.exponent - 1)
    shift, top = form.fraction, 2**form.mantissa - 1
    scaled = sizes.mul_(_power(form.mantissa - 1 - form.bias + shift - codes))
    scaled.clamp_(max=float((top + 1) << shift)).trunc_()
    low_sums = high_sums = None
    if form.chunk:
        low_sums, high_sums = _improvement(scaled, codes, form, axis, 3 - axis if columns else 2)
    if form.rounding == "nearest":
        scaled.add_(2.0 ** (shift - 1))
    elif form.rounding == "stochastic":
        assert words is not None
        scaled.add_(_addends(words, form, matrices, vectors, groups, columns, x.device))
    magnitudes = scaled.mul_(2.0**-shift).floor_().clamp_(max=float(top))
    weights = _power(codes)
    square = torch.linalg.vector_norm(magnitudes, dim=axis, keepdim=True, dtype=torch.float64) * weights
    squares = square.square_().sum(1 if columns else 2).max() if square.numel() else torch.zeros(())
    integers = magnitudes.mul_(weights).copysign_(grouped).reshape(x.shape)
    if missing:
        integers = integers.narrow(1 if columns else 2, 0, length)
    return Converted(
        integers=integers,
        squares=float(squares) * (1 + 2.0**-20),
        normal_squares=float(squares) * (1 + 2.0**-20),
        scale=form.scale,
        low_sums=low_sums,
        high_sums=high_sums,
    )


def _power(exponents: Tensor) -> Tensor:
    """``2**exponents`` in float32, for exponents of normal numbers."""
    return ((exponents + 127) << 23).view(torch.float32)


def _improvement(scaled: Tensor, codes: Tensor, form: Format, axis: int, over: int) -> tuple[Tensor, Tensor]:
    """Sums of both chunks of each vector, as `lowtide_model.improvement_of`, from values with a fraction."""
    below = form.fraction - (2 * form.chunk - form.mantissa)
    magnitudes = scaled.mul(2.0**-below).floor_().clamp_(max=float(2 ** (2 * form.chunk) - 1))
    high = magnitudes.mul(2.0**-form.chunk).floor_().mul_(2.0**form.chunk)
    weights = codes.double().exp2_()
    low_sums = ((magnitudes - high).sum(axis, keepdim=True, dtype=torch.float64) * weights).sum((over, axis))
    high_sums = (high.sum(axis, keepdim=True, dtype=torch.float64) * weights).sum((over, axis))
    return low_sums, high_sums


def _addends(
    words: Words, form: Format, matrices: int, vectors: int, groups: int, columns: bool, device: torch.device
) -> Tensor:
    """Addends of the rounding ``half_step``, ``2 R + 1`` in units of the fraction's last bits."""
    vector, group = np.arange(vectors), np.arange(groups)
    row = vector % words.high
    firsts = words.starts[:, vector // words.high] + row
    if columns:
        n = group[:, np.newaxis] + row
        places = firsts[:, np.newaxis, np.newaxis, :] + group[:, np.newaxis, np.newaxis]
        lane = np.arange(form.lanes)[:, np.newaxis]
        odd = (n[:, np.newaxis, :] + lane) % 2
    else:
        n = row[:, np.newaxis] + group
        places = (firsts[:, :, np.newaxis] + group)[..., np.newaxis]
        lane = np.arange(form.lanes)
        odd = (n[..., np.newaxis] + lane) % 2
    found = words.table[places + lane // 2] ^ ((2**form.random_bits - 1) * odd).astype(np.uint8)
    addends = torch.from_numpy(found).to(device, torch.float32)
    unit = 2.0 ** (form.fraction - form.random_bits - 1)
    return addends.mul_(2 * unit).add_(unit)
