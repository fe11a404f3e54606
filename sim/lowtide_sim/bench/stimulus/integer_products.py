"""Random operands of an engine of integers, random settings of term revealing, and what follows a product."""

import numpy as np

from lowtide.config import Config
from lowtide_model.engine.column_scale import legal_offsets
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.reveal import Reveal

__all__ = ["random_integer_finish", "random_integer_settings", "random_integers", "random_reveal"]


def random_integers(rng: np.random.Generator, config: Config, shape: tuple[int, int]) -> np.ndarray:
    """Integers of the width, among them many zeros or many extreme values."""
    most = 2 ** (config.terms.width - 1)
    x = rng.integers(-most, most, shape)
    special = rng.choice([0, -1, most - 1, -most], shape)
    return np.where(rng.random(shape) < rng.choice([0, 0.5, 0.9]), special, x)


def random_integer_settings(rng: np.random.Generator) -> IntegerSettings:
    """A random exponent of the scale."""
    return IntegerSettings(bias=int(rng.integers(-9, 2)))


def random_reveal(rng: np.random.Generator, config: Config) -> Reveal | None:
    """Random settings of term revealing, or none; None for an engine without it."""
    terms = config.terms
    if config.array.element != "tmac" or rng.random() < 0.3:
        return None
    return Reveal(
        group=terms.values * int(rng.integers(1, terms.group // terms.values + 1)),
        budget=int(rng.integers(0, terms.budget + 1)),
        data_terms=int(rng.integers(0, terms.data_terms + 1)),
    )


def random_integer_finish(
    rng: np.random.Generator, config: Config, shape: tuple[int, int]
) -> tuple[PostOperations | None, IntegerSettings | None]:
    """Any of the operations that an engine has, and packed integers if it has packed results.

    Scales bring the results near the range of the integers, or are zero, subnormal or extreme.
    """
    engine, (rows, columns) = config.engine, shape
    results = IntegerSettings(bias=int(rng.integers(-9, 4))) if engine.packed_results and rng.random() < 0.6 else None
    fits = columns <= engine.bias_tiles(config.array.columns) * config.array.columns
    scales = engine.column_scale and fits and rng.random() < 0.8
    post, relu = engine.post_operations, engine.post_operations or results is not None
    if not scales and (not relu or rng.random() < 0.3):
        return None, results
    return (
        PostOperations(
            offset=_offsets(rng, config, columns) if scales and rng.random() < 0.7 else None,
            scale=_scales(rng, columns) if scales else None,
            bias=_numbers(rng, (columns,)) if post and fits and rng.random() < 0.5 else None,
            relu=bool(relu and rng.integers(2)),
            residual=_numbers(rng, (rows, columns)) if post and rng.random() < 0.5 else None,
            final_relu=bool(relu and rng.integers(2)),
        ),
        results,
    )


def _offsets(rng: np.random.Generator, config: Config, columns: int) -> np.ndarray:
    """Offsets of any size, or near zero."""
    legal = legal_offsets(config)
    most = min(int(2 ** rng.integers(1, 32)), legal[-1])
    offsets = rng.integers(-most, most + 1, columns)
    return np.where(rng.random(columns) < 0.1, rng.choice([legal[0], legal[-1]], columns), offsets)


def _scales(rng: np.random.Generator, columns: int) -> np.ndarray:
    """Factors with all bits, with few bits for ties, or special ones."""
    factors = rng.integers(1, int(rng.choice([2, 8, 2**24])), columns) * 2.0 ** rng.integers(-20, 3, columns)
    special = rng.choice([0, 2.0**-149, 2.0**-126, 2.0**127, 1], columns)
    return np.where(rng.random(columns) < 0.1, special, factors).astype(np.float32)


def _numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Addends, a few of which are not finite."""
    x = (rng.standard_normal(shape) * 2.0 ** rng.integers(-6, 9, shape)).astype(np.float32)
    special = rng.choice([np.inf, -np.inf, np.nan, 0], shape).astype(np.float32)
    return np.where(rng.random(shape) < 0.03, special, x)
