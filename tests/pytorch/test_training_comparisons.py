"""Comparisons of trainings: costs, tables and the command."""

import json
import math

import attrs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("optuna")
pytest.importorskip("PIL")
from tiny_trainings import images, tiny  # noqa: E402

from fixtures.studies import refusal, run_study  # noqa: E402, F401
from lowtide_studies.equal_area.cells import Cells  # noqa: E402
from lowtide_studies.harness.jobs import Runner  # noqa: E402
from lowtide_studies.network_training import study as study_module  # noqa: E402
from lowtide_studies.network_training.command import command  # noqa: E402
from lowtide_studies.network_training.report import improvement_table  # noqa: E402
from lowtide_studies.network_training.study import Comparison  # noqa: E402
from lowtide_studies.network_training.training import Evaluation, Trained, train  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def evaluation(epoch, quality, beats=0):
    cycles = {"fmac, 2 × 2 bits": {"pairs": beats // 2, "beats": beats, "packed": 2 * beats, "fp32": 3 * beats}}
    return Evaluation(epoch=epoch, quality=quality, loss=1.0, macs=1000 * epoch, cycles=cycles if beats else {})


def trained(qualities, beats=0, quality=50.0):
    ends = [evaluation(epoch, one, beats * epoch) for epoch, one in enumerate(qualities, 1)]
    return Trained(evaluations=ends, quality=quality, sha256="")


def comparison(network, fp32, adaptive):
    outcomes = {"fp32": [trained(fp32), trained(fp32, quality=60)], "adaptive": [trained(one, 64) for one in adaptive]}
    return Comparison(run=tiny(network, "fp32")[0], data="", seeds=(0, 1), outcomes=outcomes, margin=2.0)


def test_time_to_a_target():
    found = comparison("resnet8", [10, 80, 90], [[20, 70, 89], [88, 70, 95]])
    assert found.target == 88
    assert found.beats_per_pair("adaptive") == 2
    difference = found.difference("adaptive")
    assert difference is not None
    assert difference.mean == -5
    cells = {"fmac, 2 × 2 bits": Cells(unit=10, beside=5), "float_mac, FP32": Cells(unit=600)}
    adaptive, fp32 = found.costs(cells)
    assert (adaptive.format, adaptive.reached, adaptive.epochs) == ("adaptive", 2, 2)
    assert adaptive.cycles == {"beats": 128, "packed": 256, "fp32": 384}
    assert [adaptive.area_time(form) for form in ("beats", "packed")] == [64 * 10 * 128, 64 * 15 * 256]
    assert (adaptive.forms, fp32.forms) == (("beats", "packed", "fp32"), ("beats",))
    assert (fp32.epochs, fp32.area_time("fp32")) == (3, 600 * 3000)


def test_costs_relative_to_another_format():
    found = attrs.evolve(comparison("resnet8", [10, 80, 90], [[20, 70, 89], [88, 70, 95]]), reference="fp32")
    assert [row.format for row in found.costs({})] == ["fp32", "adaptive"]


def test_bf16_in_an_engine_loads_at_least_as_long_as_integers():
    def integers(qualities, beats):
        ends = [
            attrs.evolve(
                evaluation(epoch, one),
                cycles={
                    "pmac, 32-bit sums": {"pairs": 0, "beats": beats * epoch, "packed": 3 * beats * epoch, "fp32": 3}
                },
            )
            for epoch, one in enumerate(qualities, 1)
        ]
        return Trained(evaluations=ends, quality=50.0, sha256="")

    outcomes = {
        "fp32": [trained([10, 80, 90]), trained([10, 80, 90])],
        "bf16": [trained([20, 90, 95]), trained([90, 91, 92])],
        "int8": [integers([1, 2, 3], 100), integers([1, 2, 3], 200)],
    }
    found = Comparison(run=tiny("resnet8", "fp32")[0], data="", seeds=(0, 1), outcomes=outcomes, margin=2.0)
    units = {"float_mac, bf16, FP32 sums": Cells(unit=282), "pmac, 32-bit sums": Cells(unit=57, beside=30)}
    _, alone, loading, int8 = found.costs(units)
    assert (alone.format, alone.reached, alone.forms) == ("bf16", 2, ("beats",))
    assert loading.unit.name == "float_mac, bf16, FP32 sums, loading as int8"
    assert (loading.format, loading.reached, loading.epochs, loading.forms) == (
        "bf16",
        2,
        1.5,
        ("beats", "packed", "fp32"),
    )
    # 2 epochs of the first seed, and 1 of the second.
    assert loading.cycles["packed"] == (600 + 600) / 2
    assert loading.area_time("packed") == 64 * (282 + 30) * 600
    assert int8.reached == 0
    del outcomes["int8"]
    assert [row.format for row in found.costs(units)] == ["fp32", "bf16"]


def test_formats_depend_on_their_own_parameters_alone(monkeypatch):
    names = []
    monkeypatch.setattr(study_module, "training_job", lambda name, run, *_: names.append((name, run)) or name)
    monkeypatch.setattr(study_module, "trained_of", lambda _: trained([1.0]))
    monkeypatch.setattr(study_module, "data_of", lambda *_: images())
    monkeypatch.setattr(study_module.data_of, "cache_clear", lambda: None, raising=False)
    run = tiny("resnet8", "fp32", alpha=0.7, beta=0.1, share=0.5, random_bits=5, random_plateau=True)[0]

    class Jobs(Runner):
        def run(self, label, jobs):
            return list(jobs)

    formats = ["fp32", "adaptive", "low-then-high"]
    study_module.compare([run], formats, [0], images="", text="", margin=1.0, runner=Jobs())
    given = [(one.format, one.alpha, one.beta, one.share, one.random_bits, one.random_plateau) for _, one in names]
    assert given == [
        ("fp32", 0.5, 0.3, 0.25, 2, False),
        ("adaptive", 0.7, 0.1, 0.25, 5, True),
        ("low-then-high", 0.5, 0.3, 0.5, 5, True),
    ]


def test_improvements_by_kind():
    """Quantiles of the operands at each evaluation; the table has the first evaluation, means over the seeds."""
    run, data = tiny("transformer", "adaptive")
    found = train(run, data)
    for one in found.evaluations:
        assert list(one.improvements) == ["weights", "activations", "gradients"]
        assert all(0 < low <= middle <= high < 3 for low, middle, high in one.improvements.values())
    assert train(attrs.evolve(run, format="fixed-4"), data).evaluations[0].improvements == {}
    first = attrs.evolve(found.evaluations[0], improvements={"weights": [0.1, 0.2, 0.3]})
    other = attrs.evolve(first, improvements={"weights": [0.3, 0.4, 0.5]})
    outcomes = {"adaptive": [attrs.evolve(found, evaluations=[one]) for one in (first, other)]}
    both = Comparison(run=run, data="noise", seeds=(0, 1), outcomes=outcomes, margin=1)
    assert both.improvements("adaptive") == {"weights": pytest.approx([0.2, 0.3, 0.4])}
    table = improvement_table(both)
    assert table is not None
    assert [list(column.cells) for column in table.columns] == [["adaptive"], ["0.20 0.30 0.40"], [""], [""]]
    assert improvement_table(attrs.evolve(both, outcomes={"fixed-4": []})) is None


def test_time_to_a_perplexity():
    found = comparison("lstm", [9, 6, 5], [[9, 5.05, 5], [9, 8, 7]])
    assert found.target == pytest.approx(5.1)
    adaptive, _ = found.costs({})
    assert (adaptive.reached, adaptive.epochs) == (1, 2)
    assert math.isnan(adaptive.area_time("beats"))


TINY = ["--batch", "4", "--samples", "8", "--width", "4", "--epochs", "1", "--no-cells"]


def test_command_on_a_users_text_and_its_finished_jobs(run_study, tmp_path, monkeypatch):  # noqa: F811
    file = tmp_path / "book.txt"
    file.write_text("the quick brown fox jumps over the lazy dog\n" * 60)
    arguments = [*TINY, "--network", "transformer", "--text", file, "--number-format", "fp32,adaptive", "--json"]
    arguments += ["--evaluations", "1", "--margin", "50"]
    result = run_study(command, *arguments)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    assert [(row["format"], row["data"], len(row["evaluations"])) for row in rows] == [
        ("fp32", "book.txt", 1),
        ("adaptive", "book.txt", 1),
    ]
    assert (tmp_path / "build/studies/network-training.png").read_bytes().startswith(b"\x89PNG")
    assert not list((tmp_path / "build/studies").glob("network-training/*"))
    monkeypatch.setattr(study_module, "train", lambda *_: 1 / 0)
    again = run_study(command, *arguments)
    assert json.loads(again.stdout)["rows"] == rows
    table = run_study(command, *arguments[:-5], "--evaluations", "1", "--margin", "50")
    assert "transformer of width 4, book.txt, 1 epoch: time to a validation quality of at most" in table.stdout
    file.write_text("other words " * 200)
    assert isinstance(run_study(command, *arguments).exception, ZeroDivisionError)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--network", "vgg"], "network must be one of resnet8, resnet20, lstm, transformer, perceptron, not 'vgg'"),
        (["--number-format", "fp16"], "number-format must be one of fp32, bf16"),
        (["--width", "6"], "width must be"),
        (["--rate", "0"], "rate must be above 0"),
        (["--alpha", "3.5"], "alpha must be from 0 to 3, not 3.5"),
        (["--beta", "-0.1"], "beta must be from 0 to 3, not -0.1"),
        (["--random-bits", "9"], "random-bits must be from 1 to 8, not 9"),
        (["--share", "1.5"], "share must be from 0 to 1, not 1.5"),
        (["--reference", "best"], "reference must be one of fp32, bf16"),
        (
            ["--number-format", "fp32,fixed-4", "--reference", "adaptive"],
            "reference must be one of fp32, fixed-4, the compared formats, not 'adaptive'",
        ),
        (["--network", "resnet8", "--images", "nowhere"], "cannot read nowhere/train: No such file or directory"),
        (["--network", "lstm", "--text", "nowhere"], "nowhere"),
    ],
)
def test_refusals(refusal, arguments, message):  # noqa: F811
    assert message in refusal(command, *arguments)
