"""The self-test passes on correct hardware only."""

from collections.abc import Callable
from pathlib import Path

import pytest
from amaranth.sim import Simulator

import lowtide_sim.compiled_top
from lowtide.config import Config
from lowtide.emission.folder import verilog_and_modules
from lowtide.emission.serial import SerialTop
from lowtide.interfaces.serial.self_test import SelfTest, SelfTestVectors
from lowtide_boards.targets.self_test_vectors import self_test_vectors
from lowtide_sim.compiled_top import compiled_top

HARNESS = Path(__file__).with_name("self_test.cpp")
CYCLES = 10**6

CONFIG = Config.load("tiny").changed(
    {
        "array.rows": 1,
        "array.columns": 1,
        "bfp.mantissa": 2,
        "engine.input_width": 1,
        "engine.output_width": 1,
        "engine.buffer_depth": 16,
        "engine.transpose_depth": 16,
        "serial.queue": 256,
    }
)


@pytest.fixture
def outcome(libraries, monkeypatch):
    """Result of the self-test on hardware whose Verilog has been changed."""

    def run(mutation: Callable[[str], str] = lambda text: text) -> int:
        def mutated(top):
            text, modules = verilog_and_modules(top)
            return mutation(text), modules

        monkeypatch.setattr(lowtide_sim.compiled_top, "verilog_and_modules", mutated)
        top = SerialTop(CONFIG, test=self_test_vectors(CONFIG))
        return compiled_top(top, HARNESS, libraries, optimization="-O0").self_test(CYCLES)

    return run


def test_correct_hardware_passes(outcome):
    assert outcome() == 1


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["tang-nano-9k", "orangecrab", "ulx3s-8bit"])
def test_presets_of_other_elements_and_skews_pass(preset, libraries):
    config = Config.load(preset)
    assert compiled_top(SerialTop(config, test=self_test_vectors(config)), HARNESS, libraries).self_test(CYCLES) == 1


@pytest.mark.slow
def test_an_element_that_adds_wrongly_fails(outcome):
    def subtracts(text: str) -> str:
        right = "$signed(acc) + $signed(i)"
        assert right in text, "this mutation has to follow a change of the RTL"
        return text.replace(right, "$signed(acc) - $signed(i)")

    assert outcome(subtracts) == 0


def test_a_bridge_that_never_answers_fails():
    unit = SelfTest(SelfTestVectors(b"\x01\x7e", 0x12345678, timeout=20))
    seen = []

    async def process(ctx):
        for _ in range(100):
            await ctx.tick()
        seen.append((ctx.get(unit.done), ctx.get(unit.passed)))

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(process)
    simulator.run()
    assert seen == [(1, 0)]


def test_no_hardware_without_vectors():
    text, modules = verilog_and_modules(SerialTop(CONFIG))
    assert "test_done" not in text
    assert not [name for name in modules if "self_test" in name]
    _, with_one = verilog_and_modules(SerialTop(CONFIG, test=self_test_vectors(CONFIG)))
    assert [name for name in with_one if "self_test" in name]
