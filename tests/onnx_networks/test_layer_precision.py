"""The study that finds the bits of each layer."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("optuna")
pytest.importorskip("sklearn")
from onnx_models import graph_of, node, random, save

from fixtures.studies import run_command
from lowtide.config import Config
from lowtide.errors import LowtideError
from lowtide_model.precision_file import read_precision
from lowtide_onnx import load_onnx
from lowtide_studies.layer_precision import study as study_module
from lowtide_studies.layer_precision.command import command
from lowtide_studies.layer_precision.metrics import accuracy, agreement, characters
from lowtide_studies.layer_precision.search import (
    Found,
    Space,
    choose,
    expected_quality,
    front,
    path,
    single_steps,
    spread,
)
from lowtide_studies.layer_precision.study import tuned_noise
from lowtide_studies.layer_precision.task import Costs, Task, evaluate, noise_of, tuned_network

SPACE = Space(layers=("x", "y", "z"), bits_a=(2, 4), bits_b=(2, 4, 6), kept=frozenset({"z"}))


def found(cost, noise, quality, how="search"):
    return Found(point=(cost,), noise=noise, quality=quality, tested=quality, cost=cost, how=how)


def test_metrics():
    outputs = np.array([[0.1, 0.9, 0.0], [0.8, 0.1, 0.1], [0.2, 0.3, 0.5], [0.0, 1.0, 0.0]])
    assert accuracy(outputs, np.array([1, 0, 2, 2])) == 0.75
    assert agreement(outputs, outputs[:, ::-1]) == 0.5
    assert agreement(outputs, outputs) == 1


def test_characters():
    def steps(text):
        """Outputs that read as a text; a dot is no character."""
        return np.eye(27)[[" abcdefghijklmnopqrstuvwxyz".index(one.replace(".", " ")) for one in text]]

    expected = np.stack([steps("...ox.xo.."), steps("aa.a..bb..")])  # oxxo, aab
    assert characters(expected, expected) == 1
    other = np.stack([steps("...ox.x..."), steps("ab.a..bb.c")])  # oxx: one deleted; ababc: two inserted
    assert characters(other, expected) == 1 - 3 / 7
    labels = np.array([[15, 24, 24, 15, 0], [1, 1, 2, 0, 0]])
    assert characters(expected, labels) == 1
    assert characters(other, labels) == 1 - 3 / 7
    nothing = np.stack([steps(".........."), steps("..........")])
    assert characters(nothing, expected) == 0
    assert characters(nothing, nothing) == 1


def test_edit_distances():
    """Edit distances of random texts equal the recursive definition."""
    rng = np.random.default_rng(0)

    @cache
    def distance(one, other):
        if not one or not other:
            return len(one) + len(other)
        changed = distance(one[1:], other[1:]) + (one[0] != other[0])
        return min(changed, distance(one[1:], other) + 1, distance(one, other[1:]) + 1)

    for _ in range(50):
        # Steps of different texts, without repetitions, as a network would give them.
        one, other = (np.concatenate([(c, 0) for c in rng.integers(1, 4, rng.integers(1, 7))]) for _ in range(2))
        texts = [tuple(int(c) for c in steps if c) for steps in (one, other)]
        length = max(len(one), len(other))
        outputs = [np.eye(4)[np.pad(steps, (0, length - len(steps)))][None] for steps in (one, other)]
        assert characters(*outputs) == 1 - distance(*texts) / len(texts[1])


def test_points_of_a_space():
    assert SPACE.most == (4, 6, 4, 6, 4, 6)
    assert SPACE.uniform(2, 4) == (2, 4, 2, 4, 4, 6)  # the last layer is kept
    assert SPACE.precision(SPACE.uniform(2, 4)) == {"x": (2, 4), "y": (2, 4), "z": (4, 6)}
    assert single_steps(SPACE) == [(0, 2), (1, 2), (1, 4), (2, 2), (3, 2), (3, 4)]


def test_the_path_takes_the_least_noise_per_saved_cost():
    noise = {(0, 2): 8.0, (1, 2): 3.0, (1, 4): 1.0, (2, 2): 4.0, (3, 2): 6.0, (3, 4): 0.5}
    # The cost of a bit of y is twice the cost of a bit of x; a chunk has two bits.
    points = path(SPACE, noise, lambda point: sum(point[:2]) + 2 * sum(point[2:4]))
    assert points == [
        (4, 6, 4, 6, 4, 6),
        (4, 6, 4, 4, 4, 6),  # 0.5 / 4
        (4, 4, 4, 4, 4, 6),  # 1.0 / 2
        (4, 2, 4, 4, 4, 6),  # 2.0 / 2, before 4.0 / 4 by its smaller point
        (4, 2, 2, 4, 4, 6),  # 4.0 / 4
        (4, 2, 2, 2, 4, 6),  # 5.5 / 4
        (2, 2, 2, 2, 4, 6),  # 8.0 / 2
    ]


def test_the_path_takes_no_step_that_saves_nothing():
    noise = dict.fromkeys(single_steps(SPACE), 1.0)
    points = path(SPACE, noise, lambda point: max(point[0], point[2]) * point[1])
    assert points[-1][2:] == (4, 6, 4, 6)  # bits of y are never more than the bits of x here
    assert [one[1] for one in points] == [6, 4, 2]


def test_spread_points_are_even_in_cost_and_keep_both_ends():
    points = [(n,) for n in range(100)]
    assert spread(points, lambda point: -point[0], 100) == points
    assert spread(points, lambda point: -point[0], 5) == [(0,), (25,), (49,), (74,), (99,)]
    # The first step saves most: no point lies between.
    steps = [(0,), *((990 + n,) for n in range(11))]
    assert spread(steps, lambda point: 1000 - point[0], 5) == [(0,), (990,), (1000,)]


def test_the_front_beats_all_other_points():
    rng = np.random.default_rng(3)
    points = [found(int(cost), float(noise), 0.5) for cost, noise in rng.integers(0, 50, (200, 2))]
    best = front(points)
    for one in points:
        beaten = any(
            (other.cost <= one.cost and other.noise < one.noise) or (other.cost < one.cost and other.noise <= one.noise)
            for other in points
        )
        assert beaten != any((one.cost, one.noise) == (other.cost, other.noise) for other in best)


def test_a_lucky_point_is_not_chosen():
    points = [found(10, 0.9, 0.2), found(20, 0.5, 0.5), found(30, 0.4, 0.97), found(40, 0.39, 0.61)]
    points += [found(50, 0.2, 0.9), found(60, 0.1, 0.95), found(70, 0.0, 0.95)]
    expected = expected_quality(points)
    assert sorted(expected) == expected
    assert expected[2] == expected[3] == pytest.approx(0.79)
    assert choose(points, 0.9) is points[4]
    assert choose(points, 0.96) is None


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A file with three layers, 40 inputs and labels, in the current folder."""
    monkeypatch.chdir(tmp_path)
    nodes = [
        node("Gemm", ["x", "u"], ["h"], name="first"),
        node("Relu", ["h"], ["r"]),
        node("Gemm", ["r", "v"], ["s"], name="second"),
        node("Gemm", ["s", "w"], ["y"], name="third"),
    ]
    stored = {"u": random(8, 16), "v": random(16, 16), "w": random(16, 4)}
    save(tmp_path, graph_of(nodes, {"x": ["batch", 8]}, ["y"], stored))
    x = random(40, 8, seed=5)
    np.savez("inputs.npz", x=x)
    network = load_onnx("network.onnx")
    fp32 = network.predict(x, "fp32")["y"]
    labels = fp32.argmax(-1)
    labels[::5] = (labels[::5] + 1) % 4
    np.save("labels.npy", labels)
    return network, x, fp32, labels


def task(metric="accuracy", config=None, batch=None, tuning=0):
    files = {"model": "network.onnx", "inputs": "inputs.npz", "labels": "labels.npy" if metric == "accuracy" else None}
    return Task.of(config or Config(), **files, output=None, metric=metric, batch=batch, tuning=tuning)


def test_evaluation(model):
    network, x, fp32, labels = model
    bits = {"first": (2, 4), "second": (4, 2), "third": (2, 2)}
    outputs = network.predict(x, bits)["y"]
    one = evaluate(attrs.asdict(task()), (2, 4, 4, 2, 2, 2))
    assert one["quality"] == (outputs.argmax(-1) == labels)[::2].mean()
    assert one["tested"] == (outputs.argmax(-1) == labels)[1::2].mean()
    exact = fp32[::2].astype(np.float64)
    assert one["noise"] == pytest.approx(np.square(outputs[::2] - exact).sum() / np.square(exact).sum(), rel=1e-12)
    assert evaluate(attrs.asdict(task()), None) == {"quality": 0.8, "tested": 0.8, "noise": 0.0}
    assert evaluate(attrs.asdict(task("agreement")), None)["quality"] == 1


def test_evaluation_in_batches(model):
    """Each batch is a separate run, of samples of the search or of others."""
    network, x, fp32, labels = model
    bits, point = {"first": (2, 4), "second": (4, 2), "third": (2, 2)}, (2, 4, 4, 2, 2, 2)
    asked = attrs.asdict(task(batch=7))
    runs = [network.predict(part[start : start + 7], bits)["y"] for part in (x[::2], x[1::2]) for start in (0, 7, 14)]
    searched, others = np.concatenate(runs[:3]), np.concatenate(runs[3:])
    one = evaluate(asked, point)
    assert one["quality"] == (searched.argmax(-1) == labels[::2]).mean()
    assert one["tested"] == (others.argmax(-1) == labels[1::2]).mean()

    def noise(found, exact):
        return pytest.approx(np.square(found - exact.astype(np.float64)).sum() / np.square(exact).sum(), rel=1e-6)

    assert one["noise"] == noise(searched, fp32[::2])
    assert noise_of(asked, point) == noise(runs[0], fp32[:14:2])
    assert noise_of(attrs.asdict(task()), point) == evaluate(attrs.asdict(task()), point)["noise"]
    assert Costs(task(batch=7), "bits", True)(point) == Costs(task(), "bits", True)(point)
    assert Costs(task(batch=7), "cycles", True)(point) < Costs(task(), "cycles", True)(point)


@pytest.mark.parametrize("batch", [None, 4])
def test_evaluation_with_tuned_weights(model, batch):
    """The first samples tune the weights; the others measure."""
    network, x, fp32, labels = model
    bits, point = {"first": (2, 4), "second": (4, 2), "third": (2, 2)}, (2, 4, 4, 2, 2, 2)
    asked = attrs.asdict(task(batch=batch, tuning=10))
    tuned = network.tuned(x[:10], bits, batch=batch)

    def outputs(network):
        if batch is None:
            return network.predict(x[10:], bits)["y"]
        found = np.empty_like(fp32[10:])
        for start in (10, 11):
            for first in range(start, 40, 2 * batch):
                part = slice(first, first + 2 * batch, 2)
                found[first - 10 : first - 10 + 2 * batch : 2] = network.predict(x[part], bits)["y"]
        return found

    for flag, run in ((True, tuned), (False, network)):
        found, one = outputs(run), evaluate(asked, point, flag)
        assert one["quality"] == (found.argmax(-1) == labels[10:])[::2].mean()
        assert one["tested"] == (found.argmax(-1) == labels[10:])[1::2].mean()
        exact = fp32[10::2].astype(np.float64)
        assert one["noise"] == pytest.approx(np.square(found[::2] - exact).sum() / np.square(exact).sum(), rel=1e-6)
    assert evaluate(asked, point)["noise"] != evaluate(asked, point, False)["noise"]
    chosen = tuned_network(Task(**asked), point)
    np.testing.assert_array_equal(chosen.predict(x, bits)["y"], tuned.predict(x, bits)["y"])
    assert tuned_network(task(), point).predict(x, bits)["y"].tolist() == network.predict(x, bits)["y"].tolist()


def test_tuning_leaves_the_same_share_of_the_noise_of_single_steps():
    points = [SPACE.uniform(a, b) for a in SPACE.bits_a for b in SPACE.bits_b]
    stored = [attrs.evolve(found(0, 1.0 + place, 1), point=point) for place, point in enumerate(points)]
    tuned = {point: attrs.evolve(found(0, 0.5, 1), point=point) for point in points}
    noise = {step: 60.0 + place for place, step in enumerate(single_steps(SPACE))}
    # In the order of the points: 2 x 2, 2 x 4, 2 x 6, 4 x 2, 4 x 4, 4 x 6.
    assert tuned_noise(SPACE, noise, stored, tuned) == {
        (0, 2): 60 * 0.5 / 3,
        (1, 2): 61 * 0.5 / 4,
        (1, 4): 62 * 0.5 / 5,
        (2, 2): 63 * 0.5 / 3,
        (3, 2): 64 * 0.5 / 4,
        (3, 4): 65 * 0.5 / 5,
    }
    assert tuned_noise(SPACE, noise, [], tuned) == noise
    exact = [attrs.evolve(one, noise=0.0) for one in stored]
    assert tuned_noise(SPACE, noise, exact, tuned) == noise


def test_the_command_writes_the_tuned_network(model):
    arguments = ("network.onnx", "--inputs", "inputs.npz", "--labels", "labels.npy", "--tuning", "16", "--batch", "8")
    ended = run_command(command, *arguments, "--trials", "0", "--processes", "1", "--json")
    assert ended.exit_code == 0, ended.stderr
    result = json.loads(ended.stdout)
    assert [row["how"] for row in result["rows"][:4]] == ["stored"] * 4
    precision = read_precision("build/studies/layer-precision.toml")
    tuned = load_onnx("build/studies/layer-precision.onnx")
    network, x, _, _ = model
    expected = network.tuned(x[:16], precision, batch=8)
    np.testing.assert_array_equal(tuned.predict(x, precision)["y"], expected.predict(x, precision)["y"])
    text = run_command(command, *arguments, "--quick").stdout
    assert "Not tuned:" in text
    assert "build/studies/layer-precision.onnx" in text


def test_costs(model):
    network, x, _, _ = model
    config = Config()
    bits = {"first": (2, 4), "second": (4, 2), "third": (2, 2)}
    point = (2, 4, 4, 2, 2, 2)
    macs = [40 * 8 * 16, 40 * 16 * 16, 40 * 16 * 4]
    mean = sum(m * b for m, b in zip(macs, (3, 3, 2), strict=True)) / sum(macs)
    assert Costs(task(), "bits", True)(point) == pytest.approx(mean)
    for packed, operands in ((True, "packed"), (False, "fp32")):
        costs = Costs(task(), "cycles", packed)
        # A layer whose neighbors are on the host is alone on the engine.
        alone = [network.report(x, {"*": "fp32", name: bits[name]}, operands=operands).total.cycles for name in bits]
        assert costs(point) == sum(alone)
    assert config.engine.packed_operands


def test_the_command_writes_a_file_that_a_run_takes(lowtide, model, monkeypatch):
    arguments = ("network.onnx", "--inputs", "inputs.npz", "--labels", "labels.npy", "--trials", "30")
    options = ("--processes", "1", "--loss", "3", "--cost", "bits", "--json")
    ended = run_command(command, *arguments, *options)
    assert ended.exit_code == 0, ended.stderr
    result = json.loads(ended.stdout)
    precision = read_precision("build/studies/layer-precision.toml")
    assert precision == {name: tuple(bits) for name, bits in result["settings"]["chosen"].items()}
    rows = [Found(**row | {"point": tuple(row["point"])}) for row in result["rows"]]
    assert len({row.point for row in rows}) == len(rows)
    assert {row.how for row in rows} == {"uniform", "path", "search"}
    chosen = choose(rows, result["settings"]["fp32"]["quality"] - 0.03)
    assert chosen is not None
    assert chosen.point == tuple(bits for both in result["settings"]["chosen"].values() for bits in both)
    shown = lowtide(
        "run",
        "network.onnx",
        "--inputs",
        "inputs.npz",
        "--precision-file",
        "build/studies/layer-precision.toml",
        "--json",
    )
    layers = json.loads(shown.out)["layers"]
    assert {one["name"]: tuple(one["bits"]) for one in layers} == precision
    # A second run takes everything from the storage.

    def evaluate(*_):
        raise AssertionError("the storage has all evaluations")

    monkeypatch.setattr(study_module, "evaluate", evaluate)
    again = run_command(command, *arguments, *options)
    assert json.loads(again.stdout) == result


def test_the_path_alone_with_kept_ends(model):
    ended = run_command(command, "network.onnx", "--inputs", "inputs.npz", "--quick", "--keep-ends", "--processes", "1")
    assert ended.exit_code == 0, ended.stderr
    precision = read_precision("build/studies/layer-precision.toml")
    assert precision["first"] == precision["third"] == (4, 4)
    assert "network.onnx: 3 layers, agreement, at most 0.5 points less than FP32" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("network.onnx",), "MODEL needs --inputs or --lines"),
        (("--batch", "4"), "--batch and --output-name need a MODEL"),
        (("network.onnx", "--lines", "4", "--labels", "labels.npy"), "--lines conflicts with --inputs and --labels"),
        (("network.onnx", "--lines", "4", "--metric", "agreement"), "--lines conflicts with --metric agreement"),
        (("network.onnx", "--lines", "4"), "network.onnx has no metadata 'character' that list the characters"),
        (
            ("network.onnx", "--inputs", "inputs.npz", "--labels", "labels.npy", "--metric", "characters"),
            "labels.npy must have a row of characters for each of the 40 samples",
        ),
        (("--inputs", "inputs.npz"), "need a MODEL"),
        (("network.onnx", "--inputs", "inputs.npz", "--metric", "accuracy"), "--metric accuracy needs --labels"),
        (
            ("network.onnx", "--inputs", "inputs.npz", "--labels", "labels.npy", "--metric", "agreement"),
            "--labels conflicts with --metric agreement",
        ),
        (("none.onnx", "--inputs", "inputs.npz"), "cannot read none.onnx: No such file or directory"),
        (("network.onnx", "--inputs", "none.npz"), "cannot read none.npz: No such file or directory"),
        (("network.onnx", "--inputs", "labels.npy"), "labels.npy: it is no .npz file"),
        (("network.onnx", "--inputs", "network.onnx"), "network.onnx: it is no .npz file of numbers"),
        (
            ("network.onnx", "--inputs", "inputs.npz", "--labels", "inputs.npz"),
            "cannot read inputs.npz: it is no .npy file, which has one array",
        ),
        (
            ("network.onnx", "--inputs", "inputs.npz", "--labels", "network.onnx"),
            "cannot read network.onnx: it is no .npy file of numbers",
        ),
        (("network.onnx", "--inputs", "torn.npz"), "cannot read torn.npz: it is no .npz file of numbers"),
        (
            ("network.onnx", "--inputs", "inputs.npz", "--labels", "short.npy"),
            r"short.npy must have labels of the shape \(40,\)",
        ),
        (
            ("network.onnx", "--inputs", "inputs.npz", "--tuning", "39"),
            "inputs.npz must have 41 samples or more, not 40",
        ),
        (("--tuning", "1001"), "tuning must be from 0 to 1000"),
        (("--tuning", "-1"), "tuning must be from 0 to"),
        (("network.onnx", "--inputs", "inputs.npz", "--output-name", "z"), "output-name must be one of y, not 'z'"),
        (
            ("network.onnx", "--inputs", "inputs.npz", "--set", "engine.packed_operands=false"),
            "operands must be fp32 with engine.packed_operands = false, not 'packed'",
        ),
    ],
)
def test_wrong_arguments(lowtide, model, arguments, message):
    np.save("short.npy", np.zeros(39, int))
    Path("torn.npz").write_bytes(Path("inputs.npz").read_bytes()[:-30])
    ended = lowtide("study", "layer-precision", *arguments)
    assert ended.code in (1, 2)
    assert re.search(message, ended.err), ended.err
    assert len(ended.err.splitlines()) == 1


def test_labels_of_another_shape_are_refused(model):
    np.save("labels.npy", np.zeros(39, int))
    with pytest.raises(LowtideError, match=r"labels.npy must have labels of the shape \(40,\)"):
        evaluate(attrs.asdict(task()), None)


def test_characters_need_integers(model):
    np.save("labels.npy", np.zeros((40, 3)))
    asked = attrs.evolve(task(), metric="characters")
    with pytest.raises(LowtideError, match=r"labels.npy must have integers"):
        evaluate(attrs.asdict(asked), None)


@pytest.mark.parametrize("shapes", [{"x": (40, 8), "y": (1, 8)}, {"x": (0, 8)}, {"x": ()}, {}])
def test_batches_need_equally_many_samples(model, shapes):
    inputs: dict[str, Any] = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    np.savez("inputs.npz", **inputs)
    with pytest.raises(LowtideError, match=r"inputs.npz must have inputs of equally many samples with --batch"):
        evaluate(attrs.asdict(task(batch=4)), None)
