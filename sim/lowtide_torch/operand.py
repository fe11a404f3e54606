"""Operands and results of products, and the exponent bias of an operand."""

import math

import attrs
import torch
from torch import Tensor

from lowtide_model import Improvement
from lowtide_model.engine.operand import OperandSettings

__all__ = ["Operand", "Result", "bias_of", "largest", "tensor_bias"]

# Smaller numbers count as zero.
SMALLEST_NORMAL = 2.0**-126


@attrs.frozen(kw_only=True, eq=False)
class Operand:
    """Operand of a product.

    Parameters
    ----------
    x : Tensor of float32, shape (matrices, M, K) for A and (matrices, K, N) for B
        The operand, in any memory order.
    settings : OperandSettings
        Chunks, rounding, seed and bias. By default, the largest exponent of all matrices has the largest exponent code.
    what : str
        Name in errors, such as ``activations``.
    most : float, optional
        Largest magnitude, if it is known.
    """

    x: Tensor
    settings: OperandSettings
    what: str = "operand"
    most: float | None = None

    def of(self, x: Tensor) -> "Operand":
        """The operand with other elements and the same settings."""
        return attrs.evolve(self, x=x)


@attrs.frozen(kw_only=True, eq=False)
class Result:
    """Product, and relative improvements of its operands where they were measured.

    Parameters
    ----------
    values : Tensor of float32, shape (matrices, M, N)
    a_improvement, b_improvement : Improvement, optional
    """

    values: Tensor
    a_improvement: Improvement | None = None
    b_improvement: Improvement | None = None


def tensor_bias(x: Tensor, exponent: int) -> int:
    """Default exponent bias of a tensor of finite numbers: the largest exponent has the largest exponent code."""
    return bias_of(largest(x), exponent)


def bias_of(most: float, exponent: int) -> int:
    """Return the default exponent bias of a tensor with this largest magnitude: see `lowtide_model.default_bias`."""
    if not most >= SMALLEST_NORMAL:  # also a NaN
        return 0
    floor = 128 if math.isinf(most) else math.frexp(most)[1] - 1
    return floor - (2**exponent - 1)


def largest(x: Tensor) -> float:
    """Largest magnitude of a tensor; NaN if the tensor has a NaN."""
    if not x.numel():
        return 0.0
    low, high = torch.aminmax(x.detach())
    low, high = float(low), float(high)
    return max(-low, high) if low == low else low
