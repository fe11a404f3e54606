"""How good a rounding is, in one number: for a search that tries many of them."""

import attrs

from lowtide_model.stochastic import Rounds
from lowtide_studies.networks.setting import SETTINGS
from lowtide_studies.networks.training import train

__all__ = ["final_accuracy"]


def final_accuracy(rounding: str | Rounds | None, *, seed: int, epochs: int = 8) -> float:
    """Accuracy on the held-out digits after a short training, in the setting in which rounding matters.

    It takes some seconds: one run of the study, in its setting ``small-steps``.

    Parameters
    ----------
    rounding : str or Rounds or None
        What rounds gradients, as `lowtide_model.quantize` takes it. A group has 16 elements: the lanes of a
        source must divide it. With None nothing is quantized.
    seed : int
        Of the first weights and the order of images. Compare roundings at the same seeds.
    epochs : int
        Passes over the training images.

    Returns
    -------
    float
        From 0 to 1.
    """
    return train(attrs.evolve(SETTINGS["small-steps"], epochs=epochs), rounding, seed).accuracy
