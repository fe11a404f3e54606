"""Exact products of integers in floating point, and their one rounding to FP32."""

import math

import torch
from torch import Tensor

from lowtide_torch.conversion import Converted

__all__ = ["FLOAT32_EXACT", "FLOAT64_EXACT", "exact_product", "norm_bound", "rounded", "split"]

FLOAT32_EXACT, FLOAT64_EXACT = 2.0**24, 2.0**53
"""Every integer up to these limits is exact, and so is every sum whose partial sums do not exceed them."""

SMALLEST_NORMAL = 2.0**-126
FIRST_ZERO = SMALLEST_NORMAL - 2.0**-151
"""A smaller result is below the smallest normal number after its rounding to 24 bits, and becomes zero."""


def norm_bound(a: Converted, b: Converted) -> float:
    """Upper bound of any partial sum of a product, by Cauchy and Schwarz."""
    return math.sqrt(a.squares) * math.sqrt(b.squares) * (1 + 2.0**-40)


def exact_product(a: Converted, b: Converted) -> Tensor:
    """Matrix product of converted operands, rounded once to FP32.

    Parameters
    ----------
    a, b : Converted, shapes (matrices, K, M) and (matrices, K, N)

    Returns
    -------
    Tensor of float32, shape (matrices, M, N)
        The product. The bound of `norm_bound` must be at most ``2**53``.
    """
    left = a.integers.mT
    scale = a.scale + b.scale
    if norm_bound(a, b) <= FLOAT32_EXACT:
        return rounded(torch.matmul(left, b.integers), scale)
    if parts := split(b.integers, math.sqrt(a.squares), 1):
        bit, high, low = parts
        sums = torch.matmul(left, high).double().mul_(2.0**bit).add_(torch.matmul(left, low))
    else:
        sums = torch.matmul(left.double(), b.integers.double())
    return rounded(sums, scale)


def split(integers: Tensor, norm: float, axis: int) -> tuple[int, Tensor, Tensor] | None:
    """Parts ``high * 2**bit + low`` of an operand whose products with vectors of a norm are exact in float32.

    Parameters
    ----------
    integers : Tensor of float32
        Operand.
    norm : float
        Largest norm of the other operand's vectors.
    axis : int
        Axis of K.

    Returns
    -------
    (bit, high, low), or None if two parts do not suffice.
    """
    if not norm:
        return None
    limit = FLOAT32_EXACT / norm * (1 - 2.0**-20)
    largest = float(torch.linalg.vector_norm(integers, dim=axis, dtype=torch.float64).max())
    bit = max(math.ceil(math.log2(largest / limit)), 1)
    high = integers.mul(2.0**-bit).trunc_()
    low = integers.sub(high, alpha=2.0**bit)
    if float(torch.linalg.vector_norm(low, dim=axis, dtype=torch.float64).max()) > limit:
        return None
    return bit, high, low


def rounded(sums: Tensor, scale: int) -> Tensor:
    """Exact sums times ``2**scale`` in FP32: `lowtide_model.scaled_to_fp32`. The sums are overwritten."""
    if sums.dtype == torch.float32 and -126 <= scale <= 103:
        return sums.mul_(2.0**scale).add_(0.0)  # -0 becomes +0
    values = sums.double().mul_(2.0**scale)
    if -126 <= scale and scale + 53 <= 127:  # no sum of at most 53 bits overflows, and none but zero is too small
        return values.float().add_(0.0)
    small = values.abs() < FIRST_ZERO
    return values.float().masked_fill_(small, 0.0).add_(0.0)
