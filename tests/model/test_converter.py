"""The converter compared with the reference formulas, exhaustively for small formats."""

import inspect
import re
from fractions import Fraction
from pathlib import Path

import attrs
import numpy as np
import plain_bfp as plain
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lowtide.config import Config
from lowtide.units.conversion.params import ConverterParams
from lowtide_model import OneWord, quantize
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.rounding import Grouped
from lowtide_model.rounding_modes import rounding_of
from lowtide_sim.simulated_array import SimulatedArray

FORMATS = [(m, e) for m in range(1, 13) for e in range(1, 6)]
ROUNDINGS = ["truncate", "nearest", "nearest_even"]

floats32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
# Neighboring exponents, so that groups share a window, and values at the limits of FP32.
nearby = st.builds(lambda f, t: np.ldexp(f, t), st.integers(-300, 300), st.integers(-12, 4))
hostile = st.sampled_from([0.0, -0.0, 2.0**-149, -(2.0**-126), 2.0**-126 - 2.0**-149, 1.5 * 2.0**-126, -3.4028235e38])


@st.composite
def cases(draw, dtype: type[np.floating] = np.float32):
    """An array of rows, a format, and an axis."""
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 9)))
    x = draw(hnp.arrays(dtype, shape, elements=draw(st.sampled_from([floats32, nearby, nearby | hostile]))))
    keywords = {
        "mantissa": draw(st.integers(1, 12)),
        "exponent": draw(st.integers(1, 5)),
        "group": draw(st.integers(1, 10)),
        "bias": draw(st.none() | st.integers(-20, 8) | st.integers(-170, 140)),
        "rounding": draw(st.sampled_from(ROUNDINGS)),
    }
    return x, keywords, draw(st.sampled_from([0, 1, -1, -2]))


def check(x, keywords, axis):
    """Quantize, and compare the tensor with the reference formulas."""
    tensor = quantize(x, axis=axis, **keywords)
    m, e, g, rounding = (keywords[key] for key in ("mantissa", "exponent", "group", "rounding"))
    B = keywords["bias"]
    if B is None:
        X = plain.largest_exponent(x)
        B = 0 if X is None else X - (2**e - 1)
    assert tensor.bias == B
    rows = np.moveaxis(x, axis, -1)
    groups = saturated = 0
    for index in np.ndindex(rows.shape[:-1]):
        for group, start in enumerate(range(0, rows.shape[-1], g)):
            E, signed, above, count = plain.convert(rows[index][start : start + g], m=m, e=e, B=B, rounding=rounding)
            assert tensor.codes[index][group] == E
            signed += [0] * (g - len(signed))
            assert tensor.signed[index][start : start + g].tolist() == signed
            groups, saturated = groups + above, saturated + count
    assert (tensor.saturated_groups, tensor.saturated_elements) == (groups, saturated)
    return tensor


@plain.repeatable
@given(cases())
def test_float32_by_the_formula(case):
    check(*case)


@plain.repeatable
@given(cases(np.float64))
def test_float64_by_the_formula(case):
    check(*case)


@plain.repeatable
@given(cases())
def test_a_float64_copy_of_float32_converts_to_equal_bits(case):
    x, keywords, axis = case
    single, double = (quantize(x.astype(dtype), axis=axis, **keywords) for dtype in (np.float32, np.float64))
    np.testing.assert_array_equal(single.signed, double.signed)
    np.testing.assert_array_equal(single.codes, double.codes)
    assert single.bias == double.bias


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize(("m", "e"), FORMATS)
def test_every_fraction_at_every_exponent(m, e, rounding):
    """Pairs of 2**X and a smaller k * 2**(X - m - 1), for all k, and for X from below to above the window."""
    X = np.arange(-m - 3, 2**e + 3)[:, np.newaxis]
    k = np.arange(2 ** (m + 2))
    pairs = np.stack(np.broadcast_arrays(np.exp2(X), k * np.exp2(X - m - 1)), axis=-1).astype(np.float32)
    E = np.clip(X, 0, 2**e - 1)
    dropped = E - X + 2  # bits of k below the magnitude's last, in integers alone
    shift, scaled = np.maximum(dropped, 0), k << np.maximum(-dropped, 0)
    magnitude, rest = scaled >> shift, scaled & (1 << shift) - 1
    twice, one = 2 * rest, 1 << shift
    if rounding == "nearest":
        magnitude = magnitude + ((twice >= one) & (rest > 0))
    if rounding == "nearest_even":
        magnitude = magnitude + ((twice > one) | ((twice == one) & (magnitude % 2 == 1)))
    magnitude = np.minimum(magnitude, 2**m - 1)
    for sign in (1, -1):
        tensor = quantize(sign * pairs, mantissa=m, exponent=e, group=2, bias=0, rounding=rounding)
        np.testing.assert_array_equal(tensor.codes[..., 0], np.broadcast_to(E, magnitude.shape))
        np.testing.assert_array_equal(tensor.signed[..., 1], sign * magnitude)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("m", [1, 2, 4, 12])
def test_every_bias_at_the_ends_of_float32(m, rounding):
    tiny, huge = 2.0**-126, 2.0**127
    low = np.array([[tiny - 2.0**-149, 0, 0], [1.5 * tiny, tiny - 2.0**-149, 2.0**-149], [0, 0, 0]], np.float32)
    high = np.array([[3.4028235e38, -huge, 2.0**100], [-huge, tiny, 0], [0, 0, 0]], np.float32)
    for x, biases in ((low, range(-175, -95)), (high, range(90, 150)), (low, [-1000]), (high, [992])):
        for bias in biases:
            keywords = {"mantissa": m, "exponent": 5, "group": 3, "bias": bias, "rounding": rounding}
            check(x, keywords, -1)
            check(x.astype(np.float64), keywords, -1)


def test_ties_round_as_the_name_of_the_rounding_states():
    x = np.array([8, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.50000006], np.float32)
    assert quantize(x, mantissa=4, rounding="nearest_even").signed[:8].tolist() == [8, 0, 2, 2, 0, -2, -2, 1]
    assert quantize(x, mantissa=4, rounding="nearest").signed[:8].tolist() == [8, 1, 2, 3, -1, -2, -3, 1]


def test_group_above_the_window_saturates_and_is_counted():
    x = np.array([[1024, -1, 0, 0], [1, 1, 1, 1]], np.float32)
    tensor = quantize(x, mantissa=4, exponent=3, group=4, bias=0)
    assert tensor.codes.tolist() == [[7], [0]]
    assert tensor.signed.tolist() == [[15, 0, 0, 0], [8, 8, 8, 8]]
    assert (tensor.saturated_groups, tensor.saturated_elements) == (1, 1)


def test_rounding_up_past_the_largest_magnitude_saturates_only_the_element():
    tensor = quantize(np.array([15.75, -15.25], np.float32), mantissa=4, group=2)
    assert tensor.signed.tolist() == [15, -15]
    assert (tensor.saturated_groups, tensor.saturated_elements) == (0, 1)


def test_group_below_the_window_loses_bits():
    x = np.array([1.0, 0.75, 0.25, 0.125], np.float32)
    tensor = quantize(x, mantissa=4, exponent=1, group=1, bias=2, rounding="truncate")
    assert tensor.codes.tolist() == [0, 0, 0, 0]
    assert tensor.signed.tolist() == [2, 1, 0, 0]


def test_default_bias_puts_the_largest_exponent_at_the_top_code():
    tensor = quantize(np.array([0.001, -100.0], np.float32), mantissa=4, exponent=3, group=1)
    assert tensor.bias == 6 - 7
    assert tensor.codes.tolist() == [0, 7]


def test_largest_and_smallest_float32_are_exact():
    x = np.array([-3.4028235e38, 2.0**-126], np.float32)
    for value in x:
        tensor = quantize(value[np.newaxis], mantissa=12, group=1, rounding="truncate")
        assert tensor.codes.tolist() == [7]
        kept = np.float64(value) if value > 0 else -(2.0**128 - 2.0**116)
        assert tensor.to_float().tolist() == [kept]


def test_zeros_of_either_sign_and_subnormals_are_plus_zero():
    tensor = quantize(np.array([0.0, -0.0, 1e-40, -1e-40], np.float32), mantissa=4, group=2, bias=-140)
    assert tensor.codes.tolist() == [0, 0]
    assert not np.signbit(tensor.to_float()).any()
    assert not tensor.to_float().any()


def test_a_subnormal_number_next_to_a_small_normal_one_counts_as_zero():
    x = np.array([2.0**-126, 0.75 * 2.0**-126], np.float32)
    for dtype in (np.float32, np.float64):
        assert quantize(x.astype(dtype), mantissa=4, group=2).signed.tolist() == [8, 0]


def test_zero_tensor_has_bias_zero():
    tensor = quantize(np.zeros((2, 5), np.float32), mantissa=4, group=4)
    assert (tensor.bias, tensor.codes.any(), tensor.signed.any()) == (0, False, False)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3)])
@pytest.mark.parametrize("axis", [0, -1])
def test_empty_tensors_stay_empty(shape, axis):
    tensor = quantize(np.zeros(shape, np.float32), mantissa=4, axis=axis)
    assert tensor.shape == shape
    assert tensor.to_float().shape == shape


@pytest.mark.parametrize("length", [1, 15, 16, 17, 33])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_tail_behaves_as_if_padded_with_zeros(axis, length):
    shape = [2, 3, 5]
    shape[axis] = length
    x = np.random.default_rng(1).standard_normal(shape, np.float32)
    whole = np.pad(x, [(0, -length % 16 if i == axis else 0) for i in range(3)])
    tensor, padded = (quantize(values, mantissa=4, axis=axis) for values in (x, whole))
    np.testing.assert_array_equal(tensor.signed, padded.signed)
    np.testing.assert_array_equal(tensor.codes, padded.codes)
    assert (tensor.shape, tensor.length, tensor.axis) == (x.shape, length, axis)
    assert padded.length == whole.shape[axis]


def test_layout_in_memory_does_not_matter():
    x = np.random.default_rng(2).standard_normal((48, 33), np.float32)
    wanted = quantize(np.ascontiguousarray(x.T[::2]), mantissa=4)
    got = quantize(x[:, ::2], mantissa=4, axis=0)
    np.testing.assert_array_equal(got.signed, wanted.signed)
    np.testing.assert_array_equal(got.codes, wanted.codes)
    np.testing.assert_array_equal(got.to_float().T, wanted.to_float())


def test_large_tensor_equals_its_rows():
    x = np.random.default_rng(3).standard_normal((300, 700), np.float32)
    for group in (3, 16, 700, 1000):
        whole = quantize(x, mantissa=4, group=group, bias=-5)
        across = quantize(np.ascontiguousarray(x.T), mantissa=4, group=group, bias=-5, axis=0)
        for row in (0, 150, 299):
            one = quantize(x[row], mantissa=4, group=group, bias=-5)
            np.testing.assert_array_equal(whole.signed[row], one.signed)
            np.testing.assert_array_equal(across.signed[row], one.signed)
            np.testing.assert_array_equal(across.codes[row], one.codes)


def test_the_input_does_not_change():
    x = np.random.default_rng(4).standard_normal((4, 32), np.float32)
    before = x.copy()
    quantize(x, mantissa=4)
    np.testing.assert_array_equal(x, before)


def test_float64_is_not_rounded_to_float32_first():
    even = {"mantissa": 4, "group": 2, "rounding": "nearest_even"}
    above_tie = np.array([8, 0.5 + 2.0**-40])
    assert quantize(above_tie, **even).signed.tolist() == [8, 1]
    assert quantize(above_tie.astype(np.float32), **even).signed.tolist() == [8, 0]
    below_tie = np.array([8, 0.5 - 2.0**-40])
    assert quantize(below_tie, mantissa=4, group=2).signed.tolist() == [8, 0]
    assert quantize(below_tie.astype(np.float32), mantissa=4, group=2).signed.tolist() == [8, 1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_nonfinite_element_is_named_by_its_index(value, dtype, axis):
    x = np.ones((3, 20), dtype)
    x[1, 17] = value
    with pytest.raises(ValueError, match=re.escape(f"x at (1, 17) must be finite, not {value}")):
        quantize(x, mantissa=4, axis=axis)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"mantissa": 0}, "mantissa must be from 1 to 12, not 0"),
        ({"mantissa": 13}, "mantissa must be from 1 to 12, not 13"),
        ({"mantissa": 4.0}, "mantissa must be from 1 to 12, not 4.0"),
        ({"exponent": 8}, "exponent must be from 1 to 5, not 8"),
        ({"group": 0}, "group must be from 1 to 1048576, not 0"),
        ({"axis": 2}, "axis must be from -2 to 1, not 2"),
        ({"bias": 2000}, "bias must be from -1000 to 1016, not 2000"),
        ({"rounding": "up"}, "rounding must be one of truncate, nearest, nearest_even, not 'up'"),
    ],
)
def test_illegal_parameters_name_the_legal_values(keywords, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        quantize(np.ones((2, 2), np.float32), **{"mantissa": 4, **keywords})


TIES = [1.0625, -1.0625, 1.1875, 0.5 - 2.0**-25, 0.9375, 1 - 2.0**-24]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nearest_is_the_rounding_of_the_engine(dtype):
    """The converter and the golden engine round only ties away from zero."""
    x = np.array([TIES], dtype)
    signed = quantize(x, mantissa=4, group=6, bias=-7).signed[0].tolist()
    assert signed == [9, -9, 10, 4, 8, 8]
    assert quantize(x, mantissa=4, group=6, bias=-7, rounding="nearest_even").signed[0].tolist() == [8, -8, 10, 4, 8, 8]
    one_word = quantize(x, mantissa=4, group=6, bias=-7, rounding=OneWord(bits=1, word=1))
    assert one_word.signed[0].tolist() == signed


def test_one_name_has_one_meaning():
    """It is the default everywhere, and the converter, the array and the engine give equal numbers."""
    config = Config.load("default")
    one, identity = np.array([[1.0625] * 16], np.float32), np.eye(16, dtype=np.float32)
    engine = GoldenEngine(config).multiply(one, identity, OperandSettings(chunks=2), OperandSettings(chunks=2))
    assert set(engine.values.ravel().tolist()) == {1.125}
    assert set(quantize(one, mantissa=4).to_float().ravel().tolist()) == {1.125}
    array = SimulatedArray(config, folder=Path())
    assert set(array.quantize(one, mantissa=4, axis=1).to_float().ravel().tolist()) == {1.125}
    for kind, key in ((ConverterParams, "rounding"), (OperandSettings, "rounding")):
        assert {field.name: field.default for field in attrs.fields(kind)}[key] == "nearest"
    assert inspect.signature(quantize).parameters["rounding"].default == "nearest"


@plain.repeatable
@given(hnp.arrays(np.float64, 8, elements=st.floats(-300, 300) | st.integers(-600, 600).map(lambda n: n / 2)))
def test_only_ties_round_away_from_zero(x):
    for dtype in (np.float32, np.float64):
        values = x.astype(dtype)
        wanted = [plain.round_away(abs(Fraction(float(value)))) for value in values]
        rounding = rounding_of("nearest", Grouped((1, 8, 1), 1, 9))
        rounded = rounding.function(np.ldexp(values, rounding.fraction).reshape(1, 8, 1), slice(0, 1))
        assert np.abs(rounded).ravel().tolist() == wanted


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_number_below_one_half_does_not_round_up(dtype):
    """Adding one half in floating point would give one, because the sum is rounded."""
    below = np.nextafter(dtype(0.5), dtype(0))
    x = np.array([15, below, -below, 0.5, -0.5], dtype)
    assert quantize(x, mantissa=4, group=5).signed.tolist() == [15, 0, 0, 1, -1]
