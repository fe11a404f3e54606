"""The golden models import neither a simulator nor the command line."""

import subprocess
import sys

import pytest

import lowtide_model

NOT_NEEDED = ("amaranth.sim", "click", "cocotb", "lowtide.cli", "lowtide_boards", "lowtide_sim", "lowtide_studies")
PUBLIC = [
    *("BfpTensor", "Chunk", "Fp32", "Ideal", "Stochastic", "SteppingSource", "chunks", "dot", "improvement_of"),
    *("matmul", "neighbor_words", "quantize", "reference", "round_magnitude", "rounds_up", "scaled_to_fp32"),
    *("to_fp32", "words"),
]


def imports_of(module):
    script = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert module in done.stdout.split()
    return done.stdout.split()


@pytest.mark.parametrize("module", ["lowtide_model", "lowtide_model.terms", "lowtide_model.engine.golden_engine"])
def test_a_model_imports_no_simulator_and_no_command(module):
    assert [name for name in imports_of(module) if name.startswith(NOT_NEEDED)] == []


@pytest.mark.parametrize("module", ["lowtide_model", "lowtide_model.terms"])
def test_a_model_without_a_configuration_imports_no_writer_of_verilog(module):
    assert "amaranth.back" not in imports_of(module)


def test_the_package_root_has_the_public_names():
    assert set(PUBLIC) <= set(lowtide_model.__all__)
    assert all(hasattr(lowtide_model, name) for name in lowtide_model.__all__)
