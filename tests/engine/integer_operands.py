"""Random matrices of integers, and ways to reveal their terms, for an engine of integers."""

from typing import Any

import attrs
import numpy as np

from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.product import operand_vectors
from lowtide_model.engine.reveal import Reveal

__all__ = ["IntegerCase", "random_integer_case", "random_integers", "random_reveal"]


@attrs.frozen(eq=False)
class IntegerCase:
    """Two matrices of integers, the exponents of their scales, and which terms are revealed."""

    a: np.ndarray
    b: np.ndarray
    a_settings: IntegerSettings
    b_settings: IntegerSettings
    reveal: Reveal | None

    def run(self, engine: Any):
        """The product of an engine."""
        return engine.multiply(self.a, self.b, self.a_settings, self.b_settings, reveal=self.reveal)

    def check(self, engine: Any) -> None:
        """The product is the golden engine's: every bit of every number, and all that is counted."""
        found, due = self.run(engine), self.run(GoldenEngine(engine.config))
        assert found.values.tobytes() == due.values.tobytes()
        assert found.events == due.events


def random_integers(rng, config, shape):
    """Integers of the width, some of them zero, the largest or the smallest; in either order of memory."""
    low, high = -(2 ** (config.terms.width - 1)), 2 ** (config.terms.width - 1) - 1
    x = rng.integers(low, high + 1, shape)
    x[rng.random(shape) < rng.choice([0, 0.5])] = 0
    x = np.where(rng.random(shape) < rng.choice([0, 0.5]), rng.choice([low, high, -1], shape), x)
    return np.asarray(x, rng.choice([np.int16, np.int64]), order=rng.choice(["C", "F"]))


def random_reveal(rng, config):
    """Any settings of term revealing, or none."""
    terms = config.terms
    if config.array.element != "tmac" or rng.random() < 0.3:
        return None
    return Reveal(
        group=terms.values * int(rng.integers(1, terms.group // terms.values + 1)),
        budget=int(rng.integers(0, terms.budget + 1)),
        data_terms=int(rng.integers(0, terms.data_terms + 1)),
    )


def random_integer_case(rng, config, shape=None):
    """A product of any shape that the engine takes, up to some panels each way."""
    array = config.array
    while True:
        m, k, n = shape or (int(rng.integers(1, most + 1)) for most in (4 * array.rows, 40, 4 * array.columns))
        settings = [IntegerSettings(bias=int(bias)) for bias in rng.integers(-9, 4, 2)]
        a, b = random_integers(rng, config, (m, k)), random_integers(rng, config, (k, n))
        try:
            operand_vectors(config, a, b, *settings)
        except ValueError:
            continue
        return IntegerCase(a, b, settings[0], settings[1], random_reveal(rng, config))
