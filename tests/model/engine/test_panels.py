"""Products in panels: a product that fits is sent whole, and a larger one is the sum of its panels."""

import attrs
import numpy as np
import pytest

from lowtide.engine.seeds import panel_seed
from lowtide_model import default_bias, improvement_of, quantize
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import multiply


class Counting:
    """A golden engine that records its operands."""

    def __init__(self, config):
        self.config, self.given = config, []

    def multiply(self, a, b, a_settings=None, b_settings=None, *, reveal=None, post=None, results=None):
        assert reveal is None
        product = GoldenEngine(self.config).multiply(a, b, a_settings, b_settings, post=post, results=results)
        self.given.append((a, b, a_settings, b_settings))
        return attrs.evolve(product, cycles=1)

    def multiply_sum(self, passes, *, post=None, results=None):
        raise AssertionError("the engine has no sums on chip")


def matrices(m, k, n, seed=1):
    random = np.random.default_rng(seed)
    a = random.standard_normal((m, k)).astype(np.float32)
    return a, (random.standard_normal((k, n)) / 8).astype(np.float32)


def operands(a, b, **a_settings):
    b_settings = OperandSettings(bias=default_bias(b, exponent=3), chunks=2)
    return OperandSettings(bias=default_bias(a, exponent=3), **a_settings), b_settings


def test_operands_that_fit_are_sent_whole_without_a_copy(small):
    a, b = matrices(5, 12, 7)
    engine = Counting(small)
    a_settings, b_settings = operands(a, b, rounding="stochastic", seed=9)
    found, due = (
        multiply(engine, a, b, a_settings, b_settings),
        GoldenEngine(small).multiply(a, b, a_settings, b_settings),
    )
    assert found.values.tobytes() == due.values.tobytes()
    assert (found.events, found.a_improvement, found.b_improvement) == (
        due.events,
        due.a_improvement,
        due.b_improvement,
    )
    ((given_a, given_b, *settings),) = engine.given
    assert np.shares_memory(given_a, a)
    assert np.shares_memory(given_b, b)
    assert settings == [a_settings, b_settings]


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("shape", [(30, 40, 5), (3, 4, 50), (70, 9, 60), (1, 40, 1)])
def test_panels_of_rows_and_columns_change_no_bit(small, shape, transposed):
    """With rounding to nearest, an engine that takes the whole product gives equal values and counts."""
    a, b = matrices(*shape)
    if transposed:
        a, b = np.asfortranarray(a), np.ascontiguousarray(b)
    a_settings, b_settings = operands(a, b, chunks=1)
    large = small.changed({"engine.buffer_depth": 4096, "engine.transpose_depth": 4096})
    found, due = (
        multiply(Counting(small), a, b, a_settings, b_settings),
        GoldenEngine(large).multiply(a, b, a_settings, b_settings),
    )
    assert found.values.tobytes() == due.values.tobytes()
    assert (found.events, found.a_improvement, found.b_improvement) == (
        due.events,
        due.a_improvement,
        due.b_improvement,
    )


def test_a_long_reduction_is_summed_from_its_start(small):
    small = small.changed({"engine.buffer_depth": 256})
    a, b = matrices(3, 250, 4)
    a_settings, b_settings = operands(a, b, chunks=2)
    parts = [
        GoldenEngine(small).multiply(a[:, ks], b[ks], a_settings, b_settings).values
        for ks in (slice(0, 100), slice(100, 200), slice(200, 250))
    ]
    found = multiply(Counting(small), a, b, a_settings, b_settings)
    assert found.values.tobytes() == ((parts[0] + parts[1]) + parts[2]).tobytes()
    assert found.cycles == 3
    assert found.a_improvement == improvement_of(a, chunk=2, exponent=3, group=4, axis=1)


def test_a_panel_has_the_same_random_words_each_time(small):
    a, b = matrices(30, 180, 9)
    engine = Counting(small)
    multiply(engine, a, b, *operands(a, b, rounding="stochastic", seed=30))
    seeds = {}
    for panel, _, a_settings, _ in engine.given:
        place = panel.__array_interface__["data"][0]
        assert seeds.setdefault(place, a_settings.seed) == a_settings.seed
    assert len(seeds) > 4
    assert list(seeds.values()) == [panel_seed(30, "a", n, small.engine.lfsr_bits) for n in range(len(seeds))]
    assert len(set(seeds.values())) == len(seeds)


def test_the_emitted_engine_takes_every_panel(small, engine):
    for shape, transposed in (((40, 150, 9), False), ((20, 190, 31), True), ((3, 4, 50), False)):
        a, b = matrices(*shape)
        a = np.asfortranarray(a) if transposed else a
        settings = operands(a, b, rounding="stochastic", seed=30)
        found, due = multiply(engine, a, b, *settings), multiply(GoldenEngine(small), a, b, *settings)
        assert found.values.tobytes() == due.values.tobytes()
        assert found.events == due.events
        assert found.cycles is not None


def test_all_panels_of_an_operand_need_one_bias(small):
    a, b = matrices(2, 2, 2)
    with pytest.raises(ValueError, match="bias of b must be an integer, which all panels share, not None"):
        multiply(GoldenEngine(small), a, b, OperandSettings(bias=0), OperandSettings())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_default_bias_is_that_of_the_converter(dtype):
    random = np.random.default_rng(4)
    cases = [random.standard_normal((5, 9)) * 2.0 ** random.integers(-100, 100) for _ in range(50)]
    cases += [np.zeros((2, 3)), np.array([[1e-39]]), np.array([[np.nan, 1]]), np.array([[-np.inf, np.nan]])]
    for x in cases:
        x = x.astype(dtype)
        for exponent in (2, 3, 5):
            due = quantize(x, mantissa=4, exponent=exponent, group=4, nonfinite="saturate").bias
            assert default_bias(x.T, exponent=exponent) == due
