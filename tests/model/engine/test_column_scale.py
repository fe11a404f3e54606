"""Scales per column and packed integers of the model, compared with exact fractions."""

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.engines import INTEGER_ENGINES, SMALL_ENGINE
from fixtures.plain_requantization import FIRST_OVERFLOW, SMALLEST, fp32_of, integer_of, scaled_sum
from lowtide.formats.parameter import IllegalValue
from lowtide_model.engine.column_scale import (
    integer_results,
    integers_from_words,
    legal_offsets,
    scaled_columns,
    words_of_integers,
)
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.integer_operand import IntegerSettings, packed_integers
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import multiply
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.result_plan import ResultPlan
from lowtide_model.terms import requantize
from lowtide_model.terms.integer import IntegerTensor

CONFIG = INTEGER_ENGINES["terms"].changed({"engine.column_scale": True, "engine.packed_results": True})
PLAIN = INTEGER_ENGINES["plain integers"].changed({"engine.column_scale": True, "engine.packed_results": True})

# Few significant bits give ties, many give results just beside them.
factors = st.builds(
    lambda significand, exponent: np.float32(significand * 2.0**exponent),
    st.sampled_from([0, 1, 3, 5, 2**24 - 1]) | st.integers(1, 2**24 - 1),
    st.integers(-150, 103),
)
wide = st.integers(-(2**50), 2**50) | st.integers(-64, 64)
cases = st.lists(st.tuples(wide, st.integers(-(2**31), 2**31 - 1) | st.just(0), factors), min_size=1, max_size=8)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(cases, st.integers(-320, 256))
def test_a_scaled_sum_is_rounded_once(columns, exponent):
    sums, offsets, scales = zip(*columns, strict=True)
    found = scaled_columns(np.array([sums], object), exponent, np.array(scales), np.array(offsets), odd=False)
    due = [fp32_of(scaled_sum(total, offset, scale, exponent)) for total, offset, scale in columns]
    assert found.values[0].tolist() == [value for value, _, _ in due]
    assert found.overflows == sum(over for _, over, _ in due)
    assert found.underflows == sum(under for _, _, under in due)


def within_fp32(value):
    """An exact value, or the infinity or the zero with which FP32 replaces it."""
    if abs(value) >= FIRST_OVERFLOW:
        return math.copysign(math.inf, value)
    return value if abs(value) >= SMALLEST else 0


@settings(derandomize=True, deadline=None, max_examples=150)
@given(cases, st.integers(-60, 10), st.integers(-160, 128), st.sampled_from(["plain integers", "wide values", "terms"]))
def test_an_integer_is_rounded_once(columns, exponent, bias, name):
    """Rounding to odd and then to an integer has the bits of one rounding, for any scale of the integers."""
    config = INTEGER_ENGINES[name]
    sums, offsets, scales = zip(*columns, strict=True)
    odd = scaled_columns(np.array([sums], object), exponent + bias, np.array(scales), np.array(offsets), odd=True)
    tensor, saturated = integer_results(config, odd.values, IntegerSettings(bias=bias))
    exact = [scaled_sum(total, offset, scale, exponent + bias) for total, offset, scale in columns]
    # The range of FP32 remains: beyond, integers are at an end, or zero.
    due = [integer_of(within_fp32(value), bias, config.terms.width) for value in exact]
    assert tensor.integers[0].tolist() == [value for value, _ in due]
    assert saturated == sum(beyond for _, beyond in due)
    assert odd.overflows == sum(abs(value) >= FIRST_OVERFLOW for value in exact)
    assert odd.underflows == sum(0 < abs(value) < SMALLEST for value in exact)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.integers(-(2**27), 2**27), min_size=1), st.integers(2**15, 2**16 - 1), st.integers(16, 40))
def test_integers_equal_the_requantizer(sums, multiplier, shift):
    """A scale of ``multiplier / 2**shift`` gives the integers of the requantizer."""
    acc = np.array([sums])
    scale = np.full(acc.shape[1], multiplier * 2.0**-shift, np.float32)
    odd = scaled_columns(acc, 0, scale, None, odd=True)
    tensor, saturated = integer_results(CONFIG, odd.values, IntegerSettings())
    due, count = requantize(acc, multiplier=multiplier, shift=shift, width=8)
    assert tensor.integers.tolist() == due.tolist()
    assert saturated == count


def test_every_tie_and_both_ends():
    """All sums of a narrow format, with factors whose products have every fraction of four bits."""
    sums = np.arange(-300, 301)[np.newaxis]
    for quarters in (1, 2, 3, 4, 5, 8, 15, 16, 24):
        scale = np.full(601, quarters / 16, np.float32)
        found, saturated = integer_results(
            PLAIN, scaled_columns(sums, 0, scale, None, odd=True).values, IntegerSettings()
        )
        due = [integer_of(scaled_sum(total, 0, quarters / 16, 0), 0, 4) for total in sums[0]]
        assert found.integers[0].tolist() == [value for value, _ in due]
        assert saturated == sum(beyond for _, beyond in due)


def test_special_results():
    values = np.array([[np.nan, np.inf, -np.inf, 0, 1e30]], np.float32)
    tensor, saturated = integer_results(CONFIG, values, IntegerSettings(bias=-3))
    assert tensor.integers.tolist() == [[0, 127, -127, 0, 127]]
    assert saturated == 3


@pytest.mark.parametrize("name", INTEGER_ENGINES)
def test_words_of_integers_and_back(name):
    rng, config = np.random.default_rng(1), INTEGER_ENGINES[name]
    most = 2 ** (config.terms.width - 1) - 1
    for _ in range(20):
        shape = int(rng.integers(1, 20)), int(rng.integers(1, 20))
        tensor, _ = integer_results(config, rng.integers(-most, most + 1, shape).astype(np.float32), IntegerSettings())
        words = words_of_integers(config, tensor)
        again = integers_from_words(config, words, shape, IntegerSettings(bias=-2))
        assert again.integers.tolist() == tensor.integers.tolist()
        assert (float(again.scale), again.width) == (0.25, config.terms.width)
        if shape[0] <= config.array.rows and words.size == shape[0]:
            # One word per row: the words are the next operand as they arrive.
            assert words.tobytes() == packed_integers(tensor.integers, config.terms.width).tobytes()


def test_quantized_layers_stay_integers():
    """Two layers of a quantized network: the integers of the first are operand A of the second."""
    rng, engine = np.random.default_rng(2), GoldenEngine(CONFIG)
    x, w, v = (rng.integers(-127, 128, shape) for shape in ((3, 20), (20, 9), (9, 4)))
    offset, scale = rng.integers(-5000, 5000, 9), rng.uniform(1e-4, 3e-4, 9).astype(np.float32)
    post = PostOperations(offset=offset, scale=scale, relu=True)
    hidden = engine.multiply(x, w, post=post, results=IntegerSettings()).tensor
    assert isinstance(hidden, IntegerTensor)
    exact = (x @ w + offset) * scale.astype(np.float64)
    assert hidden.integers.tolist() == np.clip(np.rint(np.maximum(exact, 0)), -127, 127).tolist()
    assert 0 < np.count_nonzero(hidden.integers) < hidden.integers.size
    assert (engine.multiply(hidden.integers, v).values == hidden.integers @ v).all()


def test_panels_have_the_bits_of_a_whole_product():
    """Panels along M and N, each with its scales; along K with sums on chip."""
    rng = np.random.default_rng(3)
    a, b = rng.integers(-128, 128, (9, 150)), rng.integers(-128, 128, (150, 8))
    post = PostOperations(
        offset=rng.integers(-9999, 9999, 8), scale=rng.uniform(1e-4, 1e-3, 8).astype(np.float32), relu=True
    )
    whole = GoldenEngine(CONFIG.changed({"terms.max_k": 200, "engine.buffer_depth": 4096, "engine.sum_rows": 0}))
    for results in (None, IntegerSettings(bias=-1)):
        found = multiply(GoldenEngine(CONFIG), a, b, None, None, post=post, results=results)
        due = whole.multiply(a, b, post=post, results=results)
        assert found.values.tobytes() == due.values.tobytes()
        assert found.events == due.events


def refused(config, message, post=None, results=None, shape=(2, 3)):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        ResultPlan(config=config, shape=shape, post=post, results=results)


def test_what_an_engine_lacks_is_refused():
    scaled = PostOperations(scale=np.ones(3, np.float32))
    refused(
        INTEGER_ENGINES["terms"],
        "offset and scale of the post operations must be None, as engine.column_scale is false",
        scaled,
    )
    refused(SMALL_ENGINE, "post must be None, as engine.post_operations is false", PostOperations(relu=True))
    refused(PLAIN, "post must be None, as engine.post_operations is false", PostOperations(relu=True))
    refused(
        PLAIN,
        "post must be None, as engine.post_operations is false",
        PostOperations(bias=np.ones(3, np.float32)),
        IntegerSettings(),
    )
    refused(
        INTEGER_ENGINES["terms"], "results must be None, as engine.packed_results is false", None, IntegerSettings()
    )
    refused(PLAIN, "results must be of type IntegerSettings", None, OperandSettings(bias=0))
    refused(
        PLAIN, "scale of the post operations must have shape (3,), not (4,)", PostOperations(scale=np.ones(4, "f4"))
    )
    refused(
        PLAIN,
        "scale of the post operations must have at most 63 numbers, not 64",
        PostOperations(scale=np.ones(64, np.float32)),
        shape=(1, 64),
    )
    legal = legal_offsets(PLAIN)
    refused(
        PLAIN,
        f"offset at 1 must be from {legal[0]} to {legal[-1]}, not {legal[-1] + 1}",
        PostOperations(offset=np.array([legal[0], legal[-1] + 1, legal[-1]])),
    )


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("scale", np.array([1, -0.5], np.float32), "scale at 1 must be finite and at least 0, not -0.5"),
        ("scale", np.array([np.nan], np.float32), "scale at 0 must be finite and at least 0, not nan"),
        ("scale", np.ones(2), "scale must be an array of float32 of 1 dimension, or None, not float64 of 1"),
        ("offset", np.ones(2), "offset must be an array of integers of 1 dimension, or None, not float64 of 1"),
        ("offset", [1, 2], "offset must be an array of integers of 1 dimension, or None, not [1, 2]"),
    ],
)
def test_illegal_scales_and_offsets_are_refused(field, value, message):
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        PostOperations(**{field: value})


def test_sums_of_the_host_cannot_be_scaled():
    config = CONFIG.changed({"engine.sum_rows": 0})
    a, b = np.ones((2, 150), np.int64), np.ones((150, 3), np.int64)
    afters: list[dict[str, Any]] = [
        {"post": PostOperations(scale=np.ones(3, np.float32))},
        {"results": IntegerSettings()},
    ]
    for after in afters:
        with pytest.raises(ValueError, match=r"^scales and packed integers must follow exact sums, not sums of the ho"):
            multiply(GoldenEngine(config), a, b, None, None, **after)
