"""The three products of a layer: their operands, their rounding and their exactness."""

import attrs
import numpy as np
import pytest

from lowtide.formats import IllegalValue
from lowtide.units.random.params import RandomSourceParams
from lowtide_model import Ideal, Stochastic, matmul, quantize, to_fp32
from lowtide_model.rounding import Rounding
from lowtide_studies.networks import arithmetic, training
from lowtide_studies.networks.arithmetic import Blocks, Integers
from lowtide_studies.networks.products import GradientRounding, Products
from lowtide_studies.networks.roundings import BASELINE, LANES, NAMED, Neighbor
from lowtide_studies.networks.training import SETTINGS

ROWS, INPUTS, OUTPUTS = 32, 40, 10
PLATEAU = Stochastic(
    mode="half_step",
    source=[RandomSourceParams(bits=3, width=3, polarity="space", lanes=8, rows=True, seed=seed) for seed in (1, 2)],
)


@pytest.fixture
def operands():
    random = np.random.default_rng(7)
    return (
        random.standard_normal((ROWS, INPUTS)).astype(np.float32),
        random.standard_normal((INPUTS, OUTPUTS)).astype(np.float32),
        (random.standard_normal((ROWS, OUTPUTS)) / 50).astype(np.float32),
    )


def test_products_equal_the_golden_ones(operands):
    """Values to nearest at 5 bits, gradients at 3 by a source that continues from product to product."""
    x, weights, gradient = operands
    products = Products(Blocks(mantissa=5, gradient_mantissa=3, exponent=4, group=16), GradientRounding(PLATEAU))

    def golden(a, b):
        return to_fp32(matmul(a, b), a, b).values

    def value(x, axis):
        return quantize(x, axis=axis, mantissa=5, exponent=4)

    expected = golden(value(x, 1), value(weights, 0))
    np.testing.assert_array_equal(products.forward(x, weights), expected)

    first = quantize(gradient, axis=0, mantissa=3, exponent=4, rounding=PLATEAU)
    expected = golden(value(x.T, 1), first)
    np.testing.assert_array_equal(products.to_weights(x, gradient), expected)

    after = attrs.evolve(PLATEAU, first_row=OUTPUTS, first_step=OUTPUTS * 2)
    second = quantize(gradient, axis=1, mantissa=3, exponent=4, rounding=after)
    expected = golden(second, value(weights.T, 0))
    np.testing.assert_array_equal(products.to_inputs(gradient, weights), expected)

    after = attrs.evolve(PLATEAU, first_row=OUTPUTS + ROWS, first_step=OUTPUTS * 2 + ROWS)
    third = quantize(gradient, axis=1, mantissa=3, exponent=4, rounding=after)
    expected = golden(third, value(weights.T, 0))
    again = products.to_inputs(gradient, weights)
    np.testing.assert_array_equal(again, expected)
    assert not np.array_equal(second.signed, third.signed)


@pytest.mark.parametrize("rows", [False, True])
def test_a_source_goes_on_where_the_tensor_before_it_ended(rows):
    """Two tensors, one after the other, are rounded as both in one."""
    source = RandomSourceParams(bits=5, width=3, polarity="time", lanes=16, rows=rows)
    rounding = Stochastic(mode="half_step", source=source)
    x = np.random.default_rng(9).standard_normal((7, 40)).astype(np.float32)
    whole = quantize(x, rounding=rounding, mantissa=4, bias=-6)
    sequence = GradientRounding(rounding)
    parts = [quantize(part, rounding=sequence.take(len(part), 48), mantissa=4, bias=-6) for part in (x[:3], x[3:])]
    np.testing.assert_array_equal(np.concatenate([part.signed for part in parts]), whole.signed)


@pytest.mark.parametrize("rounding", ["nearest", "truncate", PLATEAU])
@pytest.mark.parametrize("axis", [0, 1])
def test_integers_equal_their_definition(operands, rounding, axis):
    """Against quantization with a bias at which the golden converter has one exponent for all groups."""
    bits, (x, *_) = 7, operands
    top = float(np.abs(x).max())
    found = Integers(bits=bits).gradient(x, axis, rounding)
    assert found.scale == top / 127
    # Scaled to below 128, magnitudes of 7 bits at code 0 are integers.
    golden = quantize(
        x.astype(np.float64) / found.scale, mantissa=bits, exponent=1, axis=axis, bias=6, rounding=rounding
    )
    assert not golden.codes.any()
    np.testing.assert_array_equal(found.signed, golden.to_float())
    assert np.abs(found.signed).max() == 127


def test_integer_products_are_exact(operands):
    x, weights, _ = operands
    integers = Integers(bits=7)
    a, b = integers.value(x, 1), integers.value(weights, 0)
    exact = a.signed.astype(np.int64) @ b.signed.astype(np.int64)
    np.testing.assert_array_equal(integers.multiply(a, b), (exact * (a.scale * b.scale)).astype(np.float32))


@attrs.frozen
class Upwards:
    """Rounds everything away from zero."""

    bits: int = 53

    def on(self, *_):
        return Rounding(0, lambda values, _: np.copysign(np.ceil(np.abs(values)), values))


def test_integers_saturate():
    """The quotient of the largest element and its scale exceeds 127 by the last bit."""
    tops = np.linspace(1, 2, 1000)
    top = tops[tops / (tops / 127) > 127][0]
    x = np.array([[top, -top, 0]])
    np.testing.assert_array_equal(Integers().gradient(x, 1, Upwards()).signed, [[127, -127, 0]])


def test_integers_of_nothing_are_zero():
    found = Integers().value(np.zeros((3, 20), np.float32), 1)
    assert found.scale == 1
    assert not found.signed.any()


@pytest.mark.parametrize("name", [name for name in NAMED if name != BASELINE])
def test_every_rounding_reaches_the_gradients_and_nothing_else(name, monkeypatch):
    """One epoch with a spy in the place of the converter: what it gets, in order."""
    setting = attrs.evolve(SETTINGS["small-steps"], epochs=1, batch=1437)
    seen = []

    def spy(x, *, rounding="nearest", **others):
        seen.append((others["mantissa"], others["axis"], x.shape, rounding))
        return quantize(x, rounding=rounding, **others)

    monkeypatch.setattr(arithmetic, "quantize", spy)
    rounding = NAMED[name].make(4)
    training.train(setting, rounding, 4)
    values = [call for call in seen if call[0] == 4]
    gradients = [call for call in seen if call[0] == 2]
    assert all(call[3] == "nearest_even" for call in values)
    # Weights of the second layer, inputs of the second, weights of the first.
    shapes = [(0, (1437, 10)), (1, (1437, 10)), (0, (1437, 64))]
    assert [call[1:3] for call in gradients] == shapes
    for call, rows, steps in zip(gradients, (0, 10, 10 + 1437), (0, 900, 900 + 1437), strict=True):
        stochastic = isinstance(rounding, Stochastic)
        assert call[3] == (attrs.evolve(rounding, first_row=rows, first_step=steps) if stochastic else rounding)


@pytest.mark.parametrize(
    ("name", "mode", "bits", "polarity"),
    [
        ("reference", "carry", 24, "plain"),
        ("raw", "carry", 3, "plain"),
        ("raw-half", "half_step", 3, "plain"),
        ("plateau-space", "half_step", 3, "space"),
        ("plateau-time", "half_step", 3, "time"),
        ("plateau-carry", "carry", 3, "space"),
        ("uniform", "half_step", 3, "uniform"),
    ],
)
def test_names_mean_what_they_say(name, mode, bits, polarity):
    rounding = NAMED[name].make(0)
    assert isinstance(rounding, Stochastic)
    assert (rounding.mode, rounding.bits, rounding.lanes) == (mode, bits, LANES)
    for source in rounding.source:
        assert (source.bits, source.polarity, source.rows) == (bits, polarity, bits == 3)
    assert len({source.seed for source in rounding.source}) == len(rounding.source)


def test_other_names_mean_what_they_say():
    assert NAMED[BASELINE].make(0) is None
    assert NAMED["nearest"].make(0) == "nearest"
    assert NAMED["nearest_even"].make(0) == "nearest_even"
    assert NAMED["truncate"].make(0) == "truncate"
    assert isinstance(NAMED["ideal"].make(0), Ideal)
    assert NAMED["neighbor-low"].make(0) == Neighbor(leading=False, alternating=False)
    assert NAMED["neighbor"].make(0) == Neighbor(alternating=False)
    assert NAMED["neighbor-plateau"].make(0) == Neighbor(alternating=True)


def test_illegal_bits_name_the_legal_ones():
    with pytest.raises(IllegalValue, match="bits must be from 1 to 15, not 16"):
        Integers(bits=16)
