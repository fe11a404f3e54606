"""Settings of training, in which studies compare roundings of gradients."""

import math

import attrs

from lowtide_studies.networks.arithmetic import Arithmetic
from lowtide_studies.networks.blocks import Blocks
from lowtide_studies.networks.integers import Integers

__all__ = ["SETTINGS", "USUAL", "Setting"]

BFP = Blocks(mantissa=4, gradient_mantissa=2)


@attrs.frozen(kw_only=True)
class Setting:
    """A network, the format of its operands, and the steps of its training.

    Parameters
    ----------
    meaning : str
        Short description.
    network : str
        One of `lowtide_studies.networks.network.NETWORKS`.
    arithmetic : Arithmetic
        The formats.
    epochs, batch : int
        Passes over the training images, images per step.
    rate, momentum : float
        Parameters of gradient descent.
    decays : bool
        Whether the rate falls to zero along half a cosine; otherwise it is constant.
    """

    meaning: str
    network: str = "perceptron"
    arithmetic: Arithmetic = BFP
    epochs: int
    batch: int = 32
    rate: float
    momentum: float = 0.9
    decays: bool = False

    def rate_of(self, epoch: int) -> float:
        """Learning rate of an epoch."""
        return self.rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2 if self.decays else self.rate


SETTINGS = {
    "small-steps": Setting(meaning="BFP, 4 bits, gradients 2 bits; many small steps", epochs=8, rate=0.01),
    "large-steps": Setting(
        meaning="BFP, 4 bits, gradients 2 bits; large steps that decay", epochs=6, rate=0.05, decays=True
    ),
    "integer": Setting(meaning="8-bit integers; many small steps", arithmetic=Integers(), epochs=8, rate=0.01),
    "convolution": Setting(
        meaning="convolutions; BFP, 4 bits, gradients 2 bits; many small steps",
        network="convolution",
        epochs=4,
        rate=0.01,
    ),
}
"""Settings by name."""

USUAL = ("small-steps", "large-steps", "integer")
"""Default settings of a study."""
