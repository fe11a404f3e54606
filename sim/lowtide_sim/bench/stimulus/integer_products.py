"""Random operands of an engine of integers, and random settings of term revealing."""

import numpy as np

from lowtide.config import Config
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.reveal import Reveal

__all__ = ["random_integer_settings", "random_integers", "random_reveal"]


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
