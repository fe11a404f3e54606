"""Cost and error of each layer of a run."""

import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from rich.table import Table

from lowtide.config import Config
from lowtide.versions import versions
from lowtide_model.layer_cost import Cost, Setting, layer_costs
from lowtide_model.layer_cost import Layer as SizedLayer
from lowtide_onnx.layer_report import LayerReport, decibels, decibels_text, plain
from lowtide_onnx.picture import draw
from lowtide_onnx.placement import Placed
from lowtide_onnx.run import Run
from lowtide_onnx.sessions import Values
from lowtide_onnx.tables import new_table, print_table, table_text

__all__ = ["Outputs", "Report", "make_report"]

FIGURES = ("MMAC", "Bits", "Cycles", "MB A", "MB B", "MB out", "SQNR\nlayer", "SQNR\nnetwork")


@attrs.frozen(kw_only=True)
class Report:
    """Cost and error of a network. Its text is a table.

    Parameters
    ----------
    title : str
        Name of the file.
    config : Config
        Engine.
    packed : bool
        Whether operands arrive as packed groups in the cycle model.
    layers : tuple of LayerReport
        Layers in order.
    total : Cost, optional
        Sum of the costs on the engine.
    predicted : mapping of str to array
        Outputs of the network.
    outputs : mapping of str to float
        Ratio of signal to quantization noise of each output in dB.
    scores : mapping of str to float
        Metric of the outputs in FP32, and of the engine's outputs.
    """

    title: str
    config: Config
    packed: bool
    layers: tuple[LayerReport, ...]
    total: Cost | None
    predicted: Mapping[str, Any]
    outputs: Mapping[str, float]
    scores: Mapping[str, float]

    def __str__(self) -> str:
        return "\n".join([table_text(self.table()), *self.sentences()])

    def table(self) -> Table:
        """All layers, and their sum."""
        array, lanes = self.config.array, self.config.bfp.lanes
        form = "packed operands" if self.packed else "FP32 operands"
        title = f"{self.title}: {array.rows} × {array.columns} elements of {lanes} lanes, {form}"
        table = new_table(title, ("Layer", "Operation", "M × K × N", "Limit"), FIGURES)
        for one in self.layers:
            size = f"{one.m} × {one.k} × {one.n}" + (f", {one.count} times" if one.count > 1 else "")
            limits = "on the host" if one.cost is None else ", ".join(one.cost.limits)
            bits = "FP32" if one.bits is None else f"{one.bits[0]} × {one.bits[1]}"
            errors = decibels_text(one.sqnr), decibels_text(one.network_sqnr)
            table.add_row(one.label, one.operation, size, limits, *_figures(one.macs, bits, one.cost), *errors)
        if self.layers:
            macs = sum(one.macs for one in self.layers)
            table.add_row("all", "", "", "", *_figures(macs, "", self.total), "", "")
        return table

    def sentences(self) -> list[str]:
        """Error of the outputs, and scores."""
        found = [f"Output {name}: SQNR {decibels_text(value)} dB" for name, value in self.outputs.items()]
        if self.scores:
            found.append(f"Metric: {self.scores['engine']:.4g}; in FP32 {self.scores['fp32']:.4g}")
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "model": self.title,
            "versions": versions(),
            "config": self.config.to_tables(),
            "operands": "packed" if self.packed else "fp32",
            "layers": [one.to_json() for one in self.layers],
            "total": None if self.total is None else self.total.to_json(),
            "macs": sum(one.macs for one in self.layers),
            "outputs": {name: plain(value) for name, value in self.outputs.items()},
            "scores": dict(self.scores),
        }

    def json(self) -> str:
        """The report as JSON."""
        return json.dumps(self.to_json(), indent=2, allow_nan=False)

    def print(self) -> None:
        """Print the table, framed on a terminal, and the sentences."""
        print_table(self.table())
        for line in self.sentences():
            print(line)

    def save(self, file: str | Path) -> None:
        """Write the outputs of the network to a NumPy file ``.npz``."""
        arrays = {name: value for name, value in self.predicted.items() if isinstance(value, np.ndarray)}
        # `np.savez` takes the names as keywords, and cannot store an array that is named `file`.
        with Path(file).open("wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, value in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, value, allow_pickle=False)

    def plot(self, file: str | Path) -> None:
        """Draw the cycles and the error of each layer.

        Raises
        ------
        MissingPackage
            If Matplotlib is not installed.
        """
        draw(self.title, self.layers, Path(file))


@attrs.frozen(kw_only=True, eq=False)
class Outputs:
    """Tensors of a run on an engine, and of onnxruntime's run in FP32; names of the outputs."""

    found: Values
    expected: Values
    names: Sequence[str]

    def sqnr(self, name: str) -> float:
        """Ratio of signal to quantization noise of a tensor in dB; NaN if the tensor has no floating-point numbers."""
        return decibels(*self.energies(name))

    def energies(self, name: str) -> tuple[float, float]:
        """Energies of a tensor in FP32 and of its error; NaN if the tensor has no floating-point numbers."""
        found, expected = self.found[name], self.expected[name]
        if not isinstance(found, np.ndarray) or found.dtype.kind != "f" or found.shape != expected.shape:
            return math.nan, math.nan
        exact = expected.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            return float(np.square(exact).sum()), float(np.square(exact - found).sum())


def make_report(
    *,
    config: Config,
    title: str,
    nodes: Sequence[Placed],
    run: Run,
    results: Outputs,
    packed: bool,
    scores: Mapping[str, float],
) -> Report:
    """The report of a finished run."""
    placed = {one.name: one for one in nodes}
    costs = iter(_costs(config, run, packed))
    layers = []
    for (name, product, m, k, n), tally in run.tallies.items():
        bits, node = run.bits[name], placed[name]
        output = next(tensor for tensor in node.node.output if tensor)
        layers.append(
            LayerReport(
                name=name,
                product=product,
                operation=node.operation,
                m=m,
                k=k,
                n=n,
                count=tally.count,
                bits=bits,
                cost=None if bits is None else next(costs),
                sqnr=decibels(tally.signal, tally.noise),
                network_sqnr=results.sqnr(output),
            )
        )
    found = [one.cost for one in layers if one.cost is not None]
    return Report(
        title=title,
        config=config,
        packed=packed,
        layers=tuple(layers),
        total=Cost.total(found) if found else None,
        predicted={name: results.found[name] for name in results.names},
        outputs={name: results.sqnr(name) for name in results.names},
        scores=scores,
    )


def _costs(config: Config, run: Run, packed: bool) -> list[Cost]:
    """Costs of the products on the engine; all products follow each other without a pause."""
    layers, settings = [], []
    for (name, _, m, k, n), tally in run.tallies.items():
        bits = run.bits[name]
        if bits is not None:
            layers.append(SizedLayer(name="layer", m=m, k=k, n=n, count=tally.count))
            settings.append(Setting(bits_a=bits[0], bits_b=bits[1], packed=packed))
    return layer_costs(config, layers, settings) if layers else []


def _figures(macs: int, bits: str, cost: Cost | None) -> tuple[str, ...]:
    if cost is None:
        return f"{macs / 1e6:,.2f}", bits, "", "", "", ""
    megabytes = (f"{count / 1e6:.3f}" for count in (cost.bytes_a, cost.bytes_b, cost.bytes_out))
    return f"{macs / 1e6:,.2f}", bits, f"{cost.cycles:,}", *megabytes
