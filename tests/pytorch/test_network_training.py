"""Trainings of networks in several formats: products, cycles, equal bits, checkpoints, comparisons and the command."""

import json
import math

import attrs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("optuna")
pytest.importorskip("PIL")
from torch.nn import functional  # noqa: E402

import lowtide_torch as lt  # noqa: E402
from fixtures.studies import refusal, run_command, run_study  # noqa: E402, F401
from lowtide.config import Config  # noqa: E402
from lowtide.formats import IllegalValue  # noqa: E402
from lowtide_model.engine.cycles import CycleModel  # noqa: E402
from lowtide_model.layer_cost import Layer, Setting  # noqa: E402
from lowtide_studies.equal_area.cells import INTEGERS, Cells  # noqa: E402
from lowtide_studies.harness.jobs import Runner  # noqa: E402
from lowtide_studies.network_training import run as run_module  # noqa: E402
from lowtide_studies.network_training import study as study_module  # noqa: E402
from lowtide_studies.network_training import training as training_module  # noqa: E402
from lowtide_studies.network_training.command import command  # noqa: E402
from lowtide_studies.network_training.cycles import CountingEngine, Cycles, Product, cycles_of  # noqa: E402
from lowtide_studies.network_training.data import Data, Part  # noqa: E402
from lowtide_studies.network_training.formats import FORMATS  # noqa: E402
from lowtide_studies.network_training.models import LstmModel  # noqa: E402
from lowtide_studies.network_training.report import improvement_table  # noqa: E402
from lowtide_studies.network_training.rounding import round_bf16, round_int8, round_operands_  # noqa: E402
from lowtide_studies.network_training.run import NETWORKS, Run  # noqa: E402
from lowtide_studies.network_training.study import Comparison  # noqa: E402
from lowtide_studies.network_training.training import Evaluation, Trained, _Training, train  # noqa: E402
from lowtide_studies.network_training.units import COMPARED, UNITS  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def images(count=12):
    source = torch.Generator().manual_seed(1)
    inputs = torch.rand(count, 1, 32, 32, generator=source)
    part = Part(inputs=inputs, labels=torch.arange(count) % 3)
    return Data(title="noise", classes=("a", "b", "c"), training=part, validation=part, test=part)


def text():
    tokens = torch.randint(0, 5, (12, 9), generator=torch.Generator().manual_seed(2))
    part = Part(inputs=tokens[:, :-1], labels=tokens[:, 1:])
    return Data(title="noise", classes=tuple("abcde"), training=part, validation=part, test=part)


def tiny(network, form, **changes):
    usual = {"width": 4, "batch": 2, "samples": 4, "epochs": 2, "evaluations": 1, "evaluated": 2, "rate": 0.01}
    return Run(network=network, format=form, **(usual | changes)), text() if NETWORKS[network].text else images()


# Rounded operands


def test_bfloat16_rounds_as_ml_dtypes():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = torch.randn(1000)
    assert round_bf16(x, None).tolist() == x.numpy().astype(ml_dtypes.bfloat16).astype("float32").tolist()


def test_integers_are_nearest_or_unbiased():
    x = torch.linspace(-1, 1, 2001)
    rounded = round_int8(x, None)
    assert (127 * rounded - (127 * rounded).round()).abs().max() < 1e-4
    assert (rounded - x).abs().max() <= 0.5 / 127 + 1e-6
    source = torch.Generator().manual_seed(0)
    mean = torch.stack([round_int8(x, source) for _ in range(400)]).mean(0)
    assert (mean - x).abs().max() < 5 * 0.5 / 127 / 20
    assert round_int8(torch.zeros(3), None).tolist() == [0, 0, 0]


def test_all_three_products_have_rounded_operands():
    torch.manual_seed(0)
    layer, x, g = torch.nn.Linear(6, 5), torch.randn(4, 6, requires_grad=True), torch.randn(4, 5)
    round_operands_(layer, round_bf16, seed=0)
    y = layer(x)
    y.backward(g)
    a, w, e = round_bf16(x, None), round_bf16(layer.weight, None), round_bf16(g, None)
    torch.testing.assert_close(y, a @ w.T + layer.bias)
    torch.testing.assert_close(x.grad, e @ w)
    torch.testing.assert_close(layer.weight.grad, e.T @ a)
    torch.testing.assert_close(layer.bias.grad, g.sum(0))


# Products and cycles


def test_products_of_a_convolution_are_products_of_its_windows():
    engine, layer = CountingEngine(Config()), torch.nn.Conv2d(16, 8, 3, padding=1)
    lt.quantize_(layer, lt.BFP(), engine=engine)
    layer(torch.randn(2, 16, 6, 5, requires_grad=True)).sum().backward()
    four = {"chunks_a": 2, "chunks_b": 2}
    assert engine.used == {
        Product(m=60, k=144, n=8, **four): 1,
        Product(m=60, k=8, n=144, **four): 1,
        Product(m=144, k=60, n=8, **four): 1,
    }


def test_products_of_each_step_of_time_are_counted():
    engine, network = CountingEngine(Config()), LstmModel(5, 4)
    lt.quantize_(network, lt.BFP(), engine=engine)
    tokens = torch.zeros(3, 7, dtype=torch.long)
    functional.cross_entropy(network(tokens).flatten(0, 1), tokens.flatten()).backward()
    hidden = [product for product in engine.used if product.macs == 3 * 4 * 16 and 21 not in attrs.astuple(product)]
    assert sum(engine.used[product] for product in hidden) == 7 + 7 + 6  # the first state has no gradient
    assert sum(product.macs * count for product, count in engine.used.items()) == 192 * 20 + 3 * 21 * (4 * 16 + 4 * 5)


@pytest.mark.parametrize("packed", [True, False])
def test_cycles_of_a_product_are_the_distance_of_equal_products(packed):
    config = Config()
    beats, cycles = cycles_of(config, 40, 96, 24, 2, 1, packed=packed)
    assert beats == 5 * 3 * 6 * 2
    works = Setting(bits_a=4, bits_b=2, packed=packed).works(config, Layer(name="x", m=40, k=96, n=24))
    ends = CycleModel(config).ends(works * 6)
    assert ends[-1] - ends[-1 - len(works)] == cycles > beats


def test_cycles_add_up():
    cycles, product = Cycles(), Product(m=16, k=33, n=9, chunks_a=2, chunks_b=1)
    cycles.add(product, 3, Config())
    assert (cycles.pairs, cycles.beats) == (3 * 2 * 2 * 3, 3 * 2 * 2 * 3 * 2)
    config, whole = Config().changed({"bfp.chunk_a": 4, "bfp.chunk_b": 4}), Cycles()
    whole.add(product, 3, config, chunks=(1, 1))
    assert whole.pairs == whole.beats == cycles.pairs
    assert whole.packed == 3 * cycles_of(config, 16, 33, 9, 1, 1, packed=True)[1]


def test_integers_take_a_cycle_per_product_and_are_always_packed():
    config = Config().changed(INTEGERS)
    cycles, product = Cycles(), Product(m=17, k=33, n=9, chunks_a=1, chunks_b=1)
    cycles.add(product, 2, config, chunks=(1, 1))
    assert (cycles.pairs, cycles.beats) == (0, 2 * 3 * 2 * 33)
    assert cycles.fp32 == cycles.packed == 2 * cycles_of(config, 17, 33, 9, 1, 1, packed=True)[1] > cycles.beats


def test_a_format_without_an_engine_has_the_products_of_its_steps():
    """INT8 and the engine of 4 bits compute products of equal sizes."""
    run, data = tiny("lstm", "int8", evaluations=2)
    integers = train(run, data)
    whole = train(attrs.evolve(run, format="fixed-4"), data)
    products = _Training(run, data).products
    one = Cycles()
    for product, count in products.items():
        one.add(product, count, Config().changed(INTEGERS), chunks=(1, 1))
    assert [cycles["packed"] for evaluation in integers.evaluations for cycles in evaluation.cycles.values()] == [
        step * one.packed for step in (1, 2, 3, 4)
    ]
    assert [evaluation.macs for evaluation in integers.evaluations] == [one.macs for one in whole.evaluations]


def test_units_of_four_bits():
    """Each unit of `fixed-4` has the cycles of its chunks, and the cells of an engine with these chunks."""
    run, data = tiny("transformer", "fixed-4")
    found = train(run, data).evaluations[-1].cycles
    products = _Training(run, data).products
    engines = {one.name: one.engine for one in COMPARED}
    beats = []
    for unit in UNITS["fixed-4"]:
        config, one = Config().changed(unit.changes or {}), Cycles()
        for product, count in products.items():
            one.add(product, 4 * count, config, chunks=(4 // config.bfp.chunk_a, 4 // config.bfp.chunk_b))
        assert found[unit.name] == one.to_json()
        assert engines[unit.name] == unit.changes
        beats.append(one.beats / one.pairs)
    assert beats == [4, 2, 1]


def test_all_units_have_cells():
    assert {unit.name for units in UNITS.values() for unit in units} <= {one.name for one in COMPARED}
    assert tuple(UNITS) == tuple(FORMATS) == run_module.FORMATS


# Trainings

CASES = [
    ("resnet8", "fp32"),
    ("resnet8", "int8"),
    ("transformer", "adaptive"),
    ("lstm", "two-sided"),
    ("lstm", "msfp12"),
    ("transformer", "bf16"),
    ("lstm", "low-then-high"),
]


@pytest.mark.parametrize(("network", "form"), CASES)
def test_a_stopped_training_resumes_with_equal_bits(network, form, tmp_path, monkeypatch):
    run, data = tiny(network, form)
    whole = train(run, data)
    assert whole == train(run, data, tmp_path / "whole.pt")
    assert [one.epoch for one in whole.evaluations] == [1, 2]
    assert whole.finite
    engines = [unit.name for unit in UNITS[form] if unit.changes is not None]
    assert list(whole.evaluations[0].cycles) == engines
    assert all(cycles["packed"] > cycles["beats"] > 0 for cycles in whole.evaluations[0].cycles.values())

    run_epoch = training_module._Training.run_epoch

    def stop(self):
        if self.epoch == 1:
            raise KeyboardInterrupt
        run_epoch(self)

    monkeypatch.setattr(training_module._Training, "run_epoch", stop)
    with pytest.raises(KeyboardInterrupt):
        train(run, data, tmp_path / "run.pt")
    monkeypatch.setattr(training_module._Training, "run_epoch", run_epoch)
    assert train(run, data, tmp_path / "run.pt") == whole


def test_seeds_and_formats_differ_and_a_damaged_checkpoint_is_ignored(tmp_path):
    run, data = tiny("lstm", "fixed-2", epochs=1)
    first = train(run, data)
    assert train(attrs.evolve(run, seed=1), data).sha256 != first.sha256
    assert train(attrs.evolve(run, format="fixed-4"), data).sha256 != first.sha256
    file = tmp_path / "run.pt"
    assert train(run, data, file) == first
    file.write_bytes(file.read_bytes()[:100])
    assert train(run, data, file) == first


def test_a_network_learns_in_four_bits():
    """After the training, each character of a periodic text is nearly certain."""
    tokens = (torch.arange(32)[:, None] + torch.arange(17)) % 5
    part = Part(inputs=tokens[:, :-1], labels=tokens[:, 1:])
    data = Data(title="abcde", classes=tuple("abcde"), training=part, validation=part, test=part)
    run = Run(network="transformer", format="fixed-4", width=16, batch=8, epochs=8, evaluations=1, rate=0.02)
    trained = train(run, data)
    assert trained.evaluations[0].quality > 1.2
    assert trained.quality < 1.1


def test_a_training_without_finite_numbers_ends():
    run, data = tiny("resnet8", "fixed-4", rate=1e30, epochs=20)
    trained = train(run, data)
    assert not trained.finite
    assert len(trained.evaluations) < 20


def test_more_samples_per_step_than_data_are_refused():
    with pytest.raises(IllegalValue, match="batch must be at most 4, the samples of an epoch, not 5"):
        train(*tiny("resnet8", "fp32", batch=5))


# Comparisons


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


@pytest.mark.parametrize("form", ["adaptive", "adaptive-weights"])
def test_thresholds_of_the_adaptive_formats(form):
    """With a threshold of 0, all operands have two chunks."""
    run, data = tiny("resnet8", form, alpha=0.0, beta=0.0)
    four = train(attrs.evolve(run, format="fixed-4"), data)
    assert train(run, data).sha256 == four.sha256
    assert train(attrs.evolve(run, alpha=3.0), data).sha256 != four.sha256


def test_formats_depend_on_their_own_parameters_alone(tmp_path, monkeypatch):
    names = []
    monkeypatch.setattr(study_module, "training_job", lambda name, run, *_: names.append((name, run)) or name)
    monkeypatch.setattr(study_module, "trained_of", lambda _: trained([1.0]))
    monkeypatch.setattr(study_module, "data_of", lambda *_: images())
    monkeypatch.setattr(study_module.data_of, "cache_clear", lambda: None, raising=False)
    run = tiny("resnet8", "fp32", alpha=0.7, beta=0.1, share=0.5, random_bits=5)[0]

    class Jobs(Runner):
        def run(self, label, jobs):
            return list(jobs)

    formats = ["fp32", "adaptive", "low-then-high"]
    study_module.compare([run], formats, [0], images="", text="", margin=1.0, runner=Jobs())
    assert [(one.format, one.alpha, one.beta, one.share, one.random_bits) for _, one in names] == [
        ("fp32", 0.5, 0.3, 0.25, 2),
        ("adaptive", 0.7, 0.1, 0.25, 5),
        ("low-then-high", 0.5, 0.3, 0.5, 5),
    ]


def test_bits_of_random_words():
    """Only stochastic rounding depends on them: of gradients of 2 bits, in the first step."""
    run, data = tiny("lstm", "fixed-4-2")
    assert train(run, data) == train(attrs.evolve(run, random_bits=2), data)
    assert train(run, data).sha256 != train(attrs.evolve(run, random_bits=3), data).sha256


def test_low_then_high_is_low_for_its_share_of_the_steps():
    """With a share of 0 as 4 bits; with 0.5, the first of two epochs has the beats of 2 bits."""
    run, data = tiny("resnet8", "low-then-high", share=0.0)
    assert train(run, data).sha256 == train(attrs.evolve(run, format="fixed-4"), data).sha256
    half = train(attrs.evolve(run, share=0.5), data).evaluations
    low = train(attrs.evolve(run, share=1.0), data).evaluations
    high = train(run, data).evaluations
    beats = [[next(iter(one.cycles.values()))["beats"] for one in found] for found in (low, half, high)]
    assert beats[1] == [beats[0][0], beats[0][0] + beats[2][0]]
    assert beats[0][0] < beats[2][0]


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


# Command

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
