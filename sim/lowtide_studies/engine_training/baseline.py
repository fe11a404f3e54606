"""Baselines: products that no engine here makes, of plain numbers and of other formats."""

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
"""FP32; 8-bit integers with a scale a tensor; BFP of 3 bits, groups of 16 and a wide window, as MSFP-12 is."""


class BaselineProducts:
    """Products of a network in training, of an arithmetic of the golden model.

    Weights and activations are rounded to nearest, ties to even, gradients by random words as an engine has them, from
    a seed that follows from the step.

    Parameters
    ----------
    arithmetic : Arithmetic
        What multiplies.
    config : Config
        The engine whose random words these are.

    Attributes
    ----------
    last, work
        As of `EngineProducts`: nothing is decided, and no chunks are counted.
    """

    def __init__(self, arithmetic: Arithmetic, config: Config):
        self.arithmetic, self._source = arithmetic, config.engine.source(config.bfp.lanes)
        self.last: dict[Use, Last] = {}
        self.work = Work(cycles=None)
        self.begin(0)

    def begin(self, step: int) -> None:
        """Products from here on are those of a step."""
        source = attrs.evolve(self._source, seed=step % (2**self._source.bits - 1) + 1)
        self._products = Products(self.arithmetic, GradientRounding(Stochastic(mode="half_step", source=source)))

    def end(self) -> None:
        """The step is over."""

    def layer(self, number: int) -> Products:
        """The products of a layer: alike for all."""
        return self._products
