"""Operands and precisions that a user passes: checks, and the settings of a conversion."""

from typing import Any

import numpy as np

from lowtide.config import Config
from lowtide.engine.seeds import operand_seed
from lowtide.formats.parameter import IllegalValue, Unquoted, whole_number
from lowtide_model import BfpTensor, default_bias
from lowtide_model.arrays import array_of
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.terms import IntegerTensor

__all__ = ["chunks_of", "matrix", "operand", "precisions"]


def operand(
    config: Config, side: str, x: np.ndarray | BfpTensor | IntegerTensor, bits: int | None, rounding: str, seed: int
) -> tuple[np.ndarray | BfpTensor, OperandSettings | None]:
    """Operand ``a`` or ``b`` of a product, an array in FP32, and its settings; a `BfpTensor` needs none.

    Raises
    ------
    ValueError
        If an array is no matrix of numbers, or has a number that is not finite in float32.
    IllegalValue
        If the operand is a tensor of integers, the engine does not have the precision or the rounding, or the seed is
        out of range.
    """
    if isinstance(x, IntegerTensor):
        engine = f"for an engine with array.element = {config.array.element}"
        raise IllegalValue(side, f"an array or a BfpTensor {engine}", Unquoted("an IntegerTensor"))
    if isinstance(x, BfpTensor):
        return x, None
    numbers, bfp = matrix(side, x), config.bfp
    settings = OperandSettings(
        chunks=chunks_of(bits, bfp.mantissa, bfp.chunk_a if side == "a" else bfp.chunk_b),
        rounding=rounding,
        seed=operand_seed(seed, side, config.engine.lfsr_bits),
        bias=default_bias(numbers, exponent=bfp.exponent),
    )
    return numbers, settings


def matrix(name: str, x: np.ndarray) -> np.ndarray:
    """A matrix in FP32.

    Raises
    ------
    ValueError
        If ``x`` is no matrix of numbers, or has a number that is not finite in float32.
    """
    found = array_of(name, x)
    numbers = found.dtype.kind in "fiub" or (found.dtype.kind == "V" and np.can_cast(found.dtype, np.float32))
    if found.ndim != 2 or not numbers:
        raise ValueError(f"{name} must be a matrix of numbers, not {found.dtype} of {found.ndim} dimensions")
    with np.errstate(over="ignore", invalid="ignore"):
        found = found.astype(np.float32, copy=False)
    bad = np.count_nonzero(~np.isfinite(found))
    if bad:
        raise ValueError(f"{name} must have finite numbers, and {bad} of {found.size} are not, in float32")
    return found


def precisions(precision: Any) -> tuple[Any, Any]:
    """Magnitude bits of A and of B: one number, or None, applies to both.

    Raises
    ------
    IllegalValue
        If ``precision`` is a tuple of another length than two.
    """
    if not isinstance(precision, tuple):
        return precision, precision
    if len(precision) != 2:
        raise IllegalValue("precision", "a number of bits, or two of them", precision)
    return precision[0], precision[1]


def chunks_of(bits: Any, mantissa: int, chunk: int) -> int:
    """Number of chunks of a precision in bits; without a precision, the number of chunks of the whole mantissa.

    Raises
    ------
    IllegalValue
        If an engine with chunks of this width does not have the precision.
    """
    legal = range(chunk, mantissa + 1, chunk)
    if bits is None:
        return len(legal)
    return whole_number("precision", bits, tuple(legal)) // chunk
