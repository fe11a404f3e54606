"""What the tests that simulate have in common."""

import os
from pathlib import Path

import pytest

from lowtide.array.shape import ArrayShape
from lowtide.config import Config
from lowtide.emission import emit_engine, emit_unit
from lowtide.engine.shape import EngineShape
from lowtide.formats import Bfp
from lowtide_sim.simulator import SimulatorMissing, check_installed, run, simulate

ARRAY_BENCHES = ",".join(
    f"lowtide_sim.bench.{name}" for name in ("array_data", "array_flow", "array_timing", "array_bfp")
)
SMALL_ENGINE = Config(
    array=ArrayShape(rows=2, columns=3),
    bfp=Bfp(lanes=4, chunk_a=2, chunk_b=1, max_k=100),
    engine=EngineShape(numbers=2, results=1, words=256, turn=16),
)


@pytest.fixture(scope="session")
def cache() -> Path:
    """Built simulations, kept from one run of the tests to the next; `make clean` removes them."""
    return Path(__file__).parents[2] / "build" / "simulations"


@pytest.fixture(scope="session")
def seed() -> int:
    """Seed of all benches: LOWTIDE_SEED, or 1. Every failure names it."""
    return int(os.environ.get("LOWTIDE_SEED") or 1)


@pytest.fixture
def require():
    """Skip where a simulator is not installed."""

    def check(simulator: str) -> None:
        try:
            check_installed(simulator)
        except SimulatorMissing as missing:
            pytest.skip(str(missing))

    return check


@pytest.fixture
def run_unit(tmp_path, cache, seed, require):
    """Emit one unit with its parameters changed, change its Verilog, and run a bench on it."""

    def simulation(bench, kind, changes, simulator, change=lambda text: text, **parameters):
        require(simulator)
        verilog, sidecar = emit_unit(kind, Config(), changes, tmp_path)
        verilog.write_text(change(verilog.read_text(encoding="utf-8")), encoding="utf-8")
        return simulate(
            verilog=verilog,
            sidecar=sidecar,
            top=verilog.stem,
            test_module=bench,
            folder=tmp_path,
            simulator=simulator,
            parameters=parameters,
            seed=seed,
            cache=cache,
        )

    return simulation


@pytest.fixture
def run_array(tmp_path, cache, seed, require):
    """Run the array's benches on a configuration."""

    def simulation(config, simulator, benches=ARRAY_BENCHES, **parameters):
        require(simulator)
        return run(
            config=config,
            test_module=benches,
            folder=tmp_path,
            simulator=simulator,
            parameters=parameters,
            seed=seed,
            cache=cache,
        )

    return simulation


@pytest.fixture
def run_engine(tmp_path, cache, seed, require):
    """Emit a small engine, change its Verilog, and run benches on it."""

    def simulation(
        simulator, change=lambda text: text, benches="lowtide_sim.bench.engine_data", bus="plain", **parameters
    ):
        require(simulator)
        verilog, sidecar = emit_engine(SMALL_ENGINE, tmp_path, bus=bus)
        verilog.write_text(change(verilog.read_text(encoding="utf-8")), encoding="utf-8")
        return simulate(
            verilog=verilog,
            sidecar=sidecar,
            top=verilog.stem,
            test_module=benches,
            folder=tmp_path,
            simulator=simulator,
            parameters=parameters,
            seed=seed,
            cache=cache,
        )

    return simulation
