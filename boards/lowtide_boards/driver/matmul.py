"""A product of the operands that a user passes: their conversion, the panels, and the scales of integers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lowtide_boards.driver.arguments import operand, precisions
from lowtide_boards.driver.integer_arguments import check_unused, integer_operand, scaled, with_scales
from lowtide_model import BfpTensor
from lowtide_model.engine.panels import MatrixEngine, multiply
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.product import AnySettings, Operand
from lowtide_model.engine.reveal import Reveal
from lowtide_model.terms import IntegerTensor

__all__ = ["matmul"]


def matmul(
    engine: MatrixEngine,
    a: Any,
    b: Any,
    *,
    precision: int | tuple[int, int] | None,
    rounding: str,
    seed: int,
    reveal: Reveal | None,
    post: PostOperations | None,
    results: AnySettings | None,
    progress: Callable[[int, int], object],
) -> np.ndarray | BfpTensor | IntegerTensor:
    """Multiply two matrices of any size, as `Device.matmul` defines it.

    Parameters
    ----------
    engine : MatrixEngine
        Engine that multiplies the panels.
    a, b, precision, rounding, seed, reveal, post, results
        See `Device.matmul`.
    progress : callable
        Called with the number of completed panels and the number of all panels.

    Raises
    ------
    ValueError, IllegalValue
        See `Device.matmul`.
    """
    config = engine.config
    if config.array.element != "fmac":
        check_unused(config, precision, rounding, seed)
        return _integers(engine, a, b, reveal, post, results, progress)
    a_bits, b_bits = precisions(precision)
    x, x_settings = operand(config, "a", a, a_bits, rounding, seed)
    y, y_settings = operand(config, "b", b, b_bits, rounding, seed)
    _check_shapes(x, y)
    product = multiply(
        engine, x, y, x_settings, y_settings, progress=progress, reveal=reveal, post=post, results=results
    )
    return product.values if product.tensor is None else product.tensor


def _integers(
    engine: MatrixEngine,
    a: Any,
    b: Any,
    reveal: Reveal | None,
    post: PostOperations | None,
    results: AnySettings | None,
    progress: Callable[[int, int], object],
) -> np.ndarray | IntegerTensor:
    """Multiply on an engine of integers.

    The engine applies the scales of both operands to the exact sums, if it can; otherwise the host applies the scales,
    and the post operations after them.
    """
    (x, x_scale), (y, y_scale) = (integer_operand(engine.config, side, of) for side, of in (("a", a), ("b", b)))
    _check_shapes(x, y)
    whole = bool((x_scale == 1).all() and (y_scale == 1).all())
    if post is not None and not whole:
        post.check(x.shape[0], y.shape[1])
    after = post if whole else with_scales(engine.config, y.shape, x_scale, y_scale, post, results)
    on_engine = whole or after is not None
    product = multiply(engine, x, y, None, None, progress=progress, reveal=reveal, post=after, results=results)
    if isinstance(product.tensor, IntegerTensor):
        return product.tensor
    if on_engine:
        return product.values
    values = scaled(product.values, x_scale, y_scale)
    return values if post is None else post.applied(values)


def _check_shapes(x: Operand, y: Operand) -> None:
    if x.shape[1] != y.shape[0] or 0 in (*x.shape, *y.shape):
        raise ValueError(f"a and b must be matrices that multiply, not of shapes {x.shape} and {y.shape}")
