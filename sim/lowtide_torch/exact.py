"""Exact products of integers in floating point, and their one rounding to FP32."""

import math

import torch
from torch import Tensor

from lowtide_torch.conversion import Converted

__all__ = [
    "FLOAT32_EXACT",
    "FLOAT64_EXACT",
    "SCALE_OF_PARTS",
    "PanelSum",
    "exact_product",
    "norm_bound",
    "rounded",
    "split",
]

FLOAT32_EXACT, FLOAT64_EXACT = 2.0**24, 2.0**53
"""Every integer up to these limits is exact, and so is every sum whose partial sums do not exceed them."""

SMALLEST_NORMAL = 2.0**-126
FIRST_ZERO = SMALLEST_NORMAL - 2.0**-151
"""A smaller result is below the smallest normal number after its rounding to 24 bits, and becomes zero."""

SCALE_OF_PARTS = 127 - 50
"""Largest scale with which no sum of two parts overflows: a sum is below ``2**49``."""


def norm_bound(a: Converted, b: Converted) -> float:
    """Upper bound of any partial sum of a product, in units of its lowest bit, by Cauchy and Schwarz."""
    return math.sqrt(a.normal_squares) * math.sqrt(b.normal_squares) * (1 + 2.0**-40)


def exact_product(a: Converted, b: Converted) -> Tensor:
    """Matrix product of converted operands, rounded once to FP32.

    Parameters
    ----------
    a : Converted, shape (matrices, K, M)
        Operand A, transposed.
    b : Converted, shape (matrices, K, N)
        Operand B.

    Returns
    -------
    Tensor of float32, shape (matrices, M, N)
        The product. The bound of `norm_bound` must be at most ``2**53``.
    """
    left = a.integers.mT
    scale = a.scale + b.scale
    if norm_bound(a, b) <= FLOAT32_EXACT:
        return rounded(torch.matmul(left, b.integers), scale)
    if -126 <= scale <= SCALE_OF_PARTS and (parts := split(b, math.sqrt(a.normal_squares))):
        high, low = parts
        # Both sums are exact, so their sum in float32 is the exact sum, rounded once.
        return torch.matmul(left, high).add_(torch.matmul(left, low)).mul_(2.0**scale).add_(0.0)
    return rounded(torch.matmul(left.double(), b.integers.double()), scale)


class PanelSum:
    """Sum of the panels of a product along K.

    Parameters
    ----------
    scale : int
        Exponent of the unit of the sums.
    on_chip : bool
        Whether the engine rounds the exact sum of all panels once. Otherwise it rounds each panel, and the host adds
        the panels in FP32.
    """

    def __init__(self, scale: int, on_chip: bool):
        self.scale, self.on_chip = scale, on_chip
        self._sum: Tensor | None = None
        self._bound = 0.0

    def add(self, a: Converted, b: Converted) -> bool:
        """Add a panel of converted operands, as in `exact_product`; false if float64 may not represent the sum."""
        if not self.on_chip:
            if norm_bound(a, b) > FLOAT64_EXACT:
                return False
            part = exact_product(a, b)
        else:
            # Panels may have different lowest bits, so the bound of their sum is in units of the common lowest bit.
            self._bound += math.sqrt(a.squares) * math.sqrt(b.squares) * (1 + 2.0**-40)
            if self._bound > FLOAT64_EXACT:
                return False
            part = exact_sums(a, b)
        self._sum = part if self._sum is None else self._sum.add_(part)
        return True

    def values(self) -> Tensor:
        """The product in FP32."""
        assert self._sum is not None
        return rounded(self._sum, self.scale) if self.on_chip else self._sum


def exact_sums(a: Converted, b: Converted) -> Tensor:
    """Exact sums of a product of converted operands, in float64."""
    left = a.integers.mT
    if norm_bound(a, b) <= FLOAT32_EXACT:
        return torch.matmul(left, b.integers).double()
    if parts := split(b, math.sqrt(a.normal_squares)):
        high, low = parts
        return torch.matmul(left, high).double().add_(torch.matmul(left, low))
    return torch.matmul(left.double(), b.integers.double())


def split(operand: Converted, norm: float) -> tuple[Tensor, Tensor] | None:
    """Two integer parts of an operand (matrices, K, N), whose products with vectors of a norm are exact in float32.

    The norm is in units of the lowest bit of a vector.
    The high part has multiples of ``2**bit``. Each element of the low part is at most ``2**(bit - 1)``.

    Returns
    -------
    (high, low), or None if two parts do not suffice.
    """
    own, length = math.sqrt(operand.squares), operand.integers.shape[-2]
    for bit in range(1, 24):
        low = 2.0 ** (bit - 1) * math.sqrt(length)
        if norm * low > FLOAT32_EXACT * (1 - 2.0**-20):
            return None
        if norm * (own + low) <= FLOAT32_EXACT * 2.0**bit * (1 - 2.0**-20):
            if own >= 2.0 ** (22 + bit):
                return None
            unit = 3 * 2.0 ** (22 + bit)  # adding it rounds a smaller number to a multiple of 2**bit
            high = operand.integers.add(unit).sub_(unit)
            return high, operand.integers - high
    return None


def rounded(sums: Tensor, scale: int) -> Tensor:
    """Exact sums times ``2**scale`` in FP32: `lowtide_model.scaled_to_fp32`. The sums are overwritten."""
    if sums.dtype == torch.float32 and -126 <= scale <= 103:
        return sums.mul_(2.0**scale).add_(0.0)  # -0 becomes +0
    values = sums.double().mul_(2.0**scale)
    if scale >= -126 and scale + 53 <= 127:  # no sum of at most 53 bits overflows, and none but zero is too small
        return values.float().add_(0.0)
    small = values.abs() < FIRST_ZERO
    return values.float().masked_fill_(small, 0.0).add_(0.0)
