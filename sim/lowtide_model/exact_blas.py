"""Exact integer matrix products through floating-point BLAS.

A floating-point sum is exact, in any order and with or without fused multiply-adds, if every product and every
partial sum is an integer within the significand: 2**24 at most for float32 and 2**53 for float64. Common powers of two
are factored out of the operands first. Any partial sum for row ``i`` of A and column ``j`` of B is at most
``sum_k |a_ik| |b_kj|``, and so

- at most ``|a_i| |b_j|``, their Euclidean norms, by Cauchy and Schwarz, where the norm of a row whose groups have codes
  ``E`` is at most ``(2**m - 1) sqrt(group * sum(4**E))``, and
- at most ``K (2**ma - 1) (2**mb - 1) 2**(sa + sb)``, where the codes span no more than ``sa`` and ``sb``.

The first bound depends on the actual codes, and shows whether one product is exact in float32 or float64. If it is not,
the second bound gives the range of codes for which a product is exact in float64, and the operands are split into
windows of codes. For any legal ``K``, up to 2**20, the second bound is below 2**53 at least if all codes are equal.
"""

import functools
import math
import operator
from collections.abc import Iterator

import numpy as np

from lowtide_model.bfp_tensor import BfpTensor, scaled

__all__ = ["exact_matmul"]

FLOAT32_EXACT = 2**24
FLOAT64_EXACT = 2**53
INT64_LIMIT = 2**63


def exact_matmul(a: BfpTensor, b: BfpTensor) -> np.ndarray:
    """Sums over ``k`` of ``a.signed * b.signed * 2**(a.codes + b.codes)``, in int64 or, if too large, in object."""
    wide = _largest_sum(a, b, a.max_code + b.max_code) >= INT64_LIMIT
    low_a, low_b = _lowest_code(a), _lowest_code(b)
    bound = _largest_norm(a, low_a) * _largest_norm(b, low_b)
    if bound > FLOAT64_EXACT:
        return _windowed(a, b, wide)
    dtype = np.float32 if bound <= FLOAT32_EXACT else np.float64
    return _shifted(_integers(a, low_a, dtype) @ _integers(b, low_b, dtype), low_a + low_b, wide)


def _windowed(a: BfpTensor, b: BfpTensor, wide: bool) -> np.ndarray:
    """The sums from windows of the operands, whose codes span so little that the products are exact."""
    span = 0
    while _largest_sum(a, b, 2 * (span + 1)) <= FLOAT64_EXACT:
        span += 1
    parts_b = list(_windows(b, span))
    products = (
        _shifted(left @ right, low_a + low_b, wide) for low_a, left in _windows(a, span) for low_b, right in parts_b
    )
    return functools.reduce(operator.add, products)


def _windows(tensor: BfpTensor, span: int) -> Iterator[tuple[int, np.ndarray]]:
    """For each window of codes ``[low, low + span]``: ``low``, and the operand in units of ``2**low``."""
    for low in range(0, tensor.max_code + 1, span + 1):
        inside = (low <= tensor.codes) & (tensor.codes <= low + span)
        if inside.any():
            yield low, _integers(tensor, low, np.float64, inside)


def _integers(tensor: BfpTensor, low: int, dtype: type[np.floating], inside: np.ndarray | bool = True) -> np.ndarray:
    """The operand in units of ``2**low``, with zeros in groups that are not ``inside``."""
    weights = np.ldexp(dtype(1), tensor.codes.astype(np.int32) - low)
    return scaled(tensor, np.where(inside, weights, dtype(0)))


def _lowest_code(tensor: BfpTensor) -> int:
    """Lowest exponent code of a group that is not all zeros."""
    at_zero = tensor.codes == 0
    groups = tensor.signed.reshape(*tensor.codes.shape, tensor.group)
    if groups[at_zero].any():
        return 0
    return int(tensor.codes.min(where=~at_zero, initial=tensor.max_code))


def _largest_norm(tensor: BfpTensor, low: int) -> float:
    """Upper bound of the Euclidean norms of vectors along ``K``, in units of ``2**low``."""
    squares = np.exp2(2.0 * (tensor.codes - np.float64(low))).sum(axis=-1).max(initial=0)
    rounded_up = squares * (1 + 2.0**-30)  # more than the rounding error of a float64 sum of 2**20 terms
    return tensor.max_magnitude * math.sqrt(tensor.group * rounded_up)


def _largest_sum(a: BfpTensor, b: BfpTensor, codes: int) -> int:
    """Largest magnitude of a sum of products in two formats, if two codes sum to at most ``codes``."""
    return a.length * a.max_magnitude * b.max_magnitude << codes


def _shifted(product: np.ndarray, shift: int, wide: bool) -> np.ndarray:
    """Floating-point integers times ``2**shift``, as int64, or as Python integers if ``wide``."""
    product = np.asarray(product)  # the product of two vectors is a scalar
    if wide:
        return product.astype(np.int64).astype(object) << shift
    return np.multiply(product, 2.0**shift, out=product, dtype=product.dtype).astype(np.int64)
