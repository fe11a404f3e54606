"""The search resumes, repeats itself, and shares its study; areas are made up here, but for one real run."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest

from lowtide.cli import main
from lowtide.synthesis import SynthesisError
from lowtide_studies.rounder_search import command, search, storage
from lowtide_studies.rounder_search.bias import bias_of
from lowtide_studies.rounder_search.correlation import correlation_of
from lowtide_studies.rounder_search.figures import Figures
from lowtide_studies.rounder_search.search import tried
from lowtide_studies.rounder_search.space import BASELINES, PLATEAU
from lowtide_studies.rounder_search.storage import open_study

NAME = "sru-xc7"


def made_up(design, target, cache):
    """Figures with an area that no tool gave: a cell for each bit, and generators shared."""
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
    """Search without synthesis and without processes of its own."""
    monkeypatch.setattr(search, "measure", made_up)
    monkeypatch.setattr(search, "workers", ThreadPoolExecutor)
    monkeypatch.setattr(storage, "fingerprint", lambda: "1.made-up")

    def call(file, trials, jobs=1, seed=1, progress=lambda done: None):
        study = open_study(file, NAME)
        search.search(study, trials=trials, jobs=jobs, seed=seed, target="xc7", progress=progress)
        return study

    return call


def points(study):
    return [trial.params for trial in study.trials]


def test_baselines_come_first(searching, tmp_path):
    study = searching(tmp_path / "a", 5)
    assert [one.baseline for one in tried(study)] == [*BASELINES, "", ""]
    assert [one.design for one in tried(study)][:3] == list(BASELINES.values())


def test_more_trials_go_on_as_if_they_had_been_asked_for_at_once(searching, tmp_path):
    done = []
    whole = searching(tmp_path / "a", 28)
    searching(tmp_path / "b", 24)
    assert points(searching(tmp_path / "b", 28, progress=done.append)) == points(whole)
    assert done == [24, 25, 26, 27, 28]
    assert points(searching(tmp_path / "c", 8, seed=2)) != points(whole)[:8]


def test_several_jobs_repeat_themselves(searching, tmp_path):
    assert points(searching(tmp_path / "a", 10, jobs=3)) == points(searching(tmp_path / "b", 10, jobs=3))


def test_as_many_as_there_are_already_is_nothing_to_do(searching, tmp_path):
    searching(tmp_path / "a", 4)
    assert len(searching(tmp_path / "a", 2).trials) == 4


def test_what_breaks_off_is_tried_again(searching, tmp_path, monkeypatch):
    """The second baseline breaks off; when the search goes on, it is there."""

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


def test_a_killed_process_leaves_nothing_in_the_way(searching, tmp_path):
    """Its trial stays under way for ever, and does not count."""
    study = open_study(tmp_path / "a", NAME)
    search._enqueue_baselines(study, rows=False)
    search._ask(study, 1)
    study = searching(tmp_path / "a", 5)
    assert {one.baseline for one in tried(study)} == {*BASELINES, ""}


def test_two_at_once_work_on_the_same(searching, tmp_path):
    open_study(tmp_path / "a", NAME)
    both = [Thread(target=searching, args=(tmp_path / "a", 16, 1, seed)) for seed in (1, 2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    finished = [trial for trial in open_study(tmp_path / "a", NAME).trials if trial.state.name == "COMPLETE"]
    assert len(finished) in (16, 17)
    assert len({json.dumps(trial.params) for trial in finished}) > 10


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run the command in a folder of its own: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        with pytest.raises(SystemExit) as exit_:
            main(["explore", "sru", *map(str, arguments)])
        return exit_.value.code, *capsys.readouterr()

    return call


@pytest.mark.slow
def test_real_figures_of_the_baselines(run, tmp_path):
    """By synthesis, in processes; what was found is drawn, and printed as JSON and as a table."""
    code, out, err = run("--trials", 3, "--json")
    assert code == 0
    assert err.startswith("3 trials in ")
    found = json.loads(out)
    areas = [(row["baseline"], row["luts"], row["ffs"], row["cells"]) for row in found["designs"]]
    assert areas == [(PLATEAU, 3, 4, 3.5), ("3-bit plateau in time", 2, 4, 6), ("24-bit reference", 25, 24, 49)]
    assert set(found["versions"]) >= {"yosys", "optuna", "lowtide"}
    assert (tmp_path / "build/explore/sru.png").read_bytes().startswith(b"\x89PNG")
    code, out, err = run("--trials", 1)
    assert (code, err) == (0, "")
    assert "3-bit plateau in time: 3 bits, taps 3,1, time, 1 lane, carry, D = 3" in out
    assert out.endswith("try more --trials.\nbuild/explore/sru.png\n")


def test_what_is_printed_is_trained_by(searching, run, monkeypatch):
    monkeypatch.setattr(command, "workers", ThreadPoolExecutor)
    monkeypatch.setattr(command, "final_accuracy", lambda rounding, *, seed: rounding.fraction / 100 + seed / 1000)
    code, out, _ = run("--trials", 5, "--accuracy", 3, "--json")
    rows = json.loads(out)["designs"]
    assert code == 0
    assert [row["accuracy"] is not None for row in rows] == [
        row["front_of_area_and_bias"] or bool(row["baseline"]) for row in rows
    ]
    assert rows[0]["accuracy"] == pytest.approx(0.032)
    assert "3.2 %" in run("--trials", 5, "--accuracy", 3)[1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--target", "xc8"],
            2,
            "Invalid value for '--target': 'xc8' is not one of 'xc7', 'ecp5', 'ice40' (see lowtide explore sru --help)",
        ),
        (["--trials", 0], 1, "trials must be from 1 to 1000000, not 0"),
        (["--jobs", 0], 1, "jobs must be from 1 to 256, not 0"),
        (["--seed", -1], 1, "seed must be from 0 to 4294967295, not -1"),
        (["--accuracy", -1], 1, "accuracy must be from 0 to 1000, not -1"),
        (["--storage", "."], 1, "cannot write .: Is a directory"),
    ],
)
def test_wrong_values_are_named_in_one_line(run, arguments, code, message):
    found, out, err = run(*arguments)
    assert (found, out, err) == (code, "", f"lowtide: {message}\n")


def test_unwritable_picture_is_named_before_the_search(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = run("--trials", 3, "--plot", "file/sru.png")
    assert (code, err) == (1, "lowtide: cannot write file/sru.png: Not a directory\n")
    code, _, err = run("--trials", 3, "--plot", "sru.xyz")
    assert code == 1
    assert err.startswith("lowtide: plot must be a file whose name ends in ")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_interruption_says_how_to_go_on(run, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "search", interrupted)
    code, _, err = run()
    assert code == 1
    assert err == "lowtide: interrupted; the same command goes on, build/explore/sru.journal has what was found\n"


def test_help_has_an_example(run):
    code, out, _ = run("--help")
    assert code == 0
    assert "  lowtide explore sru --trials 400 --target ecp5\n" in out
