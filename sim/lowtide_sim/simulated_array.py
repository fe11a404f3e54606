"""Simulated array: multiplies tensors of the golden model with the emitted Verilog."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.emission import emit
from lowtide.formats.parameter import choice, instance
from lowtide_model import BfpTensor, quantize
from lowtide_model.tiling import Tiling
from lowtide_sim.simulator import SIMULATORS, simulate

__all__ = ["Product", "SimulatedArray"]

Progress = Callable[[int, int], None]


@attrs.frozen(kw_only=True, eq=False)
class Product:
    """Results and cycles of a product.

    Parameters
    ----------
    tiling : Tiling
        Tiling of the product.
    words : array of int64 or of Python integers (object)
        All words of all tiles, including padding.
    cycles : int
        Cycles from the first accepted beat to the last accepted row of results, inclusive.
    """

    tiling: Tiling
    words: np.ndarray
    cycles: int

    @property
    def acc(self) -> np.ndarray:
        """Accumulators of the product, M × N, in the form of `lowtide_model.matmul`."""
        M, N = self.tiling.shape
        return self.words[:M, :N]

    @property
    def beat_rate(self) -> float:
        """Accepted beats per cycle, on average."""
        return self.tiling.beats / self.cycles

    @property
    def utilization(self) -> float:
        """Share of element-cycles that contributed to a result.

        An element is busy in a cycle if it processes a beat of a requested result. It is idle while the array fills,
        drains or waits between tiles, and in rows or columns of padding.
        """
        array = self.tiling.config.array
        return self.tiling.busy / (array.rows * array.columns * self.cycles)


class SimulatedArray:
    """An array in a simulator.

    Parameters
    ----------
    config : Config
        Configuration to simulate.
    folder : Path
        Folder for Verilog, builds, logs and waveforms.
    simulator : str
        ``verilator`` or ``icarus``.
    waves : bool
        Record waveforms; each run replaces them.
    progress : callable, optional
        Called periodically with the number of completed beats and the number of all beats.

    Attributes
    ----------
    build_seconds, seconds, cycles
        Sums over all runs: time to build, time to simulate, and simulated cycles between first beats and last rows.
    record : Path or None
        Waveforms of the last run.
    """

    def __init__(
        self,
        config: Config,
        *,
        folder: Path,
        simulator: str = "verilator",
        waves: bool = False,
        progress: Progress | None = None,
    ):
        self.config, self.folder = instance("config", config, Config), instance("folder", folder, Path).resolve()
        self.simulator, self.waves, self.progress = choice("simulator", simulator, [*SIMULATORS]), waves, progress
        self.build_seconds, self.seconds, self.cycles = 0.0, 0.0, 0
        self.record: Path | None = None

    def build(self) -> None:
        """Build the simulation before the first product."""
        self.products([])

    def quantize(self, x: Any, *, mantissa: int, axis: int) -> BfpTensor:
        """Convert to the exponents and groups of this hardware, rounding to nearest, ties away from zero.

        Parameters
        ----------
        x : array of floats
            Tensor to convert.
        mantissa : int
            Width of a magnitude in bits.
        axis : int
            Axis along which elements are grouped: the last of A, the last but one of B.
        """
        return quantize(x, mantissa=mantissa, exponent=self.config.bfp.exponent, group=self.config.bfp.lanes, axis=axis)

    def matmul(self, a: BfpTensor, b: BfpTensor) -> Product:
        """Multiply two tensors of the golden model.

        Raises
        ------
        ValueError
            If the tensors are not matrices that this hardware can multiply.
        SimulationError, SimulatorMissing
            If the simulation fails, or cannot be built.
        """
        return self.products([(a, b)])[0]

    def products(self, operands: Iterable[tuple[BfpTensor, BfpTensor]]) -> list[Product]:
        """Multiply several pairs of tensors, one after another, in one run of the simulator.

        Raises
        ------
        ValueError
            If the tensors are not matrices that this hardware can multiply.
        SimulationError, SimulatorMissing
            If the simulation fails, or cannot be built.
        """
        tilings = [Tiling(a=a, b=b, config=self.config) for a, b in operands]
        self.folder.mkdir(parents=True, exist_ok=True)
        files = {name: self.folder / name for name in ("products.npz", "results.npz", "progress")}
        for file in files.values():
            file.unlink(missing_ok=True)
        np.savez(files["products.npz"], **_arrays(tilings))
        with self._watched(files["progress"], sum(tiling.beats for tiling in tilings)):
            simulation = simulate(
                verilog=self._verilog,
                sidecar=self._verilog.with_suffix(".json"),
                top=self._verilog.stem,
                test_module="lowtide_sim.bench.array.full_rate",
                folder=self.folder,
                simulator=self.simulator,
                parameters={
                    "products": str(files["products.npz"]),
                    "results": str(files["results.npz"]),
                    "progress": str(files["progress"]),
                    "count": len(tilings),
                },
                waves=self.waves,
            )
        with np.load(files["results.npz"]) as results:
            products = [
                Product(
                    tiling=tiling, words=tiling.words_of(results[f"results_{n}"]), cycles=int(results[f"cycles_{n}"])
                )
                for n, tiling in enumerate(tilings)
            ]
        self.build_seconds += simulation.build_seconds
        self.seconds += simulation.seconds
        self.record = simulation.waves
        self.cycles += sum(product.cycles for product in products)
        return products

    @cached_property
    def _verilog(self) -> Path:
        return emit(self.config, self.folder)[0]

    @contextmanager
    def _watched(self, file: Path, beats: int) -> Iterator[None]:
        """Report progress from a file that the bench writes, until the body ends."""
        if self.progress is None or not beats:
            yield
            return
        report, ended = self.progress, threading.Event()

        def watch() -> None:
            while not ended.wait(0.2):
                text = file.read_text(encoding="utf-8") if file.exists() else ""
                if text:
                    report(int(text), beats)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
        report(beats, beats)


def _arrays(tilings: Iterable[Tiling]) -> dict[str, Any]:
    """Arrays of each product for the bench; the product's number ends their names."""
    arrays: dict[str, Any] = {}
    for n, tiling in enumerate(tilings):
        order_a, order_b = tiling.order
        arrays |= {
            f"words_a_{n}": tiling.words_a,
            f"words_b_{n}": tiling.words_b,
            f"order_a_{n}": order_a,
            f"order_b_{n}": order_b,
            f"beats_per_tile_{n}": tiling.beats_per_tile,
        }
    return arrays
