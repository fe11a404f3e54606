"""Networks trained in FP32, with training, validation and held-out images."""

import attrs
import numpy as np

from lowtide_studies.networks.arithmetic import Plain
from lowtide_studies.networks.digits import SPLIT, Digits, Images
from lowtide_studies.networks.gradient_rounding import GradientRounding
from lowtide_studies.networks.network import Network, network
from lowtide_studies.networks.products import Products
from lowtide_studies.networks.setting import Setting as Schedule
from lowtide_studies.networks.training import fit

__all__ = ["FP32", "SCHEDULES", "VALIDATION", "Pretrained", "pretrained"]

VALIDATION = 287
"""Validation images, a fifth of the training images, which select settings; each seed draws others."""

SCHEDULES = {
    name: Schedule(meaning="FP32", network=name, arithmetic=Plain(), epochs=epochs, rate=0.05, batch=batch, decays=True)
    for name, epochs, batch in (("perceptron", 20, 32), ("convolution", 10, 64))
}
"""Training of each network."""

FP32 = Products(Plain(), GradientRounding("nearest"))
"""Products without quantization."""


@attrs.frozen(kw_only=True, eq=False)
class Pretrained:
    """A network, and its images.

    Parameters
    ----------
    network : Network
        Network in FP32.
    learned : Images
        Training images, which also determine the scales of activations.
    validation : Images
        Images that select settings.
    held_out : Images
        Images that select nothing; equal for all seeds.
    """

    network: Network
    learned: Images
    validation: Images
    held_out: Images


def pretrained(name: str, seed: int, split: int = SPLIT) -> Pretrained:
    """Train a network; equal arguments give equal bits.

    Parameters
    ----------
    name : str
        One of `SCHEDULES`.
    seed : int
        Seed of the first weights, of the order of images, and of the validation images.
    split : int
        Choice of held-out images, as in `Digits.load`.
    """
    digits = Digits.load(split)
    order = np.random.default_rng([seed, 2]).permutation(len(digits.training))
    learned, validation = (digits.training.take(part) for part in (order[VALIDATION:], order[:VALIDATION]))
    trained = network(name, seed)
    fit(trained, learned, FP32, SCHEDULES[name], seed)
    return Pretrained(network=trained, learned=learned, validation=validation, held_out=digits.held_out)
