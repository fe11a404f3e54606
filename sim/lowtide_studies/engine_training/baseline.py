"""Baselines: products in FP32 and in formats without an engine here."""

import attrs

from lowtide.config import Config
from lowtide_model import Stochastic
from lowtide_studies.engine_training.engine_products import Work
from lowtide_studies.engine_training.schedule import Last
from lowtide_studies.engine_training.tensor_use import Use
from lowtide_studies.networks.arithmetic import Arithmetic, Plain
from lowtide_studies.networks.blocks import Blocks
from lowtide_studies.networks.gradient_rounding import GradientRounding
from lowtide_studies.networks.integers import Integers
from lowtide_studies.networks.products import Products

__all__ = ["BASELINES", "BaselineProducts"]

BASELINES: dict[str, Arithmetic] = {
    "fp32": Plain(),
    "int8": Integers(bits=7),
    "msfp12": Blocks(mantissa=3, gradient_mantissa=3, exponent=5, group=16),
}
"""FP32; 8-bit integers with one scale per tensor; 3-bit BFP with groups of 16 and 5-bit exponents, as MSFP-12."""


class BaselineProducts:
    """Products of a network in training, in an arithmetic of the golden model.

    Weights and activations are rounded to nearest, ties to even. Gradients are rounded with the random words of an
    engine, whose seed follows from the step.

    Parameters
    ----------
    arithmetic : Arithmetic
        Number formats and their products.
    config : Config
        Engine that defines the random words.

    Attributes
    ----------
    last, work
        As in `EngineProducts`, but empty.
    """

    def __init__(self, arithmetic: Arithmetic, config: Config):
        self.arithmetic, self._source = arithmetic, config.engine.source(config.bfp.lanes)
        self.last: dict[Use, Last] = {}
        self.work = Work(cycles=None)
        self.begin(0)

    def begin(self, step: int) -> None:
        """Start a step."""
        source = attrs.evolve(self._source, seed=step % (2**self._source.bits - 1) + 1)
        self._products = Products(self.arithmetic, GradientRounding(Stochastic(mode="half_step", source=source)))

    def end(self) -> None:
        """End the step."""

    def layer(self, number: int) -> Products:
        """The products, which are equal for all layers."""
        return self._products
