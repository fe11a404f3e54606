"""Smallest trainings of networks, for tests."""

import torch

from lowtide_studies.network_training.data import Data, Part
from lowtide_studies.network_training.run import NETWORKS, Run

__all__ = ["images", "text", "tiny"]


def images(count=12):
    source = torch.Generator().manual_seed(1)
    inputs = torch.rand(count, 1, 32, 32, generator=source)
    part = Part(inputs=inputs, labels=torch.arange(count) % 3)
    return Data(title="noise", classes=("a", "b", "c"), training=part, validation=part, test=part)


def text():
    tokens = torch.randint(0, 5, (12, 9), generator=torch.Generator().manual_seed(2))
    part = Part(inputs=tokens[:, :-1], labels=tokens[:, 1:])
    return Data(title="noise", classes=tuple("abcde"), training=part, validation=part, test=part)


def tiny(network, form, **changes):
    usual = {"width": 4, "batch": 2, "samples": 4, "epochs": 2, "evaluations": 1, "evaluated": 2, "rate": 0.01}
    return Run(network=network, format=form, **(usual | changes)), text() if NETWORKS[network].text else images()
