"""A network: its nodes, its runs, and their cost."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto
from rich.table import Table

from lowtide.config import Config
from lowtide.engine.operand import ROUNDINGS
from lowtide.formats.parameter import choice, whole_number
from lowtide_model.engine.panels import MatrixEngine
from lowtide_onnx.check import Checked, check_nodes, every_output
from lowtide_onnx.engines import engine_of
from lowtide_onnx.inputs import Port, checked_inputs, checked_runs, ports_of, random_inputs
from lowtide_onnx.model_file import read_model, with_tensors, write_model
from lowtide_onnx.operand import size_text
from lowtide_onnx.placement import Placed, place_nodes, remove_unused
from lowtide_onnx.precision import Precision, precision_of
from lowtide_onnx.report import Outputs, Report, make_report
from lowtide_onnx.run import Progress, Run
from lowtide_onnx.sessions import Values, make_session, run_session
from lowtide_onnx.steps import partition, stored_values
from lowtide_onnx.tables import new_table, table_text
from lowtide_onnx.tuning import tunable_layers, tune_weights

__all__ = ["Network"]


def _no_progress(_done: float, _of: int, _name: str) -> None:
    pass


class Network:
    """An ONNX network on an engine: `lowtide_onnx.load_onnx` loads one.

    Parameters
    ----------
    path : str or Path
        ONNX file.
    config : Config
        Configuration of the engine.
    model : ModelProto, optional
        The model, as `lowtide_onnx.model_file.read_model` reads it; by default it is read from the file.

    Attributes
    ----------
    config : Config
        Configuration of the engine.
    inputs : list of Port
        Inputs, with types and shapes.
    outputs : list of str
        Names of the outputs.
    nodes : list of Placed
        All nodes, and their places.
    """

    def __init__(self, path: str | Path, config: Config, model: ModelProto | None = None):
        self.path, self.config = Path(path), config
        self._model = read_model(self.path) if model is None else model
        remove_unused(self._model)
        self.inputs: list[Port] = ports_of(self._model)
        self.outputs = [one.name for one in self._model.graph.output]
        self.nodes: list[Placed] = place_nodes(self._model)
        self._steps = partition(self._model, self.nodes)
        self._stored = stored_values(self._model, self._steps)

    @property
    def layers(self) -> list[str]:
        """Names of the nodes on the engine, in order."""
        return [one.name for one in self.nodes if one.where == "engine"]

    @property
    def refused(self) -> list[str]:
        """Names of the refused nodes."""
        return [one.name for one in self.nodes if one.where == "refused"]

    @property
    def tunable(self) -> list[str]:
        """Names of the layers whose weights `tuned` changes, if they have bits."""
        return tunable_layers(self._steps, self._stored)

    def __repr__(self) -> str:
        return f"Network({str(self.path)!r}, {len(self.layers)} layers, {len(self.refused)} refused nodes)"

    def __str__(self) -> str:
        return table_text(self.table())

    def table(self) -> Table:
        """Each node on the engine, each refused node, and the operations of the host."""
        table = new_table(self.path.name, ("Node", "Operation", "Where", "M × K × N or reason"), ())
        for one in self.nodes:
            if one.where == "engine":
                table.add_row(one.name, one.operation, "engine", size_text(one.sizes))
            elif one.where == "refused":
                table.add_row(one.name, one.operation, "refused", one.reason)
        host = Counter(one.operation for one in self.nodes if one.where == "host")
        for operation, count in host.most_common():
            table.add_row(f"{count} node{'s' * (count > 1)}", operation, "host", "")
        return table

    def to_json(self) -> dict[str, Any]:
        """Inputs, outputs and nodes as plain values."""
        return {
            "model": self.path.name,
            "inputs": [{"name": one.name, "type": one.kind, "shape": one.shape} for one in self.inputs],
            "outputs": self.outputs,
            "nodes": [
                {"name": one.name, "operation": one.operation, "where": one.where}
                | ({"m_k_n": one.sizes} if one.where == "engine" else {})
                | ({"reason": one.reason} if one.reason else {})
                for one in self.nodes
            ],
        }

    def random_inputs(self, seed: int = 1, shapes: Mapping[str, Sequence[int]] | None = None) -> dict[str, np.ndarray]:
        """Random inputs of the model's shapes: see `lowtide_onnx.inputs.random_inputs`."""
        return random_inputs(self.inputs, seed, shapes)

    def predict(
        self,
        inputs: Any,
        precision: Precision = None,
        on: str | MatrixEngine = "golden",
        *,
        rounding: str = "nearest",
        seed: int = 0,
        progress: Progress = _no_progress,
    ) -> dict[str, Any]:
        """Outputs of the network, with all products of its layers on an engine.

        Parameters
        ----------
        inputs : mapping of str to array, or array
            Inputs by name; an array for a network with one input.
        precision : int, tuple, str or mapping, optional
            Magnitude bits of both operands, or of A and of B, or ``fp32`` for the host. A mapping has names or patterns
            of layers: `lowtide_model.precision_file.read_precision` reads one. A name selects before a pattern, an
            earlier pattern before a later one, and ``*`` last. A layer that nothing selects has the mantissa of the
            engine.
        on : str or MatrixEngine
            ``golden``, ``verilator``, or an engine, such as a `lowtide_boards.Device`.
        rounding : str
            ``truncate``, ``nearest`` or ``stochastic``.
        seed : int
            Seed of the random words.
        progress : callable
            Called with the finished layers, the number of layers, and the name of the layer.

        Returns
        -------
        dict of str to array
            Outputs by name.

        Raises
        ------
        InputError
            If a name, type or shape of an input differs.
        IllegalValue
            If the engine does not have a precision, or a pattern selects nothing.
        RefusedNode
            If the precision does not leave a refused node to the host, or K exceeds the sums on chip.
        NonFinite
            If an input has a NaN, or an operand a NaN or an infinity.
        """
        values = self._values(inputs)
        run = Run(
            bits=precision_of(precision, self.nodes, self.config),
            rounding=choice("rounding", rounding, ROUNDINGS),
            seed=whole_number("seed", seed, range(2**32)),
            progress=progress,
            engine=engine_of(on, self.config),
        )
        return self._outputs(run.finish(self._steps, values))

    def tuned(
        self,
        inputs: Any,
        precision: Precision = None,
        *,
        batch: int | None = None,
        progress: Progress = _no_progress,
    ) -> "Network":
        """A copy with weights that are tuned for few bits: see `lowtide_onnx.tuning.tune_weights`.

        No labels are needed. The weights depend on the sums of NumPy's BLAS in FP32, so their last bits may differ
        between machines.

        Parameters
        ----------
        inputs : mapping of str to array, or array
            Samples: inputs as of `predict`. Some dozens suffice if layers see many rows of each; others need hundreds.
        precision, progress
            See `predict`.
        batch : int, optional
            Samples of a run, which limits the memory: the first dimension of all inputs is then the samples. By default
            all samples are one run.

        Raises
        ------
        ValueError
            As `predict`; or if ``batch`` is not positive.
        InputError
            If with ``batch``, the inputs do not have equally many samples.
        RefusedNode, NonFinite
            As `predict`.
        """
        bits = precision_of(precision, self.nodes, self.config)
        runs = checked_runs(self.inputs, inputs, batch)
        new = tune_weights(self.config, self._steps, self._stored, runs, bits, progress)
        return Network(self.path, self.config, with_tensors(self._model, new))

    def save(self, path: str | Path) -> None:
        """Write the model as an ONNX file.

        Raises
        ------
        ModelError
            If the file cannot be written, or exceeds the 2 GB of an ONNX file.
        """
        write_model(self._model, Path(path))

    def check(self, inputs: Any = None) -> Checked:
        """Compare each node with onnxruntime's run of the whole model; products are sums in float64 on the host.

        The check concerns the partitioning of the model, the windows of convolutions and the gates of recurrent layers,
        and not the engine.

        Parameters
        ----------
        inputs : mapping of str to array, or array, optional
            Inputs; by default random.

        Raises
        ------
        NodeDiffers
            If a node differs by more than its bound; the message names the first such node.
        """
        values = self._values(self.random_inputs() if inputs is None else inputs)
        steps = partition(self._model, self.nodes, every_tensor=True)
        return check_nodes(self._model, steps, values)

    def report(
        self,
        inputs: Any = None,
        precision: Precision = None,
        *,
        on: str | MatrixEngine = "golden",
        labels: Any = None,
        metric: Callable[[Any, Any], float] | None = None,
        operands: str = "fp32",
        rounding: str = "nearest",
        seed: int = 0,
        progress: Progress = _no_progress,
    ) -> Report:
        """Cost and error of each layer, of a run.

        Parameters
        ----------
        inputs : mapping of str to array, or array, optional
            Inputs; by default random.
        precision, on, rounding, seed, progress
            See `predict`.
        labels, metric : optional
            ``metric(outputs, labels)`` is computed of the outputs of the engine, and of onnxruntime's outputs in FP32.
            The outputs of a network with one output are an array, otherwise a dict.
        operands : str
            Form of the operands on the streams of the cycle model: ``fp32``, or ``packed`` groups.

        Raises
        ------
        ValueError
            As `predict`; or if ``operands`` are packed, and the engine does not take packed operands.
        """
        given = self.random_inputs() if inputs is None else inputs
        values = self._values(given)
        run = Run(
            bits=precision_of(precision, self.nodes, self.config),
            rounding=choice("rounding", rounding, ROUNDINGS),
            seed=whole_number("seed", seed, range(2**32)),
            progress=progress,
            measure=True,
            engine=engine_of(on, self.config),
        )
        forms = ("fp32", "packed") if self.config.engine.packed_operands else ("fp32",)
        operands = choice("operands", operands, forms, "engine.packed_operands" if len(forms) == 1 else "")
        expected = run_session(self._whole, values)
        found = run.finish(self._steps, values)
        scores = {}
        if metric is not None:
            for name, of in (("fp32", expected), ("engine", found)):
                shown = self._outputs(of)
                scores[name] = float(metric(shown[self.outputs[0]] if len(shown) == 1 else shown, labels))
        return make_report(
            config=self.config,
            title=self.path.name,
            nodes=self.nodes,
            run=run,
            results=Outputs(found=found, expected=expected, names=self.outputs),
            packed=operands == "packed",
            scores=scores,
        )

    @cached_property
    def _whole(self) -> Any:
        """The model, which also returns the outputs of its layers."""
        names = [name for one in self.nodes if one.where == "engine" for name in one.node.output if name]
        return make_session(every_output(self._model, names))

    def _values(self, inputs: Any) -> Values:
        return {**self._stored, **checked_inputs(self.inputs, inputs)}

    def _outputs(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: values[name] for name in self.outputs}
