"""Usual trainings of the study, without PyTorch, so that help needs none."""

from typing import Any

from lowtide_studies.network_training.run import ENGINE_ROUNDING, GRADIENT_ROUNDINGS, RANDOM_BITS, Run, usual_run

__all__ = ["ENGINE_WORDS", "IMAGES", "QUICK", "ROUNDINGS", "USUAL_ROUNDINGS", "training_of"]

ENGINE_WORDS = {
    f"{ENGINE_ROUNDING}-{bits}" + "-plateau" * plateau: {"random_bits": bits, "random_plateau": plateau}
    for plateau in (False, True)
    for bits in RANDOM_BITS
    if bits > plateau  # words of one bit have no plateau
}
"""Roundings by the engine's own words: parameters of `Run`."""

ROUNDINGS = ("fp32", *(name for name in GRADIENT_ROUNDINGS if name != ENGINE_ROUNDING), *ENGINE_WORDS)
"""Roundings of gradients; ``fp32`` quantizes nothing."""

USUAL_ROUNDINGS = (
    *("fp32", "nearest", "ideal", "reference", "plateau-space", "plateau-time", "plateau-carry"),
    *("shared-2", "shared-3", "uniform", "raw-half", "neighbor-plateau", "plateau-drawn", "uniform-drawn"),
    *("engine-1", "engine-2", "engine-3", "engine-8", "engine-2-plateau", "engine-3-plateau"),
)
"""Default roundings."""

RESNET = {"epochs": 5, "samples": 1600, "batch": 32, "rate": 0.05}
LANGUAGE_MODEL = {"epochs": 1, "samples": 2048, "batch": 8}

TRAININGS: dict[str, dict[str, Any]] = {
    "perceptron": {"epochs": 2, "samples": 3200},
    "resnet8": RESNET,
    "resnet20": RESNET,
    "lstm": LANGUAGE_MODEL,
    "transformer": LANGUAGE_MODEL,
}
"""Parameters of `Run` in which a training differs from the usual training of its network."""

IMAGES = "digits"

QUICK = {"epochs": 1, "samples": 64, "batch": 16, "width": 16, "evaluated": 128}


def training_of(network: str, given: dict[str, Any]) -> Run:
    """The training of a network in FP32, with the given changes."""
    return usual_run(network, {"format": "fp32", "evaluations": 1} | TRAININGS[network] | given)
