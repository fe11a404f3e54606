"""Usual trainings of the study, without PyTorch, so that help needs none."""

from typing import Any

from lowtide_studies.network_training.run import Run, usual_run

__all__ = ["IMAGES", "QUICK", "TRAININGS", "training_of"]

RESNET = {"epochs": 6, "batch": 32, "rate": 0.05}
LANGUAGE_MODEL = {"epochs": 1, "samples": 16384}

TRAININGS: dict[str, dict[str, Any]] = {
    "perceptron": {"epochs": 20, "batch": 32, "rate": 0.05},
    "resnet8": RESNET,
    "resnet20": RESNET,
    "lstm": LANGUAGE_MODEL,
    "transformer": LANGUAGE_MODEL,
}
"""Parameters of `Run` in which a training in FP32 differs from the usual training of its network."""

IMAGES = {"perceptron": "digits", "resnet8": "glyphs", "resnet20": "glyphs"}
"""Usual images of each network."""

QUICK = {"epochs": 1, "samples": 640, "batch": 16, "width": 16, "evaluated": 64}


def training_of(network: str, given: dict[str, Any]) -> Run:
    """The training of a network in FP32, with the given changes."""
    return usual_run(network, {"format": "fp32", "evaluations": 1} | TRAININGS[network] | given)
