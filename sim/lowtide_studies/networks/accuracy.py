"""Accuracy of a short training with a rounding, for searches."""

import attrs

from lowtide_model.stochastic import RoundingMethod
from lowtide_studies.networks.setting import SETTINGS
from lowtide_studies.networks.training import train

__all__ = ["final_accuracy"]


def final_accuracy(rounding: str | RoundingMethod | None, *, seed: int, epochs: int = 8) -> float:
    """Accuracy on held-out digits after a short training.

    It takes some seconds: one run of the study, in its setting ``small-steps``.

    Parameters
    ----------
    rounding : str or RoundingMethod or None
        Rounding of gradients for `lowtide_model.quantize`. A group has 16 elements: the lanes of a
        source must divide it. With None nothing is quantized.
    seed : int
        Seed of the first weights and the order of images. Compare roundings at equal seeds.
    epochs : int
        Passes over the training images.

    Returns
    -------
    float
        From 0 to 1.
    """
    return train(attrs.evolve(SETTINGS["small-steps"], epochs=epochs), rounding, seed).accuracy
