"""The array as a device that multiplies: simulated Verilog behind the golden model's own interface."""

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
    """What came out of the array for one product, and how long it took.

    Parameters
    ----------
    tiling : Tiling
        How the product was cut.
    words : array of int64 or of Python integers (object)
        Every word of every tile, those of padding included.
    cycles : int
        From the cycle in which the first beat is taken to that in which the last row of results is accepted, both
        counted.
    """

    tiling: Tiling
    words: np.ndarray
    cycles: int

    @property
    def acc(self) -> np.ndarray:
        """Accumulators of the product, M × N, as `lowtide_model.matmul` returns them."""
        M, N = self.tiling.shape
        return self.words[:M, :N]

    @property
    def beat_rate(self) -> float:
        """Beats taken in a cycle, on average."""
        return self.tiling.beats / self.cycles

    @property
    def utilization(self) -> float:
        """Share of all element-cycles that went into a result.

        An element is busy in a cycle if a beat for a result that was asked for is in it. It is idle while the array
        fills, drains or waits between tiles, and if it stands in a row or column of padding.
        """
        array = self.tiling.config.array
        return self.tiling.busy / (array.rows * array.columns * self.cycles)


class SimulatedArray:
    """An array in a simulator.

    Parameters
    ----------
    config : Config
        What to simulate.
    folder : Path
        Where Verilog, builds, logs and waveforms go.
    simulator : str
        ``verilator`` or ``icarus``.
    waves : bool
        Record waveforms; those of the last run stay.
    progress : callable, optional
        Called with the beats done and the beats of all products, every now and then.

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
        """Build the simulation, so that products need not wait for it."""
        self.products([])

    def quantize(self, x: Any, *, mantissa: int, axis: int) -> BfpTensor:
        """Convert to the exponents and groups that this hardware takes, rounding to nearest, ties away from zero.

        Parameters
        ----------
        x : array of floats
            What to convert.
        mantissa : int
            Bits of a magnitude.
        axis : int
            Axis along which elements are grouped: the last of A, the last but one of B.
        """
        return quantize(x, mantissa=mantissa, exponent=self.config.bfp.exponent, group=self.config.bfp.lanes, axis=axis)

    def matmul(self, a: BfpTensor, b: BfpTensor) -> Product:
        """Multiply two tensors of the golden model.

        Raises
        ------
        ValueError
            If they are no matrices that this hardware can multiply.
        SimulationError, SimulatorMissing
            If the simulation fails, or cannot be built.
        """
        return self.products([(a, b)])[0]

    def products(self, operands: Iterable[tuple[BfpTensor, BfpTensor]]) -> list[Product]:
        """Multiply several pairs of tensors in one run of the simulator, each after the one before.

        Raises
        ------
        ValueError
            If they are no matrices that this hardware can multiply.
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
        """The Verilog, emitted once."""
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
    """What the bench needs of each product, under names that end in its number."""
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
