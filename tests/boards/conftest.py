"""A simulated device that tests share."""

from pathlib import Path

import attrs
import pytest

from lowtide.array.shape import ArrayShape
from lowtide.config import Config
from lowtide.engine.shape import EngineShape
from lowtide.formats import Bfp
from lowtide.soc.serial.shape import SerialShape
from lowtide_boards.device import Device
from lowtide_sim.serial.simulated_line import SimulatedLine
from lowtide_sim.serial.simulated_port import SimulatedPort
from lowtide_sim.simulator import SimulatorMissing

CONFIG = Config(
    array=ArrayShape(rows=1, columns=2),
    bfp=Bfp(lanes=4, chunk_a=2, chunk_b=2, max_k=64),
    engine=EngineShape(numbers=2, results=1, words=64, turn=16),
    serial=SerialShape(clock=1_843_200, baud=115_200, queue=256),
)


def simulated(config: Config) -> SimulatedLine:
    """A device, in a library that is kept from one run of the tests to the next."""
    try:
        return SimulatedLine(config, Path(__file__).parents[2] / "build" / "engines")
    except SimulatorMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def built() -> SimulatedLine:
    """A small device."""
    return simulated(CONFIG)


@pytest.fixture(scope="session")
def large() -> SimulatedLine:
    """The same with queues as they are by default, and buffers for long transfers."""
    config = CONFIG.changed({"engine.words": 1024, "engine.turn": 64, "bfp.max_k": 4096})
    return simulated(attrs.evolve(config, serial=SerialShape(clock=1_843_200, baud=460_800)))


@pytest.fixture
def line(built) -> SimulatedLine:
    """The same, after reset."""
    built.reset()
    return built


@pytest.fixture
def port(line) -> SimulatedPort:
    """A port to it, at a rate that simulates quickly."""
    return SimulatedPort(line)


@pytest.fixture
def device(port) -> Device:
    """A driver that is connected, at four clocks a bit."""
    device = Device(port, "simulation", patience=0.01)
    device.hurry()
    return device
