"""Trainings with every product verified; checkpoints; adaptive precision; several processes."""

import copy
import io
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

import lowtide_torch as lt  # noqa: E402
from lowtide.config import Config  # noqa: E402
from lowtide.formats import IllegalValue  # noqa: E402
from lowtide_model import Improvement, improvement_of  # noqa: E402
from lowtide_studies.engine_training.schedule import Last, LowThenHigh, Moment, TwoSided, Use  # noqa: E402
from lowtide_torch import native  # noqa: E402
from lowtide_torch.bench import ResNet8, Transformer  # noqa: E402
from lowtide_torch.quantize import states  # noqa: E402
from lowtide_torch.site import LayerState  # noqa: E402

FOLDER = Path(__file__).parent


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def steps(network, batches, rate=0.05, after=lambda: None):
    """Losses of an unmodified training loop."""
    optimizer = torch.optim.SGD(network.parameters(), rate, momentum=0.9)
    losses = []
    for x, y in batches:
        loss = functional.cross_entropy(network(x).flatten(0, -2), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        after()
        losses.append(loss.item())
    return losses


def images(count, size=2, pixels=8):
    labels = torch.randint(0, 10, (count, size))
    return [(torch.randn(size, 3, pixels, pixels), label) for label in labels]


def equal_weights(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("settings", [lt.BFP(), lt.FastAdaptive(alpha=0.4)])
def test_residual_network(settings):
    """Products of three steps, and of an evaluation, equal the golden engine's."""
    network = ResNet8(width=16)
    engine = lt.Engine(verify=1)
    lt.quantize_(network, settings, engine=engine)
    steps(network, images(2))
    network.eval()
    with torch.no_grad():
        network(images(1)[0][0])
    layers = len(states(network))
    assert layers == 10
    assert engine.products == 2 * (3 * layers - 1) + layers


@pytest.mark.parametrize("settings", [lt.BFP(), lt.FastAdaptive(alpha=0.4)])
def test_transformer(settings):
    """All products of attention, too: six per layer, each with two more in the backward pass."""
    network = Transformer(width=16)
    engine = lt.Engine(verify=1)
    report = lt.quantize_(network, settings, engine=engine)
    parts = ("self_attn", "linear1", "linear2")
    assert set(report) == {"head"} | {f"layers.layers.{i}.{name}" for i in (0, 1) for name in parts}
    tokens = torch.randint(0, 256, (2, 5))
    steps(network, [(tokens, tokens)] * 2)
    assert engine.products == 2 * 3 * (2 * 8 + 1)
    network.eval()
    with torch.no_grad():
        network(tokens)
    assert engine.products == 2 * 3 * (2 * 8 + 1) + 2 * 8 + 1


def test_a_training_learns():
    """A small network separates two classes."""
    network = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
    lt.quantize_(network, lt.BFP())
    x = torch.randn(256, 8)
    y = (x[:, 0] * x[:, 1] > 0).long()
    losses = steps(network, [(x, y)] * 60, rate=0.2)
    assert losses[-1] < 0.5 * losses[0]


def test_native_and_torch_operations_train_to_equal_bits(monkeypatch):
    if not native.available(torch.zeros(1)):
        pytest.skip("no C compiler")
    trained = []
    for available in (native.available, lambda _: False):
        monkeypatch.setattr(native, "available", available)
        torch.manual_seed(1)
        network = ResNet8(width=16)
        lt.quantize_(network, lt.FastAdaptive(alpha=0.4))
        steps(network, images(2))
        trained.append(network)
    assert equal_weights(*trained)
    assert [state.saved() for state in states(trained[0])] == [state.saved() for state in states(trained[1])]


def test_a_memory_format_changes_no_bit():
    trained = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(2)
        network = nn.Sequential(nn.Conv2d(16, 8, 3, padding=1), nn.Flatten(), nn.Linear(8 * 25, 10))
        lt.quantize_(network, lt.BFP())
        batches = [(torch.randn(3, 16, 5, 5), torch.randint(0, 10, (3,))) for _ in range(2)]
        steps(network, [(x.to(memory_format=memory_format), y) for x, y in batches])
        trained.append(network)
    assert equal_weights(*trained)


@pytest.mark.parametrize(
    "settings",
    [
        lt.BFP(seed=3),
        lt.FastAdaptive(alpha=0.4, seed=3),
        lt.TwoSided(hold=1, seed=3),
        lt.LowThenHigh(share=0.75, kinds=("weights", "gradients"), seed=3),
    ],
)
def test_a_checkpoint_resumes_with_equal_bits(settings):
    batches = images(4)

    def made():
        torch.manual_seed(4)
        network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 10))
        lt.quantize_(network, settings)
        return network, lt.Controller(network, steps=4)

    straight, controller = made()
    steps(straight, batches[:2], rate=0.1, after=controller.step)
    saved = io.BytesIO()
    torch.save({"network": straight.state_dict(), "controller": controller.state_dict()}, saved)
    steps(straight, batches[2:], rate=0.1, after=controller.step)

    resumed, later = made()
    saved.seek(0)
    loaded = torch.load(saved, weights_only=True)
    resumed.load_state_dict(loaded["network"])
    later.load_state_dict(loaded["controller"])
    steps(resumed, batches[2:], rate=0.1, after=later.step)
    assert equal_weights(straight, resumed)
    assert later.state_dict() == {"steps": 4, "finished": 4}


def test_an_evaluation_changes_no_later_bit():
    def trained(evaluates):
        torch.manual_seed(5)
        network = nn.Sequential(nn.Flatten(), nn.Linear(192, 10))
        lt.quantize_(network, lt.BFP(activations=lt.Stochastic()))
        for batch in images(3):
            steps(network, [batch])
            if evaluates:
                network.eval()
                network(batch[0])
                network.train()
        return network

    assert equal_weights(trained(False), trained(True))


def test_copies_and_saved_modules_compute_equal_bits():
    network = nn.Sequential(nn.Linear(20, 4))
    lt.quantize_(network, lt.BFP(), engine=lt.Engine("tiny"))
    file = io.BytesIO()
    torch.save(network, file)
    file.seek(0)
    x = torch.randn(3, 20)
    for other in (copy.deepcopy(network), torch.load(file, weights_only=False)):
        assert torch.equal(network(x), other(x))
        assert states(other)[0].engine.config == states(network)[0].engine.config


def test_seeds_and_layers_have_different_words():
    """Equal layers with equal inputs round differently, and so do two calls and two seeds."""
    x, found = torch.randn(4, 64), []
    for seed in (0, 1):
        torch.manual_seed(6)
        one = nn.Linear(64, 8, bias=False)
        pair = nn.ModuleList([one, copy.deepcopy(one)])
        lt.quantize_(pair, lt.BFP(activations=lt.Stochastic(2), seed=seed))
        found += [pair[0](x), pair[1](x), pair[0](x)]
    assert all(not torch.equal(a, b) for i, a in enumerate(found) for b in found[:i])


def test_precision_follows_the_threshold():
    """With alpha 0, every operand has two chunks; with alpha 3, one chunk from the second step on."""
    for alpha, expected in ((0, {2}), (3, {1})):
        network = nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.ReLU(), nn.Linear(16, 10))
        lt.quantize_(network, lt.FastAdaptive(alpha=alpha, beta=0))
        controller = lt.Controller(network, steps=2)
        steps(network, images(1), after=controller.step)
        assert set(controller.precision().values()) == {2}
        steps(network, images(1), after=controller.step)
        assert set(controller.precision().values()) == expected


@pytest.mark.parametrize(
    "settings",
    [lt.FastAdaptive(alpha=3, beta=0, kinds=["weights"]), lt.TwoSided(low=3, high=3, hold=1, kinds=("weights",))],
)
def test_only_some_kinds_adapt(settings):
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.ReLU(), nn.Linear(16, 10))
    lt.quantize_(network, settings)
    controller = lt.Controller(network, steps=2)
    for _ in range(2):
        steps(network, images(1), after=controller.step)
    found = {(key.split(".")[-2], chunks) for key, chunks in controller.precision().items()}
    assert found == {("weights", 1), ("activations", 2), ("gradients", 2)}


def test_thresholds_fall_over_steps_and_layers():
    network = nn.Sequential(*(nn.Linear(4, 4) for _ in range(3)))
    lt.quantize_(network, lt.FastAdaptive(alpha=0.5, beta=0.3))
    controller = lt.Controller(network, steps=10)
    for _ in range(4):
        controller.step()
    expected = [round(256 * (0.5 - 0.3 * 4 / 10 - 0.3 * layer / 3)) for layer in range(3)]
    assert [state.threshold() for state in states(network)] == expected


def test_settings_by_name():
    network = nn.ModuleDict({"stem": nn.Linear(4, 4), "body": nn.Linear(4, 4), "head": nn.Linear(4, 4)})
    report = lt.quantize_(
        network,
        {"stem": None, "h*": lt.BFP(weights=lt.Nearest(8), activations=lt.Nearest(8)), "*": lt.BFP(seed=1)},
        engine=lt.Engine(Config().changed({"bfp.mantissa": 8})),
    )
    assert report["stem"] == "host"
    assert "bits=8" in report["head"]
    assert "seed=1" in report["body"]
    assert type(network["stem"]) is nn.Linear


def test_shared_parameters_hooks_and_optimizers_stay():
    first, second = nn.Linear(6, 6), nn.Linear(6, 6)
    second.weight = first.weight
    network = nn.Sequential(first, second)
    optimizer = torch.optim.SGD(network.parameters(), 1.0)
    seen = []
    first.register_forward_hook(lambda *_: seen.append(1))
    lt.quantize_(network, lt.BFP())
    before = first.weight.detach().clone()
    network(torch.randn(3, 6)).sum().backward()
    optimizer.step()
    assert seen == [1]
    assert first.weight is second.weight
    assert not torch.equal(before, first.weight)


def test_two_processes():
    """Both processes end with equal weights, and round with different words."""
    (weights, words), (other_weights, other_words) = (output.split() for output in _distributed())
    assert weights == other_weights
    assert words != other_words


@pytest.mark.slow
def test_two_equal_runs_of_two_processes():
    assert _distributed() == _distributed()


def _distributed():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, str(FOLDER / "two_processes.py")]
    processes = [subprocess.Popen([*command, str(rank), port], stdout=subprocess.PIPE, text=True) for rank in (0, 1)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    return outputs


def test_two_sided_precision_is_the_schedule_of_the_studies():
    """The precision of an operand, call by call, equals the NumPy schedule on equal improvements."""
    settings = lt.TwoSided(low=0.3, high=0.5, hold=3)
    state = LayerState(engine=lt.Engine("tiny"), settings=settings, name="x", number=0, layers=1)
    schedule, last = TwoSided(low=0.3, high=0.5, hold=3), None
    moment, random = Moment(step=0, steps=1, layers=1), np.random.default_rng(0)
    found = []
    for _ in range(200):
        chunks = state.precision("key")
        assert chunks == schedule.chunks(Use(0, "forward", "weights"), moment, last)
        state.use("key", chunks)
        state.measured["key"] = Improvement(low_sum=int(random.integers(0, 100)), high_sum=100)
        held = last.held + 1 if last and last.chunks == chunks else 1
        last = Last(chunks=chunks, ratio=state.measured["key"], held=held)
        found.append(chunks)
    assert {found.count(1) > 20, found.count(2) > 20} == {True}


def test_improvements_are_of_the_last_step():
    """Of the weights of a linear layer, along K, as the golden model measures them."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.ReLU(), nn.Linear(16, 10))
    lt.quantize_(network, lt.FastAdaptive())
    controller = lt.Controller(network, steps=2)
    assert controller.improvement() == {}
    weights = network.get_parameter("3.weight").detach().clone()
    steps(network, images(1))
    found = controller.improvement()
    assert found.keys() == controller.precision().keys()
    expected = improvement_of(weights.numpy(), chunk=2, exponent=3, group=16, axis=1)
    assert found["3.forward.weights.b"] == expected.value > 0
    fixed = nn.Sequential(nn.Flatten(), nn.Linear(192, 16))
    lt.quantize_(fixed, lt.LowThenHigh())
    controller = lt.Controller(fixed, steps=2)
    steps(fixed, images(1))
    assert controller.improvement() == {}


@pytest.mark.parametrize("share", [0, 0.25, 0.3, 1])
def test_low_then_high_is_the_schedule_of_the_studies(share):
    """Chunks of all kinds, step by step; kinds that do not change have two chunks."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.ReLU(), nn.Linear(16, 10))
    lt.quantize_(network, lt.LowThenHigh(share=share))
    controller, schedule = lt.Controller(network, steps=10), LowThenHigh(share=share)
    for step in range(10):
        steps(network, images(1), after=controller.step)
        low = schedule.chunks(Use(0, "forward", "weights"), Moment(step=step, steps=10, layers=2), None)
        found = {(key.split(".")[-2], chunks) for key, chunks in controller.precision().items()}
        assert found == {("weights", low), ("activations", low), ("gradients", 2)}
    steps(network, images(1))
    assert set(controller.precision().values()) == {2}  # after the last step


def test_low_then_high_needs_a_controller():
    network = nn.ModuleDict({"fc": nn.Linear(4, 4)})
    lt.quantize_(network, lt.LowThenHigh())
    with pytest.raises(lt.MissingController, match=r"layer 'fc': LowThenHigh needs the steps of the training"):
        network["fc"](torch.zeros(2, 4))
    lt.Controller(network, steps=3)
    network["fc"](torch.zeros(2, 4))


def test_two_sided_thresholds_are_ordered():
    with pytest.raises(IllegalValue, match=r"low must be at most high, 0.3, not 0.4"):
        lt.TwoSided(low=0.4, high=0.3)


def test_settings_of_a_precision_file(tmp_path):
    file = tmp_path / "precision.toml"
    file.write_text('[precision]\n"0" = [4, 2]\n"2" = "fp32"\n"*" = 2\n')
    settings = lt.read_precision(file)
    assert settings == {
        "0": lt.BFP(activations=lt.Nearest(4), weights=lt.Nearest(2)),
        "2": None,
        "*": lt.BFP(activations=lt.Nearest(2), weights=lt.Nearest(2)),
    }
    network = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 6), nn.Linear(6, 2))
    report = lt.quantize_(network, settings)
    assert [report[name] == "host" for name in ("0", "2", "3")] == [False, True, False]
    network(torch.randn(3, 4)).sum().backward()
    other = lt.read_precision(file, gradients=lt.Nearest(2))["0"]
    assert other == lt.BFP(activations=lt.Nearest(4), weights=lt.Nearest(2), gradients=lt.Nearest(2))
