"""Bench of a serial engine, with an independent UART; and planted bugs."""

import pytest
from mutation import in_module

from lowtide.array.params import ArrayParams
from lowtide.config import Config
from lowtide.emission import emit_serial
from lowtide.engine.params import EngineParams
from lowtide.formats import Bfp
from lowtide.interfaces.serial.params import SerialParams
from lowtide_sim.simulator import SimulationError

CONFIG = Config(
    array=ArrayParams(rows=2, columns=1),
    bfp=Bfp(lanes=4, chunk_a=2, chunk_b=2, max_k=32),
    engine=EngineParams(input_width=2, output_width=1, buffer_depth=32, transpose_depth=16),
    serial=SerialParams(clock=1_000_000, baud=250_000, queue=256),
)

BUGS = {
    "a sequence number is not checked": in_module(r"executor_\w+", r"header\[31:16\] != expected", "1'h0"),
    "a damaged frame is accepted": in_module(r"frame_receiver", r"= match_detected &", "= 1'h1 &"),
    "discarded words are output": in_module(r"operand_queue_\d+", r"discard \?", "1'h0 ?"),
}


@pytest.fixture
def run_serial(run_bench):
    """A function that runs the bench on a small serial engine."""

    def simulation(simulator, *change, **parameters):
        bench = "lowtide_sim.bench.engine.serial_frames"
        return run_bench(lambda folder: emit_serial(CONFIG, folder), bench, simulator, *change, **parameters)

    return simulation


@pytest.mark.slow
def test_a_serial_engine_on_icarus(run_serial):
    run_serial("icarus", products=1, damage=True)


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
@pytest.mark.parametrize("damage", [False, True])
def test_a_serial_engine_for_long(run_serial, simulator, damage):
    run_serial(simulator, products=12, damage=damage)


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_caught(run_serial, bug):
    with pytest.raises(SimulationError, match="failed"):
        run_serial("icarus", BUGS[bug], products=1, damage=True)
