"""Trainings of networks in several formats: equal bits, checkpoints, and the parameters of formats."""

import attrs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("optuna")
pytest.importorskip("PIL")
from tiny_trainings import tiny  # noqa: E402

from lowtide.formats import IllegalValue  # noqa: E402
from lowtide_studies.network_training import training as training_module  # noqa: E402
from lowtide_studies.network_training.data import Data, Part  # noqa: E402
from lowtide_studies.network_training.run import Run  # noqa: E402
from lowtide_studies.network_training.training import train  # noqa: E402
from lowtide_studies.network_training.units import UNITS  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


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


@pytest.mark.parametrize("form", ["adaptive", "adaptive-weights"])
def test_thresholds_of_the_adaptive_formats(form):
    """With a threshold of 0, all operands have two chunks."""
    run, data = tiny("resnet8", form, alpha=0.0, beta=0.0)
    four = train(attrs.evolve(run, format="fixed-4"), data)
    assert train(run, data).sha256 == four.sha256
    assert train(attrs.evolve(run, alpha=3.0), data).sha256 != four.sha256


@pytest.mark.parametrize("words", [{"random_bits": 3}, {"random_plateau": True}])
def test_random_words(words):
    """Only stochastic rounding depends on them."""
    run, data = tiny("lstm", "fixed-4-2")
    nearest = attrs.evolve(run, gradients="nearest")
    assert train(run, data).sha256 != train(attrs.evolve(run, **words), data).sha256
    assert train(nearest, data) == train(attrs.evolve(nearest, **words), data)


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
