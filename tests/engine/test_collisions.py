"""Nothing depends on what a memory gives when a word is read in the cycle in which it is written.

So synthesis need not add logic for it, as it does for bitstreams: ``-no-rw-check``.
"""

from pathlib import Path

import numpy as np
import pytest
from collisions import poisoned
from operands import random_case, random_matrix
from stalls import random_stalls

import lowtide_sim.compiled_top
from fixtures.engines import SMALL_ENGINE, SUM_ENGINE
from lowtide.emission.folder import verilog_and_modules
from lowtide.emission.serial import SerialTop
from lowtide_boards.targets.self_test_vectors import self_test_vectors
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import multiply
from lowtide_sim.compiled_top import compiled_top
from lowtide_sim.engine.verilated import VerilatedEngine

HARNESS = Path(__file__).parents[1] / "boards" / "driver" / "self_test.cpp"


@pytest.fixture
def poison(monkeypatch):
    def emitted(top):
        text, modules = verilog_and_modules(top)
        text, count = poisoned(text)
        assert count > 5, "memories are written otherwise: this has to follow a change of the emission"
        return text, modules

    monkeypatch.setattr(lowtide_sim.compiled_top, "verilog_and_modules", emitted)


@pytest.mark.slow
def test_engine(poison, libraries):
    engine, rng = VerilatedEngine(SMALL_ENGINE, libraries), np.random.default_rng(11)
    for _ in range(300):
        engine.stalls = random_stalls(rng, 3)
        case = random_case(rng, SMALL_ENGINE)
        case.check(SMALL_ENGINE, engine.multiply(case.a, case.b, case.a_settings, case.b_settings))


@pytest.mark.slow
def test_sums(poison, libraries):
    engine, golden, rng = VerilatedEngine(SUM_ENGINE, libraries), GoldenEngine(SUM_ENGINE), np.random.default_rng(12)
    settings = [OperandSettings(bias=-6)] * 2
    for _ in range(60):
        engine.stalls = random_stalls(rng, 3)
        m, k, n = (int(rng.integers(1, most)) for most in (7, 500, 10))
        a, b = random_matrix(rng, (m, k)), random_matrix(rng, (k, n))
        due = multiply(golden, a, b, *settings).values
        assert multiply(engine, a, b, *settings).values.tobytes() == due.tobytes()


@pytest.mark.slow
def test_serial_engine(poison, libraries):
    assert (
        compiled_top(SerialTop(SMALL_ENGINE, test=self_test_vectors(SMALL_ENGINE)), HARNESS, libraries).self_test(10**6)
        == 1
    )
