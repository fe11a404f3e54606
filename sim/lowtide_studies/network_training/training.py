"""Training of a network in a format, with checkpoints."""

import copy
import hashlib
import math
import os
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lowtide.formats.parameter import IllegalValue
from lowtide_studies.network_training.cycles import CountingEngine, Cycles, Product
from lowtide_studies.network_training.data import Data, Part
from lowtide_studies.network_training.formats import FORMATS
from lowtide_studies.network_training.gradients import RoundingEngine
from lowtide_studies.network_training.models import make_network
from lowtide_studies.network_training.rounding import Rounding, round_operands_
from lowtide_studies.network_training.run import ENGINE_ROUNDING, NETWORKS, Run
from lowtide_studies.network_training.units import UNITS
from lowtide_torch import BFP, Controller, NonFinite, quantize_
from lowtide_torch.settings import KINDS

__all__ = ["QUANTILES", "Evaluation", "Trained", "train", "trained_network"]

VALIDATED = {False: 1024, True: 128}
"""Most validation images, and sequences of a text."""

TESTED = {False: 10**9, True: 512}
"""Most test images, and sequences of a text."""

QUANTILES = (0.1, 0.5, 0.9)
"""Quantiles of the relative improvements of all operands of a kind."""

EVALUATED = 64
"""Samples that are evaluated at once."""


@attrs.frozen(kw_only=True)
class Evaluation:
    """State of a training after some steps.

    Parameters
    ----------
    epoch : float
    quality : float
        Accuracy on validation images in per cent, or perplexity per character of the validation text.
    loss : float
        Mean training loss since the evaluation before.
    macs : int
        Multiplications of all steps so far.
    cycles : dict of str to dict
        `Cycles` of all steps so far, by the names of the engine's elements.
    improvements : dict of str to list of float
        `QUANTILES` of the relative improvement of all operands in the last step, by their kinds; empty if the format
        does not measure it.
    """

    epoch: float
    quality: float
    loss: float
    macs: int
    cycles: dict[str, dict[str, int]]
    improvements: dict[str, list[float]] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Trained:
    """A training: its evaluations, quality on the test data, and the SHA-256 of the final weights.

    A training that has a number beyond the range of its format, a NaN or an infinity ends there, with the quality
    NaN.
    """

    evaluations: list[Evaluation]
    quality: float
    sha256: str

    @property
    def finite(self) -> bool:
        """Whether the training ran to its end."""
        return not math.isnan(self.quality)


def train(run: Run, data: Data, checkpoint: Path | None = None) -> Trained:
    """Train on one thread; a training that was stopped resumes from its checkpoint with equal bits.

    Raises
    ------
    IllegalValue
        If the training data have less than a batch.
    """
    torch.set_num_threads(1)
    training = _Training(run, data)
    if checkpoint is not None:
        training.load(checkpoint)
    try:
        while training.epoch < run.epochs:
            training.run_epoch()
            if checkpoint is not None:
                training.save(checkpoint)
    except NonFinite:
        return Trained(evaluations=training.evaluations, quality=math.nan, sha256=training.sha256)
    quality = training.quality(data.test.take(min(run.evaluated, TESTED[run.text])))
    return Trained(evaluations=training.evaluations, quality=quality, sha256=training.sha256)


def trained_network(run: Run, data: Data, checkpoint: Path) -> nn.Module:
    """The trained network of a checkpoint; `train` continues a training that is not finished."""
    training = _Training(run, data)
    training.load(checkpoint)
    if training.epoch < run.epochs:
        train(run, data, checkpoint)
        training.load(checkpoint)
    return training.network


class _Training:
    """A network, its optimizer, and all that changes from step to step."""

    def __init__(self, run: Run, data: Data):
        self.run, self.training = run, data.training
        self.validation = data.validation.take(min(run.evaluated, VALIDATED[run.text]))
        self.steps = min(run.samples, len(data.training)) // run.batch
        if not self.steps:
            most = min(run.samples, len(data.training))
            raise IllegalValue("batch", f"at most {most}, the samples of an epoch", run.batch)
        channels = 1 if run.text else data.training.inputs.shape[1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(run.seed)
            self.network = make_network(run.network, channels, len(data.classes), run.width)
        first = slice(run.batch)
        self.products = _products(
            self.network, Part(inputs=self.training.inputs[first], labels=self.training.labels[first])
        )
        self.macs = sum(product.macs * count for product, count in self.products.items())
        self.order = torch.Generator().manual_seed(run.seed)
        if NETWORKS[run.network].optimizer == "sgd":
            self.optimizer: torch.optim.Optimizer = torch.optim.SGD(self.network.parameters(), run.rate, momentum=0.9)
        else:
            self.optimizer = torch.optim.Adam(self.network.parameters(), run.rate)
        self.engine: CountingEngine | None = None
        self.controller: Controller | None = None
        self.rounding: Rounding | None = None
        form = FORMATS[run.format]
        if form.settings is not None:
            words = {"engine.random_bits": run.random_bits, "engine.random_plateau": run.random_plateau}
            config = form.config.changed(words)
            self.engine = CountingEngine(config)
            if run.gradients != ENGINE_ROUNDING:
                self.engine = RoundingEngine(config, run.gradients, run.seed)
            quantize_(self.network, form.settings(run), engine=self.engine)
            self.controller = Controller(self.network, steps=self.steps * run.epochs)
        elif form.rounder is not None:
            self.rounding = round_operands_(self.network, form.rounder, run.seed)
        self.epoch, self.evaluations = 0, list[Evaluation]()
        self.cycles = {unit.name: Cycles() for unit in UNITS[run.format] if unit.changes is not None}

    def run_epoch(self) -> None:
        """Train for an epoch, and evaluate after equal parts of its steps."""
        if isinstance(self.engine, RoundingEngine):
            self.engine.restart(self.epoch)
        chosen = torch.randperm(len(self.training), generator=self.order)[: self.steps * self.run.batch]
        ends = {round(self.steps * part / self.run.evaluations) for part in range(1, self.run.evaluations + 1)}
        losses: list[float] = []
        evaluated = 0  # steps before the last evaluation
        for step, batch in enumerate(chosen.split(self.run.batch), 1):
            self._set_rate((self.epoch * self.steps + step - 1) / (self.run.epochs * self.steps))
            losses.append(self._step(self.training.inputs[batch], self.training.labels[batch]))
            if step in ends:
                self._count(step - evaluated)
                self._evaluate(self.epoch + step / self.steps, sum(losses) / len(losses))
                evaluated, losses = step, []
        self.epoch += 1

    def _set_rate(self, done: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.run.rate * (1 + math.cos(math.pi * done)) / 2

    def _step(self, inputs: Tensor, labels: Tensor) -> float:
        self.network.train()
        loss = _loss(self.network, inputs, labels)
        if not math.isfinite(loss.item()):
            raise NonFinite("the training loss is not finite")
        self.optimizer.zero_grad()
        loss.backward()
        if self.run.text:
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        if self.controller is not None:
            self.controller.step()
        return loss.item()

    def _count(self, steps: int) -> None:
        """Add the cycles of the last steps. Without an engine, each step has the products of the first."""
        if self.engine is None:
            used = Counter({product: count * steps for product, count in self.products.items()})
        else:
            used, self.engine.used = self.engine.used, Counter()
        for unit in UNITS[self.run.format]:
            if unit.changes is not None:
                for product, count in sorted(used.items(), key=lambda item: attrs.astuple(item[0])):
                    unit.add(self.cycles[unit.name], product, count)

    def _evaluate(self, epoch: float, loss: float) -> None:
        self.evaluations.append(
            Evaluation(
                epoch=epoch,
                quality=self.quality(self.validation),
                loss=loss,
                macs=self.macs * round(epoch * self.steps),
                cycles={name: cycles.to_json() for name, cycles in self.cycles.items()},
                improvements={} if self.controller is None else _quantiles(self.controller),
            )
        )

    def quality(self, part: Part) -> float:
        """Accuracy in per cent, or perplexity."""
        self.network.eval()
        if self.engine is not None:
            self.engine.counting = False
        total = torch.zeros((), dtype=torch.float64)
        with torch.no_grad():
            for inputs, labels in zip(part.inputs.split(EVALUATED), part.labels.split(EVALUATED), strict=True):
                logits = self.network(inputs)
                if self.run.text:
                    total += functional.cross_entropy(logits.flatten(0, -2), labels.flatten(), reduction="sum")
                else:
                    total += (logits.argmax(-1) == labels).sum()
        if self.engine is not None:
            self.engine.counting = True
        mean = total.item() / part.labels.numel()
        return math.exp(min(mean, 100)) if self.run.text else 100 * mean

    @property
    def sha256(self) -> str:
        """Hash of all parameters and statistics."""
        digest = hashlib.sha256()
        for name, value in self.network.state_dict().items():
            if isinstance(value, Tensor):
                digest.update(name.encode() + value.contiguous().numpy().tobytes())
        return digest.hexdigest()

    def save(self, file: Path) -> None:
        """Write a checkpoint, or leave the old one."""
        file.parent.mkdir(parents=True, exist_ok=True)
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "controller": self.controller.state_dict() if self.controller else None,
            "rounding": self.rounding.generator.get_state() if self.rounding else None,
            "order": self.order.get_state(),
            "epoch": self.epoch,
            "evaluations": [attrs.asdict(one) for one in self.evaluations],
            "cycles": {name: cycles.to_json() for name, cycles in self.cycles.items()},
        }
        partial = file.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, file)

    def load(self, file: Path) -> None:
        """Restore a checkpoint, if there is a readable one."""
        try:
            state = torch.load(file, weights_only=True)
        except (FileNotFoundError, EOFError, RuntimeError, pickle.UnpicklingError):
            return
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.controller:
            self.controller.load_state_dict(state["controller"])
        if self.rounding:
            self.rounding.generator.set_state(state["rounding"])
        self.order.set_state(state["order"])
        self.epoch = state["epoch"]
        self.evaluations = [Evaluation(**one) for one in state["evaluations"]]
        self.cycles = {name: Cycles(**cycles) for name, cycles in state["cycles"].items()}


def _quantiles(controller: Controller) -> dict[str, list[float]]:
    """Quantiles of the measured relative improvements, by the kinds of the operands."""
    found: dict[str, list[float]] = {}
    for name, value in controller.improvement().items():
        found.setdefault(name.split(".")[-2], []).append(value)
    return {kind: np.quantile(found[kind], QUANTILES).tolist() for kind in KINDS if kind in found}


def _loss(network: nn.Module, inputs: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(network(inputs).flatten(0, -2), labels.flatten())


def _products(network: nn.Module, batch: Part) -> Counter[Product]:
    """Products of a step, counted by an engine."""
    engine, own = CountingEngine(FORMATS["fixed-4"].config), copy.deepcopy(network)
    quantize_(own, BFP(), engine=engine)
    _loss(own, batch.inputs, batch.labels).backward()
    return engine.used
