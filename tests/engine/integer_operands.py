"""Random matrices of integers, and ways to reveal their terms, for an engine of integers."""

from typing import Any

import attrs
import numpy as np

from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.product import operand_vectors
from lowtide_model.engine.reveal import Reveal
from lowtide_sim.bench.stimulus.integer_products import random_integer_settings, random_integers, random_reveal

__all__ = ["IntegerCase", "random_integer_case"]


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


def random_integer_case(rng, config, shape=None):
    """A product of any shape that the engine takes, up to some panels each way."""
    array = config.array
    while True:
        m, k, n = shape or (int(rng.integers(1, most + 1)) for most in (4 * array.rows, 40, 4 * array.columns))
        settings = [random_integer_settings(rng) for _ in "ab"]
        a, b = (
            np.asarray(random_integers(rng, config, size), rng.choice([np.int16, np.int64]), order=order)
            for size, order in zip(((m, k), (k, n)), rng.choice(["C", "F"], 2), strict=True)
        )
        try:
            operand_vectors(config, a, b, *settings)
        except ValueError:
            continue
        return IntegerCase(a, b, settings[0], settings[1], random_reveal(rng, config))
