"""Networks that are trained in FP32, and the images that they have not seen."""

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
"""Images, a fifth of those for training, on which settings are chosen; each seed draws its own."""

SCHEDULES = {
    name: Schedule(meaning="FP32", network=name, arithmetic=Plain(), epochs=epochs, rate=0.05, batch=batch, decays=True)
    for name, epochs, batch in (("perceptron", 20, 32), ("convolution", 10, 64))
}
"""How each network is trained."""

FP32 = Products(Plain(), GradientRounding("nearest"))
"""Nothing is quantized."""


@attrs.frozen(kw_only=True, eq=False)
class Pretrained:
    """A network, and images by what they are for.

    Parameters
    ----------
    network : Network
        In FP32; it is never trained again.
    learned : Images
        What it was trained on, from which scales of activations come too.
    validation : Images
        Unseen; settings are chosen by them.
    held_out : Images
        Unseen; nothing is chosen by them. The same for all seeds.
    """

    network: Network
    learned: Images
    validation: Images
    held_out: Images


def pretrained(name: str, seed: int, split: int = SPLIT) -> Pretrained:
    """Train a network, always alike for the same arguments.

    Parameters
    ----------
    name : str
        One of `SCHEDULES`.
    seed : int
        Of the first weights, of the order of images, and of which are for validation.
    split : int
        Which images are held out, as `Digits.load` takes it.
    """
    digits = Digits.load(split)
    order = np.random.default_rng([seed, 2]).permutation(len(digits.training))
    learned, validation = (digits.training.take(part) for part in (order[VALIDATION:], order[:VALIDATION]))
    trained = network(name, seed)
    fit(trained, learned, FP32, SCHEDULES[name], seed)
    return Pretrained(network=trained, learned=learned, validation=validation, held_out=digits.held_out)
