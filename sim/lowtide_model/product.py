"""Products of block floating-point tensors, as the exact integers in the accumulators."""

import numpy as np

from lowtide.formats import Bfp
from lowtide.formats.parameter import instance
from lowtide_model.bfp_tensor import LEGAL, BfpTensor
from lowtide_model.exact_blas import exact_matmul

__all__ = ["check_product", "dot", "matmul"]


def matmul(a: BfpTensor, b: BfpTensor, *, bfp: Bfp | None = None) -> np.ndarray:
    """Exact accumulators of a matrix product.

    ``acc[i, j]`` is the sum over ``k`` of ``a.signed * b.signed * 2**(a.code + b.code)``, which equals the sum of all
    pairs of chunks in the array. The product's value is ``acc`` times ``2**(a.bias - (a.mantissa - 1) + b.bias -
    (b.mantissa - 1))``; `to_fp32` returns it.

    Parameters
    ----------
    a : BfpTensor, shape (..., M, K)
        Grouped along its last axis: ``quantize(a, axis=-1, ...)``.
    b : BfpTensor, shape (..., K, N)
        Grouped along its last axis but one: ``quantize(b, axis=-2, ...)``. The formats of ``a`` and ``b`` may differ;
        their groups must not. Dimensions before the last two broadcast.
    bfp : Bfp, optional
        Format of the hardware that must be able to compute the product. Without it, ``K`` is limited by the largest
        legal ``max_k``.

    Returns
    -------
    array of int64 or of Python integers (object), shape (..., M, N)
        Python integers if the formats and ``K`` allow sums of 2**63 or more.

    Raises
    ------
    ValueError
        If the shapes do not multiply, an operand is grouped along another axis, the groups differ, or an operand or the
        reduction exceeds ``bfp``.
    """
    check_product(a, b, bfp=bfp)
    return exact_matmul(a, b)


def dot(a: BfpTensor, b: BfpTensor, *, bfp: Bfp | None = None) -> int:
    """Exact accumulator of the dot product of two vectors.

    Parameters
    ----------
    a, b : BfpTensor, shape (K,)
        Their formats may differ; their groups must not.
    bfp : Bfp, optional
        Format of the hardware that must be able to compute the product.

    Returns
    -------
    int
        In units of ``2**(a.bias - (a.mantissa - 1) + b.bias - (b.mantissa - 1))``.

    Raises
    ------
    ValueError
        If the operands are not vectors of equal length, their groups differ, or an operand or the reduction exceeds
        ``bfp``.
    """
    _check_types(a, b, bfp)
    if len(a.shape) != 1 or a.shape != b.shape:
        raise ValueError(f"dot needs two vectors of one length, not shapes {a.shape} and {b.shape}")
    _check_operands(a, b, bfp)
    return int(exact_matmul(a, b))


def check_product(a: BfpTensor, b: BfpTensor, *, bfp: Bfp | None = None) -> None:
    """Check the operands of `matmul`, without multiplying them.

    Raises
    ------
    ValueError
        If `matmul` would raise it.
    """
    _check_types(a, b, bfp)
    if len(a.shape) < 2 or len(b.shape) < 2:
        raise ValueError(f"matmul needs two dimensions or more, not shapes {a.shape} and {b.shape}; dot takes vectors")
    _check_axis("a", a, -1)
    _check_axis("b", b, -2)
    try:
        np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        multiply = a.length == b.length
    except ValueError:
        multiply = False
    if not multiply:
        raise ValueError(f"shapes {a.shape} and {b.shape} do not multiply")
    _check_operands(a, b, bfp)


def _check_types(a: BfpTensor, b: BfpTensor, bfp: Bfp | None) -> None:
    instance("a", a, BfpTensor)
    instance("b", b, BfpTensor)
    if bfp is not None:
        instance("bfp", bfp, Bfp)


def _check_axis(name: str, tensor: BfpTensor, axis: int) -> None:
    if tensor.axis != len(tensor.shape) + axis:
        raise ValueError(
            f"{name} must be grouped along axis {axis} of its shape {tensor.shape}, not along axis {tensor.axis}:"
            f" quantize({name}, axis={axis}, ...)"
        )


def _check_operands(a: BfpTensor, b: BfpTensor, bfp: Bfp | None) -> None:
    if a.group != b.group:
        raise ValueError(
            f"groups of a and b must be equal, not {a.group} and {b.group}, for shapes {a.shape} and {b.shape}"
        )
    max_k = LEGAL["max_k"][-1] if bfp is None else bfp.max_k
    if a.length > max_k:
        raise ValueError(f"K must be at most {max_k}, the max_k, not {a.length}, for shapes {a.shape} and {b.shape}")
    if bfp is None:
        return
    for name, tensor, chunk in (("a", a, bfp.chunk_a), ("b", b, bfp.chunk_b)):
        if tensor.mantissa > bfp.mantissa or tensor.mantissa % chunk:
            legal = ", ".join(map(str, range(chunk, bfp.mantissa + 1, chunk)))
            raise ValueError(f"mantissa of {name} must be one of {legal} on this hardware, not {tensor.mantissa}")
        if tensor.exponent > bfp.exponent:
            raise ValueError(
                f"exponent of {name} must be at most {bfp.exponent} on this hardware, not {tensor.exponent}"
            )
        if tensor.group % bfp.lanes:
            raise ValueError(
                f"group of {name} must be a multiple of the {bfp.lanes} lanes of this hardware, not {tensor.group}"
            )
