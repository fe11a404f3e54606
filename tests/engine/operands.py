"""Random matrices and ways to convert them, for an engine."""

from typing import Any

import attrs
import numpy as np

from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.product import operand_vectors, settings_of

__all__ = ["Case", "random_case", "random_matrix"]

SPECIAL = np.array([np.nan, np.inf, -np.inf, 3e38, 1e-39, -0.0], np.float32)


@attrs.frozen(eq=False)
class Case:
    """Two matrices, and how they are converted."""

    a: Any
    b: Any
    a_settings: OperandSettings | None
    b_settings: OperandSettings | None

    def packed(self, config, side):
        """The case with an operand converted beforehand."""
        tensor = GoldenEngine(config).convert(side, getattr(self, side), getattr(self, f"{side}_settings"))
        return attrs.evolve(self, **{side: tensor, f"{side}_settings": None})

    def settings(self, config):
        """Settings of both operands, also of packed ones."""
        a, b = settings_of(config, "a", self.a, self.a_settings), settings_of(config, "b", self.b, self.b_settings)
        assert isinstance(a, OperandSettings)
        assert isinstance(b, OperandSettings)
        return a, b

    def lines(self, config):
        """Both operands as the engine takes them, or an error if it does not."""
        return operand_vectors(config, self.a, self.b, *self.settings(config))

    def due(self, config):
        """The product of the golden engine."""
        return GoldenEngine(config).multiply(self.a, self.b, self.a_settings, self.b_settings)

    def check(self, config, product):
        """The product is the golden engine's: every bit of every number, and all that is counted and measured."""
        due = self.due(config)
        assert product.values.tobytes() == due.values.tobytes()
        assert product.events == due.events
        assert (product.a_improvement, product.b_improvement) == (due.a_improvement, due.b_improvement)


def random_matrix(rng, shape, special=0.0):
    """Numbers of several binades, some of them zero or special, in either order of memory."""
    x = rng.standard_normal(shape) * np.exp2(rng.integers(-6, 2, (shape[0], 1)))
    x[rng.random(shape) < rng.choice([0, 0.3, 0.9])] = 0
    x = np.where(rng.random(shape) < special, rng.choice(SPECIAL, shape), x.astype(np.float32))
    return np.asarray(x, np.float32, order=rng.choice(["C", "F"]))


def random_operand(rng, config, chunk, found=0.4):
    """Any precision, rounding, seed and bias."""
    return OperandSettings(
        chunks=int(rng.integers(1, config.bfp.mantissa // chunk + 1)),
        rounding=str(rng.choice(["truncate", "nearest", "stochastic"])),
        seed=int(rng.integers(1, 2**config.engine.lfsr_bits)),
        bias=None if rng.random() < found else int(rng.integers(-12, 3)),
    )


def random_case(rng, config, largest=None, special=0.0, found=0.4, packed=0.3):
    """A product of any shape that the engine takes, up to some panels each way; ``packed`` is a share of operands."""
    while True:
        case = _random_case(rng, config, largest, special, found)
        for side in "ab":
            if config.engine.packed_operands and rng.random() < packed:
                case = case.packed(config, side)
        try:
            case.lines(config)
        except ValueError:
            continue
        return case


def _random_case(rng, config, largest, special, found):
    array, bfp = config.array, config.bfp
    m, n, k = (int(rng.integers(1, most + 1)) for most in largest or (4 * array.rows, 4 * array.columns, 5 * bfp.lanes))
    return Case(
        random_matrix(rng, (m, k), special),
        random_matrix(rng, (k, n), special),
        random_operand(rng, config, bfp.chunk_a, found),
        random_operand(rng, config, bfp.chunk_b, found),
    )
