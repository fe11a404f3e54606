"""Operands that a user passes to an engine of integers: integers, and their scales."""

from typing import Any

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.formats.parameter import IllegalValue
from lowtide_boards.driver.arguments import matrix
from lowtide_model.arrays import array_of
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.passes import longest_k
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.product import AnySettings
from lowtide_model.terms import IntegerTensor, quantize_integers

__all__ = ["check_unused", "integer_operand", "scaled", "with_scales"]

SMALLEST_NORMAL = 2.0**-126


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


def with_scales(
    config: Config,
    shape: tuple[int, ...],
    a_scale: np.ndarray,
    b_scale: np.ndarray,
    post: PostOperations | None,
    results: AnySettings | None,
) -> PostOperations | None:
    """Operations after a product with the scales of both operands; None if the host must apply the scales.

    The engine applies the scales if A has one scale, every product of scales is a normal FP32 number, the engine adds
    up all of K, and the engine has the post operations.

    Parameters
    ----------
    config : Config
        The engine.
    shape : tuple of int
        K and N of the product.
    a_scale, b_scale : array of float64
        Scales of the operands.
    post : PostOperations, optional
        Operations that the user gave.
    results : OperandSettings or IntegerSettings, optional
        Settings of packed results that the user gave.

    Raises
    ------
    ValueError
        If the user gave an offset, a scale or packed integers, which the host cannot apply.
    """
    engine, (k, n), given = config.engine, shape, post or PostOperations()
    with np.errstate(over="ignore", under="ignore"):
        products = (a_scale * b_scale * (1 if given.scale is None else given.scale)).astype(np.float32)
    able = (
        engine.column_scale
        and a_scale.size == 1
        and bool((np.isfinite(products) & (products >= SMALLEST_NORMAL)).all())
        and (bool(engine.sum_rows) or k <= longest_k(config, 1))
        and (engine.post_operations or isinstance(results, IntegerSettings) or not _follows(given))
    )
    if able:
        return attrs.evolve(given, scale=np.broadcast_to(products.reshape(-1), n).copy())
    if given.scales or results is not None:
        raise ValueError(
            "the engine must apply the scales of a and b, for packed integers or scales of the post operations:"
            f" engine.column_scale, one scale of a, scales whose products are normal in FP32,"
            f" and K of at most {longest_k(config, 1)} without sums on chip"
        )
    return None


def _follows(post: PostOperations) -> bool:
    """Whether FP32 operations follow the scales."""
    return post.adds or post.relu or post.final_relu
