"""All settings on one trained network: quality, pairs of terms, and fine-tuning with kept terms."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional

from lowtide.formats.terms import ENCODINGS
from lowtide_studies.network_revealing.integers import IntegerNetwork
from lowtide_studies.network_training.data import Data, Part
from lowtide_studies.network_training.run import Run
from lowtide_studies.network_training.training import trained_network
from lowtide_studies.term_revealing.revealed import Setting
from lowtide_studies.term_revealing.sweep import WIDTHS

__all__ = ["fine_tuned", "plain_quality", "score", "swept"]

CALIBRATION = {False: 256, True: 64}
"""Training images, and sequences of a text, that determine the scales of the data."""

VALIDATED = {False: 512, True: 64}
"""Most validation images, and sequences of a text."""

TESTED = {False: 512, True: 128}
"""Most test images, and sequences of a text."""

COUNTED = {False: 64, True: 32}
"""Test images, and sequences of a text, whose pairs are counted."""

SAMPLES = 8
"""Images, or sequences, of the products whose cycles are computed: an engine of 8 rows is then full."""

EVALUATED = 64
"""Samples that are evaluated at once."""


class Trained:
    """A network that was trained in FP32, and its data.

    Parameters
    ----------
    run : Run
        Training in FP32.
    data : Data
        Images or text.
    checkpoint : Path
        File of the trained weights. Without it, the network is trained again, with equal bits.
    """

    def __init__(self, run: Run, data: Data, checkpoint: Path):
        torch.set_num_threads(1)
        self.run, self.data = run, data
        self.network: nn.Module = trained_network(run, data, checkpoint).eval()
        self.validation = data.validation.take(min(run.evaluated, VALIDATED[run.text]))
        self.test = data.test.take(min(run.evaluated, TESTED[run.text]))
        self.counted = self.test.inputs[: COUNTED[run.text]]

    def integers(self, width: int) -> IntegerNetwork:
        """The network on integers of a width; it changes the network in place."""
        inputs = self.data.training.take(CALIBRATION[self.run.text]).inputs
        return IntegerNetwork(self.network, inputs.split(EVALUATED), width)

    def scores(self) -> tuple[float, float]:
        """Scores on validation and test data."""
        return score(self.network, self.validation, self.run.text), score(self.network, self.test, self.run.text)


def score(network: nn.Module, part: Part, text: bool) -> float:
    """Accuracy in per cent, or -100 times the cross-entropy in nats per character.

    A loss of one point of the latter is 1 % of a perplexity.
    """
    network.eval()
    total = torch.zeros((), dtype=torch.float64)
    with torch.no_grad():
        for inputs, labels in zip(part.inputs.split(EVALUATED), part.labels.split(EVALUATED), strict=True):
            logits = network(inputs)
            if text:
                total -= functional.cross_entropy(logits.flatten(0, -2), labels.flatten(), reduction="sum")
            else:
                total += (logits.argmax(-1) == labels).sum()
    return 100 * total.item() / part.labels.numel()


def plain_quality(trained: Trained, width: int) -> dict[str, Any]:
    """FP32 and plain quantization: scores, pairs present, scores at fewer bits, and M, K and N of all products."""
    _, fp32 = trained.scores()
    network = trained.integers(width)
    validation, test = trained.scores()
    present = network.present(trained.counted, ENCODINGS)
    shapes = network.shapes(trained.test.inputs[:SAMPLES])
    narrower = []
    for bits in WIDTHS:
        network.quantize(bits)
        narrower.append(score(trained.network, trained.test, trained.run.text))
    plain = {
        "fp32": [fp32],
        "validation": [validation],
        "held_out": [test],
        "present": {encoding: [pairs] for encoding, pairs in present.items()},
    }
    return {"plain": plain, "narrower": narrower, "shapes": shapes}


def swept(trained: Trained, width: int, settings: Sequence[Setting]) -> list[dict[str, Any]]:
    """Scores and pairs of each setting, without retraining."""
    network = trained.integers(width)
    return [_point(trained, network, setting) for setting in settings]


def _point(trained: Trained, network: IntegerNetwork, setting: Setting) -> dict[str, Any]:
    network.keep(setting)
    validation, test = trained.scores()
    present = network.present(trained.counted, [setting.encoding])
    return {
        "setting": attrs.asdict(setting),
        "validation": [validation],
        "held_out": [test],
        "present": list(present.values()),
        "at_most": network.at_most(trained.counted[:1], setting),
    }


def fine_tuned(trained: Trained, width: int, setting: Setting | None, steps: int) -> dict[str, Any]:
    """Score after further training steps with the kept terms in each forward product, or with all terms.

    Weights stay in FP32, and gradients pass as if nothing were rounded. The rate falls to zero.
    """
    run, network = trained.run, trained.integers(width)
    rate = run.rate * TUNING_RATE
    parameters = trained.network.parameters()
    if run.text:
        optimizer: torch.optim.Optimizer = torch.optim.Adam(parameters, rate)
    else:
        optimizer = torch.optim.SGD(parameters, rate, momentum=0.9)
    network.keep(setting)
    for step, (inputs, labels) in enumerate(_batches(trained, steps)):
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 - step / steps)
        trained.network.train()
        loss = functional.cross_entropy(trained.network(inputs).flatten(0, -2), labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        if run.text:
            nn.utils.clip_grad_norm_(trained.network.parameters(), 1.0)
        optimizer.step()
        network.quantize(width)
        network.keep(setting)
    validation, test = trained.scores()
    return {"validation": validation, "held_out": test}


TUNING_RATE = 0.1
"""First learning rate of fine-tuning, relative to the first rate of the training."""


def _batches(trained: Trained, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Random batches of training data, equal for all settings."""
    training, source = trained.data.training, torch.Generator().manual_seed(trained.run.seed)
    for _ in range(steps):
        chosen = torch.randint(len(training), (trained.run.batch,), generator=source)
        yield training.inputs[chosen], training.labels[chosen]
