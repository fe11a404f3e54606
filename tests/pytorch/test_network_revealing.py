"""Term revealing on networks in PyTorch: products, counts of pairs, fine-tuning, selection and the command."""

import json

import attrs
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("optuna")
pytest.importorskip("PIL")
from torch import nn  # noqa: E402

from fixtures.studies import refusal, run_command, run_study  # noqa: E402, F401
from lowtide_model.engine.reveal import Reveal  # noqa: E402
from lowtide_model.quotient import nearest_quotient  # noqa: E402
from lowtide_model.terms import digits_of, quantize_integers, reveal_data, reveal_weights, term_matmul  # noqa: E402
from lowtide_studies.network_revealing import study as study_module  # noqa: E402
from lowtide_studies.network_revealing.command import command  # noqa: E402
from lowtide_studies.network_revealing.engines import INTEGERS, cycles_of, engine_costs, terms_engine  # noqa: E402
from lowtide_studies.network_revealing.integers import IntegerNetwork  # noqa: E402
from lowtide_studies.network_revealing.study import Result, Tuned  # noqa: E402
from lowtide_studies.network_revealing.sweep import Trained, fine_tuned, score  # noqa: E402
from lowtide_studies.network_revealing.trainings import TRAININGS, training_of  # noqa: E402
from lowtide_studies.network_training.data import Data, Part  # noqa: E402
from lowtide_studies.network_training.models import make_network  # noqa: E402
from lowtide_studies.network_training.run import Run  # noqa: E402
from lowtide_studies.term_revealing.revealed import Setting  # noqa: E402
from lowtide_studies.term_revealing.sweep import Narrower, Plain, Point, Sweep  # noqa: E402
from lowtide_torch.products import revealed  # noqa: E402
from lowtide_torch.settings import TR  # noqa: E402

SETTINGS = [
    Setting(encoding="hese", group=8, budget=10, data_terms=2),
    Setting(encoding="binary", group=5, budget=12, data_terms=3),
    Setting(encoding="booth", group=16, budget=12, data_terms=1),
]


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def digits(values, setting):
    return np.count_nonzero(digits_of(values, 8, setting.encoding), axis=-1)


# Products


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_linear_layers_have_the_bits_of_lowtide_torch(setting):
    layer, x = nn.Linear(37, 11), torch.randn(3, 5, 37)
    network = IntegerNetwork(layer, [x])
    network.keep(setting)
    with torch.no_grad():
        expected = revealed(x.flatten(0, 1), layer.weight, TR(width=8, **attrs.asdict(setting)))
        assert torch.equal(layer(x), expected.reshape(3, 5, 11) + layer.bias)


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (3, 2, 1), (1, 2, 0)])
def test_convolutions_are_golden_products_of_windows(setting, kernel, stride, padding):
    layer, x = nn.Conv2d(6, 4, kernel, stride, padding, bias=False), torch.randn(2, 6, 9, 8)
    network = IntegerNetwork(layer, [x])
    network.keep(setting)
    with torch.no_grad():
        y = layer(x)
    data = quantize_integers(x.numpy(), 8)
    weights = quantize_integers(layer.weight.detach().numpy(), 8)
    padded = np.pad(data.integers, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    vectors = weights.integers.transpose(0, 2, 3, 1).reshape(4, -1)
    for row in range(y.shape[2]):
        for column in range(y.shape[3]):
            down, across = row * stride, column * stride
            window = padded[:, :, down : down + kernel, across : across + kernel]
            rows = window.transpose(0, 2, 3, 1).reshape(2, -1)
            sums = term_matmul(rows, vectors.T, width=8, **attrs.asdict(setting))
            expected = (sums * float(data.scale.item() * weights.scale.item())).astype(np.float32)
            np.testing.assert_array_equal(y[:, :, row, column].numpy(), expected)


def test_quotients_near_ties_are_exact():
    layer = nn.Linear(1, 1)
    x = (torch.arange(-126, 127) + 0.5)[:, None] * torch.tensor([1.0, 1 - 2.0**-23, 1 + 2.0**-23]).repeat(1, 1)
    x = x.reshape(-1, 1) * 0.7
    (own,) = IntegerNetwork(layer, [x, torch.tensor([[127 * 0.7]])]).layers
    exact = np.clip(nearest_quotient(x.numpy().astype(np.float64), own.data_scale), -127, 127)
    np.testing.assert_array_equal(own.kept_data(x).numpy(), exact)


def test_data_beyond_the_calibration_saturate():
    layer = nn.Linear(2, 1)
    (own,) = IntegerNetwork(layer, [torch.tensor([[1.0, -0.5]])]).layers
    assert own.kept_data(torch.tensor([2.0, -3.0, 0.25])).tolist() == [127, -127, 32]


def test_without_a_setting_all_terms_are_kept():
    layer, x = nn.Linear(30, 7), torch.randn(4, 30)
    network = IntegerNetwork(layer, [x])
    with torch.no_grad():
        plain = layer(x)
        network.keep(Setting(encoding="hese", group=8, budget=32, data_terms=4))
        assert torch.equal(layer(x), plain)
        network.keep(Setting(encoding="hese", group=8, budget=2, data_terms=1))
        assert not torch.equal(layer(x), plain)
        network.keep(None)
        assert torch.equal(layer(x), plain)


@pytest.mark.parametrize("name", TRAININGS)
def test_eight_bits_are_nearly_fp32(name):
    text = name in ("lstm", "transformer")
    network = make_network(name, 1, 5, 8).eval()
    x = torch.randint(0, 5, (3, 6)) if text else torch.rand(3, 1, 32, 32)
    with torch.no_grad():
        expected = network(x)
        integers = IntegerNetwork(network, [x])
        found = network(x)
    assert not torch.equal(found, expected)
    torch.testing.assert_close(found, expected, atol=0.05 * float(expected.abs().max()), rtol=0)
    assert len(integers.layers) == {"perceptron": 2, "resnet8": 10, "resnet20": 22, "lstm": 3, "transformer": 9}[name]


# Pairs


@pytest.mark.parametrize("setting", [None, *SETTINGS[:2]], ids=str)  # a part of Booth digits has other Booth digits
def test_pairs_are_counted_product_by_product(setting):
    torch.manual_seed(3)
    convolution, linear = nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Linear(4 * 3 * 4, 5)
    network = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), linear)
    x = torch.randn(2, 3, 5, 7)
    integers = IntegerNetwork(network, [x])
    integers.keep(setting)
    pairs = products = most = 0
    encoding = setting.encoding if setting else "hese"
    inputs = [x, torch.relu(convolution(x)).flatten(1)]
    for layer, data, vectors in zip(
        integers.layers,
        inputs,
        (convolution.weight.permute(0, 2, 3, 1).flatten(1), linear.weight),
        strict=True,
    ):
        q = quantize_integers(vectors.detach().numpy(), 8).integers
        d = np.clip(nearest_quotient(data.detach().numpy().astype(np.float64), layer.data_scale), -127, 127).astype(int)
        if setting:
            keys = {"width": 8, "encoding": encoding}
            q = reveal_weights(q, group=setting.group, budget=setting.budget, **keys)
            d = reveal_data(d, terms=setting.data_terms, **keys)
        if d.ndim == 4:
            padded = np.pad(d, ((0, 0), (0, 0), (1, 1), (1, 1)))
            rows = [
                padded[i, :, r : r + 3, c : c + 3].transpose(1, 2, 0).ravel()
                for i in range(2)
                for r in (0, 2, 4)
                for c in (0, 2, 4, 6)
            ]
            d = np.stack(rows)
        terms = [
            np.count_nonzero(digits_of(np.abs(one), 9, encoding), axis=-1).astype(np.int64) for one in (d, q)
        ]  # 128 has nine bits
        pairs += int((terms[0] @ terms[1].T).sum())
        products += d.shape[0] * q.shape[1] * q.shape[0]
        if setting:
            groups = -(-q.shape[1] // setting.group)
            most += d.shape[0] * q.shape[0] * groups * setting.budget * setting.data_terms
    assert integers.present(x, [encoding])[encoding] == pytest.approx(pairs / products)
    assert integers.shapes(x) == [(2 * 3 * 4, 27, 4), (2, 48, 5)]
    if setting:
        assert integers.at_most(x, setting) == pytest.approx(most / products)
        assert pairs <= most


def test_steps_of_an_lstm_count_each():
    network = make_network("lstm", 1, 5, 8).eval()
    tokens = torch.randint(0, 5, (3, 6))
    shapes = IntegerNetwork(network, [tokens]).shapes(tokens)
    assert shapes == [(18, 8, 32), (18, 8, 32), (18, 8, 5)]


# Scores, fine-tuning


def images(count=24):
    source = torch.Generator().manual_seed(1)
    part = Part(inputs=torch.rand(count, 1, 32, 32, generator=source), labels=torch.arange(count) % 3)
    return Data(title="noise", classes=("a", "b", "c"), training=part, validation=part, test=part)


def test_scores_are_accuracies_and_cross_entropies():
    part = Part(inputs=torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), labels=torch.tensor([0, 1, 1]))
    assert score(nn.Identity(), part, False) == pytest.approx(200 / 3)
    loss = nn.functional.cross_entropy(part.inputs, part.labels).item()
    assert score(nn.Identity(), part, True) == pytest.approx(-100 * loss)


def test_fine_tuning_recovers_a_loss(tmp_path):
    run = training_of("perceptron", {"width": 16, "batch": 8, "epochs": 40, "rate": 0.05})
    setting = Setting(encoding="hese", group=64, budget=2, data_terms=1)
    trained = Trained(run, images(), tmp_path / "run.pt")
    network = trained.integers(8)
    plain = trained.scores()
    network.keep(setting)
    before = trained.scores()
    after = fine_tuned(Trained(run, images(), tmp_path / "run.pt"), 8, setting, 60)
    assert plain[1] == 100
    assert before[1] < after["held_out"]
    again = fine_tuned(Trained(run, images(), tmp_path / "run.pt"), 8, setting, 60)
    assert again == after


def test_a_lost_checkpoint_is_trained_again_with_equal_bits(tmp_path):
    run = training_of("perceptron", {"width": 8, "batch": 8, "epochs": 2})
    first = Trained(run, images(), tmp_path / "run.pt").network.state_dict()
    (tmp_path / "run.pt").unlink()
    again = Trained(run, images(), tmp_path / "run.pt").network.state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)


# Selection


def result(text, losses):
    points = [
        Point(
            setting=Setting(group=8, budget=budget, data_terms=2),
            validation=[90 - loss] * 2,
            held_out=[80 - loss, 81 - loss],
            present=[1.0, 1.0],
            at_most=2.0,
        )
        for budget, loss in losses.items()
    ]
    plain = Plain(fp32=[81, 81], validation=[90, 90], held_out=[80, 81], present={"binary": [4, 4], "hese": [3, 3]})
    return Result(
        run=Run(network="lstm" if text else "resnet8", format="fp32"),
        data="data",
        sweep=Sweep(network="lstm" if text else "resnet8", width=8, plain=plain, points=points),
        narrower=Narrower(network="", held_out={8: [80, 81], 4: [78, 79]}),
        tuned=[
            Tuned(setting=None, validation=[90, 90], held_out=[82, 82]),
            Tuned(setting=points[0].setting, validation=[90, 90], held_out=[81, 81]),
        ],
        shapes=[(8, 16, 4)],
    )


def test_half_a_point_or_two_per_cent_may_be_lost():
    losses = {4: 2.1, 8: 1.9, 12: 0.6, 16: 0.4}
    chosen = [result(text, losses).chosen() for text in (False, True)]
    assert [point and point.setting.budget for point in chosen] == [16, 8]
    assert result(False, {8: 0.6}).chosen() is None
    assert result(False, losses).chosen("binary") is None
    assert result(True, losses).tuned_loss(result(True, losses).tuned[1]).mean == 1


# Engines


def test_cycles_of_engines():
    """A full array without waits: one product per cycle and element, or k / g cycles per product."""
    m, k, n = 512, 64, 64
    tiles = m // 8 * n // 8
    integers = cycles_of(INTEGERS, (m, k, n))
    assert tiles * k <= integers < 1.1 * tiles * k
    setting = Setting(group=8, budget=12, data_terms=2)
    config = terms_engine([setting, Setting(group=16, budget=8, data_terms=3)], 8)
    assert (config.terms.group, config.terms.budget, config.terms.data_terms) == (16, 12, 3)
    terms = cycles_of(config, (m, k, n), Reveal(group=8, budget=12, data_terms=2))
    assert tiles * k * 1.5 <= terms < 1.1 * tiles * k * 1.5


def test_cells_times_cycles_of_engines(monkeypatch):
    from lowtide_studies.network_revealing import engines

    monkeypatch.setattr(engines, "_measured", lambda configs, *_: [1000, 1500][: len(configs)])
    setting = Setting(group=8, budget=12, data_terms=2)
    (cost,) = engine_costs({"net": setting}, {"net": [(64, 32, 16)] * 2}, width=8, target="xc7")
    assert cost.integer_cycles == 2 * cycles_of(INTEGERS, (64, 32, 16))
    expected = 1000 * cost.integer_cycles / (1500 * cost.term_cycles)
    assert cost.to_json()["speed"] == pytest.approx(expected)
    assert engine_costs({}, {}, width=8, target="xc7") == []


# Command


def test_command_keeps_its_jobs(run_study, tmp_path, monkeypatch):  # noqa: F811
    file = tmp_path / "book.txt"
    file.write_text("the quick brown fox jumps over the lazy dog\n" * 60)
    arguments = ["--quick", "--network", "lstm", "--text", file, "--samples", "32", "--width", "8", "--json"]
    found = run_study(command, *arguments)
    assert found.exit_code == 0, found.output
    (row,) = json.loads(found.stdout)["rows"]
    assert row["data"] == "book.txt"
    assert {point["setting"]["encoding"] for point in row["points"]} == {"hese", "binary"}
    assert all(point["present"][0] <= point["bound"] for point in row["points"])
    assert (tmp_path / "build/studies/network-revealing.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((tmp_path / "build/studies/network-revealing").glob("*.pt"))) == 1
    monkeypatch.setattr(study_module, "Trained", lambda *_: 1 / 0)
    assert json.loads(run_study(command, *arguments).stdout)["rows"] == [row]
    printed = run_study(command, *arguments[:-1]).stdout
    for title in ("plain quantization to 8 bits, 1 seed", "settings of fewest pairs", "lstm: Pareto front"):
        assert title in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--network", "vgg"], "network must be one of perceptron, resnet8, resnet20, lstm, transformer, not 'vgg'"),
        (["--encoding", "ternary"], "encoding must be one of binary, booth, hese, not 'ternary'"),
        (["--bits", "9"], "bits must be from 4 to 8, not 9"),
        (["--tuning", "-1"], "tuning must be from 0 to 100000, not -1"),
        (["--network", "resnet8", "--images", "nowhere"], "cannot read nowhere/train: No such file or directory"),
    ],
)
def test_refusals(refusal, arguments, message):  # noqa: F811
    assert message in refusal(command, *arguments)
