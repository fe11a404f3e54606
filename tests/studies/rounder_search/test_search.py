"""The search resumes, repeats itself, and shares its study; one test synthesizes, the others use invented areas."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest
from click.testing import CliRunner

from lowtide.synthesis import SynthesisError
from lowtide_studies.rounder_search import command as command_module
from lowtide_studies.rounder_search import search
from lowtide_studies.rounder_search.command import command
from lowtide_studies.rounder_search.design import BASELINES, PLATEAU
from lowtide_studies.rounder_search.figures import Figures, bias_of, correlation_of
from lowtide_studies.rounder_search.search import open_search, tried

NAME = "rounder-search-xc7"


def made_up(design, target, cache):
    """Figures with an invented area: one cell per bit, with shared generators."""
    luts, ffs = design.lanes * design.width, design.bits
    bias = bias_of(design) if design.bits < 24 else bias_of(BASELINES[PLATEAU])
    correlation = correlation_of(design)
    return Figures(
        cells=(luts + ffs) / design.lanes,
        luts=luts,
        ffs=ffs,
        mean_bias=bias.mean,
        worst_bias=bias.worst,
        lag=correlation.lag,
        lane=correlation.lane,
    )


@pytest.fixture
def searching(monkeypatch):
    """Search without synthesis and without further processes."""
    monkeypatch.setattr(search, "measure", made_up)
    monkeypatch.setattr(search, "workers", ThreadPoolExecutor)
    monkeypatch.setattr(search, "fingerprint", lambda: "1.made-up")

    def call(file, trials, jobs=1, seed=1, progress=lambda done: None):
        study = open_search(file, NAME)
        search.search(study, trials=trials, jobs=jobs, seed=seed, target="xc7", progress=progress)
        return study

    return call


def points(study):
    return [trial.params for trial in study.trials]


def test_baselines_come_first(searching, tmp_path):
    study = searching(tmp_path / "a", 5)
    assert [one.baseline for one in tried(study)] == [*BASELINES, "", ""]
    assert [one.design for one in tried(study)][:3] == list(BASELINES.values())


def test_a_resumed_search_equals_an_uninterrupted_search(searching, tmp_path):
    done = []
    whole = searching(tmp_path / "a", 28)
    searching(tmp_path / "b", 24)
    assert points(searching(tmp_path / "b", 28, progress=done.append)) == points(whole)
    assert done == [24, 25, 26, 27, 28]
    assert points(searching(tmp_path / "c", 8, seed=2)) != points(whole)[:8]


def test_several_jobs_repeat_themselves(searching, tmp_path):
    assert points(searching(tmp_path / "a", 10, jobs=3)) == points(searching(tmp_path / "b", 10, jobs=3))


def test_a_finished_search_runs_no_trials(searching, tmp_path):
    searching(tmp_path / "a", 4)
    assert len(searching(tmp_path / "a", 2).trials) == 4


def test_a_failed_trial_runs_again(searching, tmp_path, monkeypatch):
    """The second baseline fails; the resumed search measures it."""

    def breaking(design, target, cache):
        if design == list(BASELINES.values())[1]:
            raise SynthesisError("yosys: it broke")
        return made_up(design, target, cache)

    monkeypatch.setattr(search, "measure", breaking)
    with pytest.raises(search.SearchError, match=r"^3 bits, taps 3,1, time, 1 lane.* on xc7: yosys: it broke$"):
        searching(tmp_path / "a", 6, jobs=2)
    monkeypatch.setattr(search, "measure", made_up)
    study = searching(tmp_path / "a", 6)
    assert {one.baseline for one in tried(study)} == {*BASELINES, ""}
    assert sum(trial.state.name == "COMPLETE" for trial in study.trials) == 6


def test_a_killed_process_does_not_block_the_search(searching, tmp_path):
    """Its trial keeps running forever, and does not count."""
    study = open_search(tmp_path / "a", NAME)
    search._enqueue_baselines(study, rows=False)
    search._ask(study, 1)
    study = searching(tmp_path / "a", 5)
    assert {one.baseline for one in tried(study)} == {*BASELINES, ""}


def test_two_searches_share_a_study(searching, tmp_path):
    open_search(tmp_path / "a", NAME)
    both = [Thread(target=searching, args=(tmp_path / "a", 16, 1, seed)) for seed in (1, 2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    finished = [trial for trial in open_search(tmp_path / "a", NAME).trials if trial.state.name == "COMPLETE"]
    assert len(finished) in (16, 17)
    assert len({json.dumps(trial.params) for trial in finished}) > 10


@pytest.mark.slow
def test_real_figures_of_the_baselines(run_study, tmp_path):
    """By synthesis in processes; the result is drawn, and printed as JSON and as a table."""
    result = run_study(command, "--trials", 3, "--processes", 2, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    areas = [(row["baseline"], row["luts"], row["ffs"], row["cells"]) for row in found["rows"]]
    assert areas == [(PLATEAU, 3, 4, 3.5), ("3-bit plateau in time", 2, 4, 6), ("24-bit reference", 25, 24, 49)]
    assert set(found["versions"]) >= {"yosys", "optuna", "lowtide"}
    assert (tmp_path / "build/studies/rounder-search.png").read_bytes().startswith(b"\x89PNG")
    result = run_study(command, "--trials", 1)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "3-bit plateau in time: 3 bits, taps 3,1, time, 1 lane, carry, D = 3" in result.stdout
    assert "try more --trials.\nbuild/studies/rounder-search.png\n" in result.stdout


@pytest.mark.usefixtures("searching")
def test_a_network_is_trained_with_each_printed_design(run_study, monkeypatch):
    monkeypatch.setattr(
        command_module, "final_accuracy", lambda rounding, *, seed: rounding.fraction / 100 + seed / 1000
    )
    result = run_study(command, "--trials", 5, "--seeds", 3, "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    assert [row["accuracy"] is not None for row in rows] == [
        row["front_of_area_and_bias"] or bool(row["baseline"]) for row in rows
    ]
    assert rows[0]["accuracy"] == pytest.approx(0.032)
    assert "3.2 %" in run_study(command, "--trials", 5, "--seeds", 3).stdout


@pytest.mark.usefixtures("searching")
def test_progress_and_speed_are_reported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command, ["--trials", "4", "--processes", "1"])
    assert result.exit_code == 0, result.output
    lines = result.stderr.splitlines()
    assert [line.partition(",")[0] for line in lines[:-1]] == [f"Trials on xc7: {n} of 4" for n in range(1, 5)]
    assert lines[-1].startswith("4 trials in ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trials", 0], "trials must be from 1 to 1000000, not 0"),
        (["--processes", 0], "processes must be from 1 to 256, not 0"),
        (["--sampler-seed", -1], "sampler-seed must be from 0 to 4294967295, not -1"),
        (["--seeds", -1], "seeds must be from 0 to 1000, not -1"),
        (["--storage", "."], "cannot use . as storage: Is a directory"),
    ],
)
def test_illegal_options_are_refused_in_one_line(arguments, message, refusal):
    assert refusal(command, *arguments) == message


def test_an_unwritable_output_is_refused_before_the_search(refusal, tmp_path):
    (tmp_path / "file").write_text("")
    assert (
        refusal(command, "--trials", 3, "--output", "file/folder") == "cannot write into file/folder: Not a directory"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.usefixtures("searching")
def test_an_interruption_names_the_storage(refusal, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command_module, "search", interrupted)
    assert refusal(command) == (
        "interrupted: build/studies/rounder-search.journal keeps the finished jobs; run the same command to resume"
    )
