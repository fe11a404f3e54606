"""Training step by step: equal bits on every engine, and after every interruption."""

import base64
import hashlib
import math
from collections.abc import Callable
from typing import Any, Protocol

import attrs
import numpy as np
from threadpoolctl import threadpool_limits

from lowtide_model import Improvement
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.panels import MatrixEngine
from lowtide_studies.engine_training.log import Log
from lowtide_studies.engine_training.products import BASELINES, BaselineProducts, EngineProducts, Work
from lowtide_studies.engine_training.run import Run
from lowtide_studies.engine_training.schedule import Last, Use, uses
from lowtide_studies.networks.digits import Digits, Images
from lowtide_studies.networks.network import Network, accuracy, cross_entropy, network
from lowtide_studies.networks.products import NetworkProducts
from lowtide_studies.networks.training import descend, resting

__all__ = ["Diverged", "Step", "Trained", "images_of", "train", "weights_hash"]

VALIDATION = 287
"""Training images that a run for validation excludes from training."""


class Diverged(ArithmeticError):
    """A loss is not finite; the message is one line."""


class StepProducts(NetworkProducts, Protocol):
    """Products of an engine or of a baseline, which depend on the step."""

    last: dict[Use, Last]
    work: Work

    def begin(self, step: int) -> None: ...

    def end(self) -> None: ...


@attrs.frozen(kw_only=True)
class Step:
    """Record of a step, from 0, with the mean cross-entropy of its images and its `Work`.

    The keys of uses have chunks and ratios: low_sum and high_sum, if the schedule measures.
    """

    step: int
    loss: float
    chunks: dict[str, int]
    ratios: dict[str, list[int]]
    pairs: int
    beats: int
    cycles: int | None


@attrs.frozen(kw_only=True)
class Trained:
    """Result of a run.

    Parameters
    ----------
    accuracy, loss : float
        Share of recognized held-out or validation images, and mean cross-entropy of the training images, at the end.
    sha256 : str
        Hash of the final weights and biases.
    accuracies : list of list
        Numbers of finished steps, each with the accuracy.
    """

    accuracy: float
    loss: float
    sha256: str
    steps: list[Step]
    accuracies: list[list[float]]


def train(
    run: Run,
    engine: MatrixEngine | None = None,
    log: Log | None = None,
    *,
    checkpoint: int = 10,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Trained:
    """Train by gradient descent with momentum; the host computes everything but products, in FP32.

    Parameters
    ----------
    run : Run
        Parameters that determine the result.
    engine : MatrixEngine, optional
        Engine of all products, the golden engine by default. Baselines need no engine.
    log : Log, optional
        Log of steps: an interrupted run resumes from its last checkpoint.
    checkpoint : int
        Steps from one checkpoint to the next.
    progress : callable
        Called after each step with the number of finished steps and of all steps.

    Raises
    ------
    Diverged
        If a loss is not finite.
    """
    # Threads would change sums of plain products, and cost more time than they save at this size.
    with threadpool_limits(1):
        return _Training(run, engine or GoldenEngine(run.config), log, checkpoint).finish(progress)


def weights_hash(trained: Network) -> str:
    """SHA-256 of weights and bias of each layer in order, as little-endian FP32."""
    digest = hashlib.sha256()
    for layer in trained.layers:
        for array in (layer.weights, layer.bias):
            digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()


class _Training:
    """State of a run."""

    def __init__(self, run: Run, engine: MatrixEngine, log: Log | None, checkpoint: int):
        self.run, self.log, self.checkpoint = run, log, checkpoint
        self.network = network(run.network, run.seed)
        self.velocities = resting(self.network)
        self.products: StepProducts
        if run.schedule in BASELINES:
            self.products = BaselineProducts(BASELINES[run.schedule], run.config)
        else:
            schedule = run.make_schedule()
            self.products = EngineProducts(
                engine, schedule, layers=len(self.network.layers), steps=run.steps, seed=run.seed
            )
        self.learnt, self.unseen = images_of(run)
        self.steps: list[Step] = []
        self.accuracies: list[list[float]] = []

    def finish(self, progress: Callable[[int, int], None]) -> Trained:
        """Run the remaining steps."""
        final = self._resume()
        for number in range(len(self.steps), self.run.steps):
            progress(number, self.run.steps)
            self._step(number)
            done = number + 1
            if done % self.run.evaluate == 0 or done == self.run.steps:
                self.accuracies.append([done, self._accuracy()])
                self._append(accuracy=self.accuracies[-1])
            if done % self.checkpoint == 0 or done == self.run.steps:
                self._append(state=self._state())
        progress(self.run.steps, self.run.steps)
        if final is None:
            scores = self.network.scores(self.learnt.pixels, self.products)
            final = {"loss": cross_entropy(scores, self.learnt.labels)[0]}
            self._append(final=final)
        return Trained(
            accuracy=self.accuracies[-1][1],
            loss=final["loss"],
            sha256=weights_hash(self.network),
            steps=self.steps,
            accuracies=self.accuracies,
        )

    def _step(self, number: int) -> None:
        run, products = self.run, self.products
        which = self._batch(number)
        products.begin(number)
        loss, gradients = self.network.gradients(self.learnt.pixels[which], self.learnt.labels[which], products)
        if not math.isfinite(loss):
            raise Diverged(f"the loss of step {number} is {loss}: a smaller rate than {run.rate:g} may help")
        products.end()
        descend(self.network, self.velocities, gradients, np.float32(run.rate_of(number)), np.float32(run.momentum))
        last = products.last
        step = Step(
            step=number,
            loss=loss,
            chunks={use.key: had.chunks for use, had in last.items()},
            ratios={use.key: [had.ratio.low_sum, had.ratio.high_sum] for use, had in last.items() if had.ratio},
            **attrs.asdict(products.work),
        )
        self.steps.append(step)
        self._append(step=attrs.asdict(step))

    def _batch(self, number: int) -> np.ndarray:
        """Images of a step; each pass over the images has its own order."""
        of_a_pass = -(-len(self.learnt) // self.run.batch)
        order = np.random.default_rng([self.run.seed, 1, number // of_a_pass]).permutation(len(self.learnt))
        start = number % of_a_pass * self.run.batch
        return order[start : start + self.run.batch]

    def _accuracy(self) -> float:
        return accuracy(self.network.scores(self.unseen.pixels, self.products), self.unseen.labels)

    def _append(self, **entry: Any) -> None:
        if self.log:
            self.log.append(entry)

    def _arrays(self) -> list[np.ndarray]:
        """Arrays that a step changes in place."""
        weights = [array for layer in self.network.layers for array in (layer.weights, layer.bias)]
        return weights + [array for pair in self.velocities for array in pair]

    def _state(self) -> dict[str, Any]:
        held = {use.key: last.held for use, last in self.products.last.items()}
        arrays = [base64.b64encode(array.astype("<f4").tobytes()).decode() for array in self._arrays()]
        return {"arrays": arrays, "held": held}

    def _resume(self) -> dict[str, Any] | None:
        """Restore the last checkpoint of the log; return the final entry, if there is one."""
        if self.log is None:
            return None
        entries = self.log.entries
        final = next((entry["final"] for entry in entries if "final" in entry), None)
        kept = max((n + 1 for n, entry in enumerate(entries) if "state" in entry), default=0)
        self.log.rewind(kept + (final is not None))
        for entry in entries[:kept]:
            if "step" in entry:
                self.steps.append(Step(**entry["step"]))
            elif "accuracy" in entry:
                self.accuracies.append(entry["accuracy"])
        if kept:
            self._restore(entries[kept - 1]["state"])
        return final

    def _restore(self, state: dict[str, Any]) -> None:
        for array, text in zip(self._arrays(), state["arrays"], strict=True):
            array[...] = np.frombuffer(base64.b64decode(text), "<f4").reshape(array.shape)
        self.products.begin(len(self.steps) - 1)
        self.products.end()
        step = self.steps[-1]
        for use in uses(len(self.network.layers)):
            if use.key in step.chunks:
                ratio = step.ratios.get(use.key)
                self.products.last[use] = Last(
                    chunks=step.chunks[use.key],
                    ratio=Improvement(low_sum=ratio[0], high_sum=ratio[1]) if ratio else None,
                    held=state["held"][use.key],
                )


def images_of(run: Run) -> tuple[Images, Images]:
    """Images for training, and images for accuracy."""
    digits = Digits.load()
    if not run.validation:
        return digits.training, digits.held_out
    count = len(digits.training) - VALIDATION
    return digits.training.first(count), digits.training.take(slice(count, None))
