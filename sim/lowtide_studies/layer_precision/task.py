"""One evaluation of the study: a network's quality with given bits, and the cost of the bits."""

import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from threadpoolctl import threadpool_limits

from lowtide.config import Config
from lowtide.errors import CommandError
from lowtide.formats.parameter import IllegalValue
from lowtide_model.layer_cost import Layer, Setting, layer_costs
from lowtide_onnx import load_onnx
from lowtide_onnx.files import read_array, read_inputs
from lowtide_studies.layer_precision.metrics import METRICS
from lowtide_studies.layer_precision.search import Point

if TYPE_CHECKING:
    from lowtide_onnx.network import Network

__all__ = ["Costs", "Task", "evaluate", "noise_of", "tuned_network"]


@attrs.frozen(kw_only=True)
class Task:
    """A network, its inputs, and how to measure its output, as plain values that processes can share.

    Parameters
    ----------
    model, inputs : str
        ONNX file; ``.npz`` file with an array per input.
    labels : str, optional
        ``.npy`` file of labels: one for each place of the output; for ``characters``, a row of classes per sample.
    output : str, optional
        Name of the measured output; the first one by default.
    metric : str
        Of ``METRICS``.
    config : str
        Configuration of the engine, as JSON.
    batch : int, optional
        Samples of a run of the network, which shares its exponents' bias; by default all.
    tuning : int
        Samples that tune the weights for the bits of a point: the first ones, which measure nothing. 0 for none.
    digest : str
        SHA-256 of the files.
    """

    model: str
    inputs: str
    labels: str | None
    output: str | None
    metric: str
    config: str
    batch: int | None
    tuning: int
    digest: str

    @classmethod
    def of(
        cls,
        config: Config,
        *,
        model: str,
        inputs: str,
        labels: str | None,
        output: str | None,
        metric: str,
        batch: int | None = None,
        tuning: int = 0,
    ) -> "Task":
        """A task of the files as they are now.

        Raises
        ------
        CommandError
            If a file cannot be read.
        """
        digest = hashlib.sha256()
        for file in (model, inputs, *([] if labels is None else [labels])):
            try:
                digest.update(Path(file).read_bytes())
            except OSError as error:
                raise CommandError(f"cannot read {file}: {error.strerror}") from None
        return cls(
            model=model,
            inputs=inputs,
            labels=labels,
            output=output,
            metric=metric,
            config=json.dumps(config.to_tables()),
            batch=batch,
            tuning=tuning,
            digest=digest.hexdigest(),
        )

    @property
    def loaded(self) -> "_Loaded":
        """The network with its inputs, loaded once per process."""
        return _load(self)

    def precision(self, bits: Sequence[int]) -> dict[str, Any]:
        """Bits of each layer; nodes that no engine computes run on the host."""
        layers = zip(self.loaded.network.layers, zip(bits[::2], bits[1::2], strict=True), strict=True)
        return {**dict(layers), **self.host()}

    def host(self) -> dict[str, str]:
        """Nodes that no engine computes, on the host."""
        return dict.fromkeys(self.loaded.network.refused, "fp32")


@attrs.frozen(kw_only=True, eq=False)
class _Loaded:
    """The network of a task, its inputs, its output in FP32, and what the metric compares the output with.

    The samples that tune the weights are separate.
    """

    network: "Network"
    output: str
    inputs: dict[str, np.ndarray]
    tuning: dict[str, np.ndarray]
    expected: np.ndarray
    truth: np.ndarray


@functools.lru_cache(maxsize=2)
def _load(task: Task) -> _Loaded:
    network = load_onnx(task.model, Config.from_tables(json.loads(task.config)))
    output = network.outputs[0] if task.output is None else task.output
    if output not in network.outputs:
        raise IllegalValue("output-name", f"one of {', '.join(network.outputs)}", output)
    inputs = read_inputs(task.inputs)
    option = "--batch" if task.batch is not None else "--tuning" if task.tuning else None
    tuning = {name: values[: task.tuning] for name, values in inputs.items() if np.ndim(values)}
    if option is not None:
        samples = {np.shape(values)[:1] for values in inputs.values()}
        if len(samples) != 1 or min(samples) < (1,):
            raise CommandError(f"{task.inputs} must have inputs of equally many samples with {option}")
        ((count,),) = samples
        if count < task.tuning + 2:
            raise CommandError(f"{task.inputs} must have {task.tuning + 2} samples or more, not {count}")
        inputs = {name: values[task.tuning :] for name, values in inputs.items()}
    fp32 = dict.fromkeys([*network.layers, *network.refused], "fp32")
    expected = _outputs(network, inputs, output, fp32, task.batch)
    if not isinstance(expected, np.ndarray) or expected.ndim < 2 or expected.dtype.kind != "f":
        raise IllegalValue("output-name", "an output of samples × classes, or of samples × steps × classes", output)
    if len(expected) < 2:
        raise CommandError(f"{task.inputs} must have two samples or more, not {len(expected)}")
    truth = expected if task.labels is None else _labels(task.labels, expected, task)
    return _Loaded(network=network, output=output, inputs=inputs, tuning=tuning, expected=expected, truth=truth)


def _labels(file: str, expected: np.ndarray, task: Task) -> np.ndarray:
    """Labels of the samples that measure: one for each place of the output, or rows of characters."""
    labels, count = read_array(file), task.tuning + len(expected)
    if task.metric == "characters":
        if labels.ndim != 2 or len(labels) != count:
            raise CommandError(f"{file} must have a row of characters for each of the {count} samples")
        if labels.dtype.kind not in "iu":
            raise CommandError(f"{file} must have integers, the classes of the characters")
    elif labels.shape != (count, *expected.shape[1:-1]):
        raise CommandError(f"{file} must have labels of the shape {(count, *expected.shape[1:-1])}, as the output")
    return labels[task.tuning :]


def _outputs(
    network: "Network", inputs: dict[str, np.ndarray], output: str, precision: dict[str, Any], batch: int | None
) -> Any:
    """An output of all samples, from one run of the network or, with a batch, from several."""
    if batch is None:
        return network.predict(inputs, precision)[output]
    runs = _batches(inputs, batch)
    found = np.concatenate([network.predict(_chosen(inputs, run), precision)[output] for run in runs])
    return found[np.argsort(np.concatenate(runs))]


def _batches(inputs: dict[str, np.ndarray], batch: int) -> list[np.ndarray]:
    """Batches of the samples of the search, then of the others."""
    samples = np.arange(len(next(iter(inputs.values()))))
    parts = samples[::2], samples[1::2]
    return [part[start : start + batch] for part in parts for start in range(0, len(part), batch)]


def _chosen(inputs: dict[str, np.ndarray], samples: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[samples] for name, values in inputs.items()}


# Threads would change the order of sums, and so the weights.
@threadpool_limits.wrap(limits=1)
def tuned_network(task: Task, bits: Sequence[int]) -> "Network":
    """The network of a task, with weights that are tuned for the bits of a point if the task has samples for it."""
    network = task.loaded.network
    return network.tuned(task.loaded.tuning, task.precision(bits), batch=task.batch) if task.tuning else network


def evaluate(task: dict[str, Any], bits: Sequence[int] | None, tuned: bool = True) -> dict[str, float]:
    """Quality of a task's network with the bits of a point, or in FP32.

    Parameters
    ----------
    task : dict
        Fields of a `Task`.
    bits : sequence of int, optional
        Bits of a point; None for FP32.
    tuned : bool
        Whether the weights are tuned, if the task has samples for it.

    Returns
    -------
    dict of str to float
        ``quality`` of the samples of the search: each second one, from the first; ``tested`` of the others; and
        ``noise``, the energy of the output's error over the energy of the output, of the samples of the search.
    """
    asked = Task(**task)
    loaded, metric = asked.loaded, METRICS[asked.metric]
    found = loaded.expected
    if bits is not None:
        network = tuned_network(asked, bits) if tuned else loaded.network
        found = _outputs(network, loaded.inputs, loaded.output, asked.precision(bits), asked.batch)
    searched, others = slice(0, None, 2), slice(1, None, 2)
    return {
        "quality": metric(found[searched], loaded.truth[searched]),
        "tested": metric(found[others], loaded.truth[others]),
        "noise": _noise(found[searched], loaded.expected[searched]),
    }


def noise_of(task: dict[str, Any], bits: Sequence[int]) -> float:
    """The noise of a point without tuned weights, on the first batch of the samples of the search; see `evaluate`."""
    asked = Task(**task)
    if asked.batch is None:
        return evaluate(task, bits, False)["noise"]
    loaded = asked.loaded
    first = _batches(loaded.inputs, asked.batch)[0]
    found = loaded.network.predict(_chosen(loaded.inputs, first), asked.precision(bits))[loaded.output]
    return _noise(found, loaded.expected[first])


def _noise(found: np.ndarray, expected: np.ndarray) -> float:
    exact = expected.astype(np.float64)
    return float(np.square(found - exact).sum() / max(np.square(exact).sum(), np.finfo(np.float64).tiny))


class Costs:
    """Cost of a point: cycles of the engine by the cycle model, or mean bits, weighted by multiplications.

    The cycles are the sum of the cycles of each layer, as if the engine were idle before each layer. With a batch, they
    are the cycles of the first run.

    Parameters
    ----------
    task : Task
        Network and engine.
    kind : str
        ``cycles`` or ``bits``.
    packed : bool
        Whether operands arrive as packed groups.
    """

    def __init__(self, task: Task, kind: str, packed: bool):
        self.config, self.kind, self.packed = Config.from_tables(json.loads(task.config)), kind, packed
        network, inputs = task.loaded.network, task.loaded.inputs
        if task.batch is not None:
            inputs = _chosen(inputs, _batches(inputs, task.batch)[0])
        self.products: dict[str, list[Layer]] = {name: [] for name in network.layers}
        for one in network.report(inputs, task.host()).layers:
            if one.name in self.products:
                product = Layer(name="layer", m=one.m, k=one.k, n=one.n, count=one.count)
                self.products[one.name].append(product)
        self.macs = {name: sum(one.macs for one in products) for name, products in self.products.items()}
        self._known: dict[tuple[str, int, int], int] = {}

    def __call__(self, point: Point) -> float:
        bits = list(zip(self.products, point[::2], point[1::2], strict=True))
        if self.kind == "cycles":
            return sum(self._cycles(*one) for one in bits)
        return sum(self.macs[name] * (a + b) / 2 for name, a, b in bits) / max(1, sum(self.macs.values()))

    def _cycles(self, name: str, a: int, b: int) -> int:
        if (name, a, b) not in self._known:
            products = self.products[name]
            setting = Setting(bits_a=a, bits_b=b, packed=self.packed)
            costs = layer_costs(self.config, products, setting) if products else []
            self._known[name, a, b] = sum(one.cycles for one in costs)
        return self._known[name, a, b]
