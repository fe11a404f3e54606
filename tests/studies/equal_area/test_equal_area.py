"""Training at equal area: figures that can be worked out by hand, and the command."""

import json
import math
from pathlib import Path

import attrs
import pytest

from fixtures.liberty import liberty
from lowtide.config import Config
from lowtide.synthesis import measure
from lowtide.synthesis.parts import engine_parts_of
from lowtide_studies.engine_training.run import Run
from lowtide_studies.equal_area import command as equal_area_command
from lowtide_studies.equal_area.cells import BESIDE, CANDIDATES, Cells, measure_cells
from lowtide_studies.equal_area.command import command
from lowtide_studies.equal_area.study import check_reference, costs, multiplications
from lowtide_studies.precision_schedules.study import COMPARED, Comparison, Outcome

PAIRS = [10, 10, 20]
OF_A_STEP = 32 * (2 * 64 * 64 + 3 * 64 * 10)


def outcome(beats, accuracies):
    return Outcome(
        accuracy=accuracies[-1][1],
        loss=0.5,
        sha256="",
        accuracies=accuracies,
        pairs=PAIRS if any(beats) else [0, 0, 0],
        beats=beats,
        chunks={"0.forward.weights": [1, 2, 2]},
    )


@pytest.fixture
def found():
    """Two seeds: 0.9 is reached after two steps and after three, or by no seed."""
    reached = [[[2, 0.9], [3, 0.9]], [[2, 0.8], [3, 0.9]]]
    missed = [[[2, 0.1], [3, 0.2]]] * 2
    beats = {"adaptive": [10, 20, 50], "fixed-4": [40, 40, 80], "fixed-2": [10, 10, 20]}
    names = ("fp32", "adaptive", "fixed-4", "fixed-2", "msfp12", "int8")
    return Comparison(
        runs={name: Run(schedule=name) for name in names},
        seeds=(0, 1),
        outcomes={
            name: [outcome(beats.get(name, [0, 0, 0]), seen) for seen in (missed if name == "fixed-2" else reached)]
            for name in names
        },
    )


@pytest.fixture
def cells():
    """Twice as many on ECP5."""
    known = {
        "fmac, 2 × 2 bits": (100, 50),
        "fmac, 4 × 4 bits": (300, 60),
        "block_float_mac, FP32 sums": (400, 40),
        "pmac, 32-bit sums": (50, 0),
        "float_mac, HFP8, FP16 sums": (110, 0),
        "float_mac, bf16, FP32 sums": (280, 0),
        "float_mac, FP32": (600, 0),
    }
    return {
        name: {"xc7": Cells(unit=unit, beside=beside), "ecp5": Cells(unit=2 * unit, beside=2 * beside)}
        for name, (unit, beside) in known.items()
    }


def test_multiplications_of_a_perceptron():
    image = OF_A_STEP // 32
    assert multiplications(Run(), 1) == OF_A_STEP == 323_584
    # 1,437 images are learnt from: the last of 45 steps has 29.
    assert multiplications(Run(), 45) == 1437 * image
    assert multiplications(Run(), 46) == (1437 + 32) * image
    assert multiplications(Run(validation=True), 36) == 1150 * image
    assert multiplications(Run(network="wide-perceptron"), 1) == 32 * (2 * 64 * 256 + 3 * 256 * 10)


def test_cycles_are_those_of_chunks_groups_or_numbers(found, cells):
    rows = {(row.candidate.schedule, row.candidate.name): row for row in costs(found, cells, 0.9)}
    due = {
        ("adaptive", "fmac, 2 × 2 bits"): (30 + 80) / 2,
        ("fixed-4", "fmac, 2 × 2 bits"): (80 + 160) / 2,
        ("fixed-4", "fmac, 4 × 4 bits"): (20 + 40) / 2,
        ("msfp12", "block_float_mac, FP32 sums"): (20 + 40) / 2,
        ("int8", "pmac, 32-bit sums"): 2.5 * OF_A_STEP,
        ("fp32", "float_mac, HFP8, FP16 sums"): 2.5 * OF_A_STEP,
        ("fp32", "float_mac, bf16, FP32 sums"): 2.5 * OF_A_STEP,
        ("fp32", "float_mac, FP32"): 2.5 * OF_A_STEP,
    }
    missed = rows.pop(("fixed-2", "fmac, 2 × 2 bits"))
    assert math.isnan(missed.cycles)
    assert (missed.reached, missed.seeds) == (0, 2)
    assert {key: row.cycles for key, row in rows.items()} == due
    assert rows["adaptive", "fmac, 2 × 2 bits"].error == pytest.approx((80 - 30) / 2)
    assert {(row.reached, row.seeds) for row in rows.values()} == {(2, 2)}


def test_area_times_time_beside_the_reference(found, cells):
    reference, *rows = costs(found, cells, 0.9)
    of_four = next(row for row in rows if row.candidate.name == "fmac, 4 × 4 bits")
    of_integers = next(row for row in rows if row.candidate.unit == "pmac")
    assert reference.area_time("xc7", beside=False) == 100 * 55
    assert reference.area_time("ecp5", beside=True) == 300 * 55
    assert of_four.times(reference, "xc7", beside=False) == 300 * 30 / (100 * 55)
    assert of_four.times(reference, "xc7", beside=True) == 360 * 30 / (150 * 55)
    assert reference.times_error(reference, "xc7", beside=True) == 0
    relative = math.hypot(10 / 30, 25 / 55)  # standard errors of two seeds: half their distance
    assert of_four.times_error(reference, "xc7", beside=False) == pytest.approx(relative * 300 * 30 / (100 * 55))
    # What needs no converters is charged nothing.
    assert of_integers.times(reference, "xc7", beside=True) == 50 * 2.5 * OF_A_STEP / (150 * 55)


def test_a_reached_accuracy_of_the_reference_is_needed(found):
    with pytest.raises(ValueError, match=r"^accuracy must be one that adaptive reaches, not '95 %'$"):
        check_reference(found, 0.95)
    only = attrs.evolve(found, outcomes={"fp32": found.outcomes["fp32"]})
    with pytest.raises(ValueError, match=r"^schedules must be a list with adaptive, not 'fp32'$"):
        check_reference(only, 0.9)


def test_what_is_charged_beside_the_unit():
    for candidate in CANDIDATES:
        engine = candidate.unit in ("fmac", "block_float_mac", "pmac")
        assert bool(candidate.beside) == engine
        normalized = ["results"] if candidate.unit in ("fmac", "pmac") else []
        assert sorted(set(candidate.beside) | {"results"}) == (sorted(BESIDE) if engine else ["results"])
        assert [part for part in candidate.beside if part == "results"] == normalized


def test_a_comparison_comes_back_from_json(found):
    runs = found.runs | {"adaptive": Run(options={"alpha": 0.4}, config=Config().changed({"bfp.lanes": 8}))}
    plain = json.loads(json.dumps(attrs.evolve(found, runs=runs).to_json()))
    back = Comparison.from_json(plain)
    assert back.runs == runs
    assert back.outcomes == found.outcomes
    assert back.to_json() == plain


@pytest.fixture
def file(found, tmp_path):
    file = tmp_path / "schedules.json"
    file.write_text(json.dumps(found.to_json()), encoding="utf-8")
    return file


def test_two_tables(file, cells, monkeypatch, run_study):
    monkeypatch.setattr(equal_area_command, "measure_cells", lambda *_, **__: cells)
    result = run_study(command, "--schedules", file, "--accuracy", 90)
    assert result.exit_code == 0, result.output
    without, beside = result.stdout.split("perceptron, 360 steps: cells × cycles to 90 %")[1:]
    assert without.startswith(", without converters and buffers")
    assert beside.startswith(", with converters and buffers")
    for table, ratio in ((without, 300 * 30 / (100 * 55)), (beside, 360 * 30 / (150 * 55))):
        row = next(line for line in table.splitlines() if "fmac, 4 × 4 bits" in line)
        assert f" {ratio:.2f} " in row


def test_json_has_both(file, cells, monkeypatch, run_study):
    monkeypatch.setattr(equal_area_command, "measure_cells", lambda *_, **__: cells)
    result = run_study(command, "--schedules", file, "--accuracy", 90, "--json")
    assert result.exit_code == 0, result.output
    plain = json.loads(result.stdout)
    known = plain["settings"]
    assert (known["network"], known["seeds"], known["accuracy"]) == ("perceptron", [0, 1], 90)
    first = plain["rows"][0]
    assert first["candidate"]["schedule"] == "adaptive"
    assert first["with"]["xc7"] == {"cells": 150, "area_time": 150 * 55, "times": 1, "times_error": 0}
    assert first["cells"]["xc7"] == {"unit": 100, "beside": 50}
    missed = next(row for row in plain["rows"] if row["candidate"]["schedule"] == "fixed-2")
    assert missed["cycles"] is None
    assert missed["without"]["ecp5"] == {"cells": 200, "area_time": None, "times": None, "times_error": None}


def test_without_a_file_the_runs_of_precision_schedules_are_trained(found, cells, monkeypatch, run_study):
    asked = []

    def trained(runs, *others):
        asked.extend([runs, *others])
        return found

    monkeypatch.setattr(equal_area_command, "measure_cells", lambda *_, **__: cells)
    monkeypatch.setattr(equal_area_command, "compare", trained)
    assert run_study(command, "--accuracy", 90, "--seeds", 3).exit_code == 0
    runs, seeds, runner = asked
    assert runs["adaptive"] == Run(steps=720, rate=0.2, evaluate=9)
    assert sorted(runs) == sorted(COMPARED)
    assert seeds == range(3)
    assert runner.study.study_name == "precision-schedules"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"runs": 1}'])
def test_another_file_is_refused_in_one_line(text, tmp_path, refusal):
    file = tmp_path / "other.json"
    file.write_text(text, encoding="utf-8")
    assert refusal(command, "--schedules", file) == (
        f"cannot read {file}: not JSON of precision schedules; write it with `lowtide study precision-schedules`"
    )


def test_a_missing_file_is_refused_in_one_line(tmp_path, refusal):
    assert refusal(command, "--schedules", tmp_path / "none.json") == (
        f"cannot read {tmp_path / 'none.json'}: No such file or directory"
    )


@pytest.mark.parametrize(
    ("arguments", "targets"),
    [
        ((), ["xc7", "ecp5"]),
        (("--target", "cmos,xc7"), ["cmos", "xc7"]),
        (("--liberty", "small.lib"), ["liberty"]),
        (("--target", "cmos", "--liberty", "small.lib"), ["cmos", "liberty"]),
        (("--target", "cmos", "--liberty", "small.lib", "--quick", "--accuracy", 50), ["cmos"]),
    ],
)
def test_targets_and_library_reach_the_synthesis(arguments, targets, file, cells, monkeypatch, run_study):
    asked = []

    def measured(config, *others):
        asked.extend(others)
        return cells

    Path("small.lib").write_text(liberty(), encoding="utf-8")
    monkeypatch.setattr(equal_area_command, "measure_cells", measured)
    result = run_study(command, "--schedules", file, "--accuracy", 90, *arguments)
    assert result.exit_code == 0, result.output
    assert asked[0] == targets
    assert (asked[2] is not None) == ("--liberty" in arguments)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["ecp5", "cmos"])
def test_cells_are_those_of_the_report(target, small):
    """Shared out among the elements; a part that stands twice counts twice."""
    cells = measure_cells(small, [target])
    assert list(cells) == list(dict.fromkeys(candidate.name for candidate in CANDIDATES))
    for candidate in CANDIDATES:
        its = cells[candidate.name][target]
        assert its.unit > 0
        assert (its.beside > 0) == bool(candidate.beside)
    parts = {row.unit: row.area.size for row in measure(engine_parts_of(small)[:-1], [target], fmax=False)}
    once = sum(parts[name] for name in ("dispatcher", "sequencer", "results", "registers"))
    due = (2 * parts["loader"] + 2 * parts["operand_buffer"] + once) / 6
    assert cells["fmac, 2 × 2 bits"][target].beside == pytest.approx(due)
