"""Speed of the compiled engine: simulated clock cycles per second."""

import statistics
import time
from pathlib import Path

import attrs
import numpy as np

from lowtide.config import Config
from lowtide_model.engine.operand import OperandSettings
from lowtide_sim.engine.verilated import VerilatedEngine

__all__ = ["EngineSpeed", "measure_engine"]

SIZE = 128
"""Rows, columns and reduction length of the product that is timed."""


@attrs.frozen
class EngineSpeed:
    """Median speed of one compiled engine.

    Parameters
    ----------
    rows, columns : int
        Shape of its array.
    cycles : int
        Clock cycles of the product that is timed.
    cycles_per_second : float
        Simulated clock cycles per second of wall time.
    """

    rows: int
    columns: int
    cycles: int
    cycles_per_second: float


def measure_engine(config: Config, folder: Path, repeats: int = 3) -> EngineSpeed:
    """Time one random product of 128 × 128 × 128 at full precision; building the library is not timed.

    Parameters
    ----------
    config : Config
        Configuration of the engine.
    folder : Path
        Where compiled engines are kept.
    repeats : int
        Runs; the result is their median.

    Raises
    ------
    SimulationError
        If the engine cannot be built.
    SimulatorMissing
        If Verilator, or a tool that it needs, is not installed.
    """
    engine = VerilatedEngine(config, folder)
    random = np.random.default_rng(1)
    a, b = random.standard_normal((2, SIZE, SIZE)).astype(np.float32)
    bfp = config.bfp
    a_settings, b_settings = (OperandSettings(chunks=-(-bfp.mantissa // chunk)) for chunk in (bfp.chunk_a, bfp.chunk_b))
    speeds, cycles = [], 0
    for _ in range(repeats):
        before, started = engine.cycles, time.perf_counter()
        engine.multiply(a, b, a_settings, b_settings)
        cycles = engine.cycles - before
        speeds.append(cycles / (time.perf_counter() - started))
    return EngineSpeed(config.array.rows, config.array.columns, cycles, statistics.median(speeds))
