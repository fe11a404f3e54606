"""An engine of the emitted Verilog that tests share."""

from pathlib import Path

import pytest

from lowtide.array.shape import ArrayShape
from lowtide.config import Config
from lowtide.engine.shape import EngineShape
from lowtide.formats import Bfp
from lowtide_sim.engine.transfer import Stalls
from lowtide_sim.engine.verilated import VerilatedEngine
from lowtide_sim.simulator import SimulatorMissing

CONFIG = Config(
    array=ArrayShape(rows=2, columns=3),
    bfp=Bfp(lanes=4, chunk_a=2, chunk_b=1, max_k=100),
    engine=EngineShape(numbers=2, results=3, words=64, turn=16),
)


@pytest.fixture(scope="session")
def small() -> Config:
    """The configuration of a small engine."""
    return CONFIG


@pytest.fixture(scope="session")
def libraries() -> Path:
    """Built engines, kept from one run of the tests to the next; `make clean` removes them."""
    return Path(__file__).parents[2] / "build" / "engines"


@pytest.fixture(scope="session")
def built(libraries) -> VerilatedEngine:
    """A small engine."""
    try:
        return VerilatedEngine(CONFIG, libraries)
    except SimulatorMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def engine(built) -> VerilatedEngine:
    """The same, after reset, without stalls."""
    built.reset()
    built.stalls = Stalls()
    return built
