"""Roundings of gradients of networks: bits of products, resumed trainings, and the command."""

import json

import attrs
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("optuna")
pytest.importorskip("PIL")
from torch import nn  # noqa: E402

import lowtide_torch as lt  # noqa: E402
from fixtures.studies import refusal, run_command, run_study  # noqa: E402, F401
from lowtide.config import Config  # noqa: E402
from lowtide_model import matmul, quantize, to_fp32  # noqa: E402
from lowtide_model.engine.operand import OperandSettings  # noqa: E402
from lowtide_studies.network_rounding import study as study_module  # noqa: E402
from lowtide_studies.network_rounding.command import command  # noqa: E402
from lowtide_studies.network_rounding.report import MEANINGS, sentences, tables  # noqa: E402
from lowtide_studies.network_rounding.study import Result  # noqa: E402
from lowtide_studies.network_rounding.study import run_study as trained_study  # noqa: E402
from lowtide_studies.network_rounding.trainings import ROUNDINGS, USUAL_ROUNDINGS, training_of  # noqa: E402
from lowtide_studies.network_training import study as training_study  # noqa: E402
from lowtide_studies.network_training import training as training_module  # noqa: E402
from lowtide_studies.network_training.data import Data, Part  # noqa: E402
from lowtide_studies.network_training.gradients import RoundingEngine  # noqa: E402
from lowtide_studies.network_training.training import Evaluation, Trained, train  # noqa: E402
from lowtide_studies.networks.products import GradientRounding  # noqa: E402
from lowtide_studies.networks.roundings import NAMED  # noqa: E402

SETTINGS = lt.BFP(weights=lt.Nearest(4), activations=lt.Nearest(4), gradients=lt.Nearest(2))


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def gradients_of(layer, x, gradient, engine):
    lt.quantize_(layer, SETTINGS, engine=engine)
    x = x.clone().requires_grad_()
    layer(x).backward(gradient)
    assert x.grad is not None
    assert layer.weight.grad is not None
    return x.grad, layer.weight.grad


# Bits


@pytest.mark.parametrize("rounding", ["nearest_even", "truncate", "ideal", "reference", "plateau-space", "neighbor"])
def test_backward_products_are_golden_products_of_rounded_gradients(rounding):
    layer, x, gradient = nn.Linear(21, 35, bias=False), torch.randn(50, 21), torch.randn(50, 35)
    weight = layer.weight.detach().numpy().copy()
    to_x, to_weight = gradients_of(layer, x, gradient, RoundingEngine(Config(), rounding, 7))

    method, four = NAMED[rounding].make(7), {"mantissa": 4, "rounding": "nearest"}
    assert method is not None
    source = GradientRounding(method)
    a = quantize(gradient.numpy(), mantissa=2, rounding=source.take(50, 48))
    b = quantize(weight, axis=0, **four)
    np.testing.assert_array_equal(to_x.numpy(), to_fp32(matmul(a, b), a, b).values)
    a = quantize(x.numpy().T, **four)
    b = quantize(gradient.numpy(), mantissa=2, axis=0, rounding=source.take(35, 64))
    np.testing.assert_array_equal(to_weight.numpy().T, to_fp32(matmul(a, b), a, b).values)


@pytest.mark.parametrize("kind", ["linear", "convolution"])
def test_nearest_has_the_bits_of_the_engine(kind):
    """The engine converts rounded gradients without another change."""
    found = []
    for engine in (RoundingEngine(Config(), "nearest", 0), lt.Engine(Config())):
        torch.manual_seed(1)
        layer = nn.Linear(40, 24) if kind == "linear" else nn.Conv2d(16, 24, 3, stride=2, padding=1)
        x = torch.randn(30, 40) if kind == "linear" else torch.randn(3, 16, 7, 6)
        gradient = torch.randn(30, 24) if kind == "linear" else torch.randn(3, 24, 4, 3)
        gradient[0] *= 2.0**-20
        gradient[1] = 0
        found.append(gradients_of(layer, x, gradient, engine))
    assert all(map(torch.equal, *found))


def test_only_gradients_are_rounded_and_only_once(monkeypatch):
    engine, counted = RoundingEngine(Config(), "plateau-space", 0), []
    rounded = engine._rounded
    monkeypatch.setattr(engine, "_rounded", lambda x, *rest: counted.append(tuple(x.shape)) or rounded(x, *rest))
    gradients_of(nn.Linear(20, 12), torch.randn(6, 20), torch.randn(6, 12), engine)
    assert counted == [(1, 6, 12), (1, 6, 12)]


def test_random_words_continue_from_tensor_to_tensor_and_restart_in_an_epoch():
    engine, x = RoundingEngine(Config(), "plateau-space", 0), torch.rand(1, 40, 16)
    form = engine.format_of("a", OperandSettings(chunks=1, bias=-8))
    first, second = (engine._rounded(x, -1, form) for _ in range(2))
    assert not torch.equal(first, second)
    engine.restart(0)
    assert torch.equal(engine._rounded(x, -1, form), first)
    ideal = RoundingEngine(Config(), "ideal", 0)
    before = ideal._rounded(x, -1, form)
    ideal.restart(1)
    assert not torch.equal(ideal._rounded(x, -1, form), before)


# Trainings


def images(count=12):
    source = torch.Generator().manual_seed(1)
    part = Part(inputs=torch.rand(count, 1, 32, 32, generator=source), labels=torch.arange(count) % 3)
    return Data(title="noise", classes=("a", "b", "c"), training=part, validation=part, test=part)


@pytest.mark.parametrize("rounding", ["ideal", "plateau-time"])
def test_a_stopped_training_resumes_with_equal_bits(rounding, tmp_path, monkeypatch):
    given = {"width": 4, "batch": 2, "samples": 4, "epochs": 2, "evaluated": 2}
    run = attrs.evolve(training_of("perceptron", given), format="fixed-4-2", gradients=rounding)
    whole, run_epoch = train(run, images()), training_module._Training.run_epoch

    def stop(self):
        if self.epoch == 1:
            raise KeyboardInterrupt
        run_epoch(self)

    monkeypatch.setattr(training_module._Training, "run_epoch", stop)
    with pytest.raises(KeyboardInterrupt):
        train(run, images(), tmp_path / "run.pt")
    monkeypatch.setattr(training_module._Training, "run_epoch", run_epoch)
    assert train(run, images(), tmp_path / "run.pt") == whole


def test_roundings_share_weights_and_samples(monkeypatch, tmp_path):
    monkeypatch.setattr(training_study, "load_images", lambda _: images())
    given = {"width": 16, "batch": 4, "samples": 24, "epochs": 1, "evaluated": 4}
    roundings = ("fp32", "ideal", "nearest", "engine-2", "engine-2-plateau")
    (found,) = trained_study(
        [(training_of("perceptron", given), "noise")], roundings, seeds=(0, 1), checkpoints=tmp_path
    )
    assert tuple(found.outcomes) == roundings
    hashes = {one.sha256 for outcomes in found.outcomes.values() for one in outcomes}
    assert len(hashes) == 10
    difference = found.difference("ideal")
    assert difference is not None
    assert difference.mean == 0
    assert [row["rounding"] for row in found.to_json()] == [name for name in roundings for _ in range(2)]


def test_all_roundings_have_a_meaning():
    assert set(ROUNDINGS) <= set(MEANINGS)
    assert set(USUAL_ROUNDINGS) <= set(ROUNDINGS)


# Report


def trained(quality):
    return Trained(
        evaluations=[Evaluation(epoch=1, quality=quality, loss=1.0, macs=1, cycles={})], quality=quality, sha256=""
    )


def test_differences_are_paired():
    qualities = {"ideal": [10.0, 12.0], "nearest": [11.0, 13.5], "plateau-space": [10.0, 12.0]}
    outcomes = {name: list(map(trained, values)) for name, values in qualities.items()}
    result = Result(run=training_of("lstm", {}), data="book", seeds=(0, 1), outcomes=outcomes)
    assert list(sentences([result])) == [
        "lstm: perplexity minus ideal rounding: nearest +1.25 ± 0.25, plateau-space +0.00 ± 0.00."
    ]
    (table,) = tables([result])
    assert list(table.columns[3].cells) == ["", "+1.25 ± 0.25", "+0.00 ± 0.00"]
    assert list(table.columns[4].cells) == ["", "+5.0", "+0.0"]


# Command


def test_command_keeps_its_trainings(run_study, tmp_path, monkeypatch):  # noqa: F811
    file = tmp_path / "book.txt"
    file.write_text("the quick brown fox jumps over the lazy dog\n" * 60)
    arguments = ["--network", "transformer", "--text", file, "--rounding", "ideal,neighbor-plateau", "--seeds", "1"]
    arguments += ["--samples", "8", "--width", "4", "--batch", "4", "--json"]
    found = run_study(command, *arguments)
    assert found.exit_code == 0, found.output
    rows = json.loads(found.stdout)["rows"]
    assert [(row["rounding"], row["data"]) for row in rows] == [("ideal", "book.txt"), ("neighbor-plateau", "book.txt")]
    assert (tmp_path / "build/studies/network-rounding.png").read_bytes().startswith(b"\x89PNG")
    assert not list((tmp_path / "build/studies").glob("network-rounding/*"))
    monkeypatch.setattr(training_study, "train", lambda *_: 1 / 0)
    assert json.loads(run_study(command, *arguments).stdout)["rows"] == rows
    assert "transformer of width 4, book.txt: 1 epoch" in run_study(command, *arguments[:-1]).stdout
    assert study_module.FORMAT == "fixed-4-2"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--network", "vgg"], "network must be one of resnet8, resnet20, lstm, transformer, perceptron, not 'vgg'"),
        (["--rounding", "up"], "rounding must be one of fp32, nearest, nearest_even"),
        (["--rate", "0"], "rate must be above 0"),
        (["--network", "lstm", "--text", "nowhere"], "nowhere"),
    ],
)
def test_refusals(refusal, arguments, message):  # noqa: F811
    assert message in refusal(command, *arguments)
