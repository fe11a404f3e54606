"""Operands that a user passes to an engine of integers: integers, and the scales that the host applies."""

from typing import Any

import numpy as np

from lowtide.config import Config
from lowtide.formats.parameter import IllegalValue
from lowtide_boards.driver.arguments import matrix
from lowtide_model.arrays import array_of
from lowtide_model.terms import IntegerTensor, quantize_integers

__all__ = ["check_unused", "integer_operand", "scaled"]


def integer_operand(config: Config, side: str, x: Any) -> tuple[np.ndarray, np.ndarray]:
    """Operand ``a`` or ``b`` of a product as integers, and its scales, whose product with the integers is the operand.

    Integers have scale 1. Floats are quantized, A with one scale, and B with a scale per column.

    Raises
    ------
    ValueError
        If ``x`` is no matrix of numbers, has a number that is not finite in float32, or is a tensor whose scale varies
        along K.
    """
    if isinstance(x, IntegerTensor):
        along_k = 1 if side == "a" else 0
        scale = np.asarray(x.scale, np.float64)
        scale = scale.reshape((1,) * (2 - scale.ndim) + scale.shape) if scale.ndim < 2 else scale
        if scale.shape[along_k] != 1:
            raise ValueError(f"the scale of {side} must not vary along K, and has the shape {scale.shape}")
        return x.integers, scale
    found = array_of(side, x)
    if found.dtype.kind in "iu":
        return found, np.ones((1, 1))
    numbers = matrix(side, x)
    tensor = quantize_integers(numbers, config.terms.width, None if side == "a" else 1)
    return tensor.integers, tensor.scale


def check_unused(config: Config, precision: Any, rounding: Any, seed: Any) -> None:
    """Refuse settings of a conversion to block floating point.

    Raises
    ------
    IllegalValue
        If a setting differs from its default.
    """
    engine = f"for an engine with array.element = {config.array.element}"
    if precision is not None:
        raise IllegalValue("precision", f"None {engine}", precision)
    if rounding != "nearest":
        raise IllegalValue("rounding", f"nearest {engine}", rounding)
    if seed != 1:
        raise IllegalValue("seed", f"1 {engine}", seed)


def scaled(values: np.ndarray, a_scale: np.ndarray, b_scale: np.ndarray) -> np.ndarray:
    """Product of an engine in FP32, times the scales of both operands in float64, rounded to FP32."""
    with np.errstate(over="ignore", under="ignore"):
        return (values.astype(np.float64) * (a_scale * b_scale)).astype(np.float32)
