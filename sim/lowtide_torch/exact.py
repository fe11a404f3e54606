"""Exact products of integers in floating point, and their one rounding to FP32."""

import math

import torch
from torch import Tensor

from lowtide_torch.conversion import Converted

__all__ = ["FLOAT32_EXACT", "FLOAT64_EXACT", "exact_product", "halves", "norm_bound", "rounded"]

FLOAT32_EXACT, FLOAT64_EXACT = 2.0**24, 2.0**53
"""Every integer up to these limits is exact, and so is every sum whose partial sums do not exceed them."""

SMALLEST_NORMAL = 2.0**-126
FIRST_ZERO = SMALLEST_NORMAL - 2.0**-151
"""A smaller result is below the smallest normal number after its rounding to 24 bits, and becomes zero."""


def norm_bound(a: Converted, b: Converted) -> float:
    """Upper bound of any partial sum of a product, by Cauchy and Schwarz."""
    return math.sqrt(a.squares) * math.sqrt(b.squares) * (1 + 2.0**-40)


def exact_product(a: Converted, b: Converted, *, a_columns: bool = False) -> Tensor:
    """Matrix product of converted operands, rounded once to FP32.

    Parameters
    ----------
    a : Converted, shape (matrices, M, K), or (matrices, K, M) with ``a_columns``
    b : Converted, shape (matrices, K, N)

    Returns
    -------
    Tensor of float32, shape (matrices, M, N)
        The product. The bound of `norm_bound` must be at most ``2**53``.
    """
    left = a.integers.mT if a_columns else a.integers
    if norm_bound(a, b) <= FLOAT32_EXACT:
        sums = torch.matmul(left, b.integers)
    else:
        sums = torch.matmul(left.double(), b.integers.double())
    return rounded(sums, a.scale + b.scale)


def rounded(sums: Tensor, scale: int) -> Tensor:
    """Exact sums times ``2**scale`` in FP32: `lowtide_model.scaled_to_fp32`. The sums are overwritten."""
    if sums.dtype == torch.float32 and -126 <= scale <= 103:
        return sums.mul_(2.0**scale).add_(0.0)  # -0 becomes +0
    values = sums.double().mul_(2.0**scale)
    if -126 <= scale and scale + 53 <= 127:  # no sum of at most 53 bits overflows, and none but zero is too small
        return values.float().add_(0.0)
    small = values.abs() < FIRST_ZERO
    return values.float().masked_fill_(small, 0.0).add_(0.0)


def halves(values: Tensor, bit: int) -> tuple[Tensor, Tensor]:
    """Integers as ``high * 2**bit + low``, with high truncated."""
    high = values.mul(2.0**-bit).trunc_()
    return high, values - high * 2.0**bit
