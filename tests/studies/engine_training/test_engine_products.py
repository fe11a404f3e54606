"""The products of networks on engines: operands, precision, rounding, and what is kept of a step."""

import numpy as np
import pytest

from lowtide.config import Config, ConfigError
from lowtide_model import improvement_of
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_studies.engine_training.products import EngineProducts
from lowtide_studies.engine_training.schedule import SCHEDULES, Last, Use, uses
from lowtide_studies.networks.digits import Digits
from lowtide_studies.networks.network import network

CONFIG = Config()


class Recording(GoldenEngine):
    """A golden engine that keeps what it was given."""

    def __init__(self, config):
        super().__init__(config)
        self.given = []

    def multiply(self, a, b, a_settings, b_settings):
        self.given.append((a, b, a_settings, b_settings))
        return super().multiply(a, b, a_settings, b_settings)


def products(engine, schedule="adaptive", layers=2, seed=3):
    return EngineProducts(engine, SCHEDULES[schedule](), layers=layers, steps=100, seed=seed)


def batch(count=32):
    images = Digits.load().training.first(count)
    return images.pixels, images.labels


@pytest.fixture
def tensors():
    random = np.random.default_rng(7)
    x, weights, gradient = (random.standard_normal(shape) for shape in ((32, 64), (64, 10), (32, 10)))
    return x.astype(np.float32), weights.astype(np.float32), (gradient / 50).astype(np.float32)


def test_each_product_is_one_of_the_engine(tensors):
    x, weights, gradient = tensors
    engine = Recording(CONFIG)
    its = products(engine).layer(1)
    found = [its.forward(x, weights), its.to_inputs(gradient, weights), its.to_weights(x, gradient)]
    pairs = [(x, weights), (gradient, weights.T), (x.T, gradient)]
    roundings = [("nearest", "nearest"), ("stochastic", "nearest"), ("nearest", "stochastic")]
    for values, pair, names, (*given, a_settings, b_settings) in zip(
        found, pairs, roundings, engine.given, strict=True
    ):
        for operand, due, its_own, name in zip(given, pair, (a_settings, b_settings), names, strict=True):
            assert np.shares_memory(operand, due)
            assert operand.strides == due.strides
            top = int(np.floor(np.log2(np.abs(due).max())))
            assert its_own == OperandSettings(chunks=2, rounding=name, seed=its_own.seed, bias=top - 7)
        due = GoldenEngine(CONFIG).multiply(*pair, a_settings, b_settings).values
        assert values.tobytes() == due.tobytes()


def test_random_words_follow_from_seed_step_layer_and_product(tensors):
    x, _, gradient = tensors

    def seed(run, step, layer):
        engine = Recording(CONFIG)
        its = products(engine, seed=run)
        its.begin(step)
        its.layer(layer).to_weights(x, gradient)
        return engine.given[0][3].seed

    assert seed(1, 2, 0) == seed(1, 2, 0)
    for one in range(3):
        seeds = [seed(*(n if place == one else 1 for place in range(3))) for n in range(12)]
        assert len(set(seeds)) == 12
        assert set(seeds) <= set(range(1, 2**16))


def test_every_use_has_a_ratio_of_its_own():
    """Of the perceptron's weights of the second layer, along their inputs and along their outputs."""
    engine = Recording(CONFIG)
    its, net = products(engine), network("perceptron", 2)
    its.begin(0)
    net.gradients(*batch(), its)
    its.end()
    assert set(its.last) == set(uses(2))
    for product, axis, x in (("forward", 0, net.layers[1].weights), ("to_inputs", 0, net.layers[1].weights.T)):
        due = improvement_of(x, chunk=2, exponent=3, group=16, axis=axis)
        assert its.last[Use(1, product, "weights")] == Last(chunks=2, ratio=due, held=1)
    assert len({last.ratio for last in its.last.values()}) == len(its.last)


def test_a_decision_is_that_of_the_step_before():
    engine = Recording(CONFIG)
    its, net = products(engine), network("perceptron", 2)
    for step in range(3):
        before = dict(its.last)
        its.begin(step)
        net.gradients(*batch(), its)
        its.end()
        for use, last in its.last.items():
            ratio = before[use].ratio if before else None
            threshold = round(256 * (0.5 - 0.3 * step / 100 - 0.3 * use.layer / 2))
            assert last.chunks == (1 + ratio.exceeds(threshold) if ratio else 2)


def test_steps_since_a_change_are_counted():
    its, net = products(Recording(CONFIG)), network("perceptron", 2)
    chunks = []
    for step in range(4):
        its.begin(step)
        net.gradients(*batch(), its)
        its.end()
        chunks.append({use: last.chunks for use, last in its.last.items()})
        for use, last in its.last.items():
            same = [earlier[use] == last.chunks for earlier in chunks[::-1]]
            assert last.held == [*same, False].index(False)
    assert len({last.held for last in its.last.values()}) > 1


def test_what_is_recognized_between_steps_is_not_recorded():
    engine = Recording(CONFIG)
    its, net = products(engine), network("perceptron", 2)
    its.begin(0)
    net.gradients(*batch(), its)
    its.end()
    last, work = dict(its.last), (its.work.pairs, its.work.beats)
    net.scores(batch()[0], its)
    assert (its.last, (its.work.pairs, its.work.beats)) == (last, work)


@pytest.mark.parametrize(("schedule", "beats"), [("fixed-2", 1), ("fixed-4", 4), ("adaptive", 4)])
def test_work_is_counted_in_pairs_of_groups_and_of_chunks(schedule, beats):
    its, net = products(Recording(CONFIG), schedule), network("perceptron", 2)
    its.begin(0)
    net.gradients(*batch(30), its)
    assert its.work.pairs == 30 * 64 * 4 + 30 * 10 * 4 + 64 * 10 * 2 + 30 * 64 * 1 + 64 * 64 * 2
    assert its.work.beats == beats * its.work.pairs
    assert its.work.cycles is None


def test_the_emitted_engine_gives_the_same_bits_and_the_same_decisions(small, built_engine):
    """What the emitted engine does not measure, the host does."""
    found = []
    for engine in (GoldenEngine(small), built_engine):
        its, net = products(engine), network("perceptron", 2)
        for step in range(2):
            its.begin(step)
            _, gradients = net.gradients(*batch(5), its)
            its.end()
        found.append((its.last, [array.tobytes() for pair in gradients for array in pair]))
    assert found[0] == found[1]


def test_sums_on_chip_give_the_same_bits_and_the_same_decisions(sum_engine):
    """In passes: products of the network are longer along K than the buffers of these engines."""
    found = []
    for engine in (GoldenEngine(sum_engine.config), sum_engine):
        its, net = products(engine), network("perceptron", 2)
        for step in range(2):
            its.begin(step)
            _, gradients = net.gradients(*batch(120), its)
            its.end()
        found.append((its.last, [array.tobytes() for pair in gradients for array in pair]))
    assert found[0] == found[1]


def test_an_engine_of_one_chunk_is_refused():
    config = CONFIG.changed({"bfp.mantissa": 2})
    with pytest.raises(ConfigError, match=r"bfp\.mantissa must be 4 or more, two chunks, not 2"):
        products(GoldenEngine(config))
