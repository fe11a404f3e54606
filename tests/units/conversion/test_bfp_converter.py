"""BFP converter compared with the golden model, for every kind of number, bias, precision, and rounding."""

import re
from itertools import repeat

import numpy as np
import pytest
import streams
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.slow_cases import one_in
from lowtide.formats import IllegalValue
from lowtide.units.conversion.converter import BfpConverter
from lowtide.units.conversion.params import ConverterParams

SHAPES = [
    ConverterParams(lanes=4, rounding="truncate"),
    ConverterParams(lanes=3, rounding="nearest"),
    ConverterParams(lanes=3, rounding="nearest_even"),
    ConverterParams(lanes=4, rounding="carry"),
    ConverterParams(lanes=2, rounding="half_step"),
    ConverterParams(lanes=1, mantissa=1, chunk=1, exponent=1, rounding="truncate"),
    ConverterParams(lanes=2, mantissa=1, chunk=1, exponent=2, rounding="half_step", random=1),
    ConverterParams(lanes=2, mantissa=12, chunk=4, exponent=5, rounding="carry", random=24),
    ConverterParams(lanes=2, mantissa=9, chunk=3, exponent=4, rounding="half_step", random=23),
    ConverterParams(lanes=2, mantissa=12, chunk=4, exponent=5, rounding="nearest"),
    ConverterParams(lanes=2, mantissa=12, chunk=4, exponent=5, rounding="nearest_even"),
]
BIASES = [-256, -140, -133, -127, -126, -120, -7, 0, 100, 119, 121, 124, 127, 128, 255]


def by_name(shape):
    return shape.name


def inputs_of(tensor):
    """A word for each group."""
    width = 32 * tensor.bits.shape[1]
    return [streams.packed(group, 32) | last << width for group, last in zip(tensor.bits, tensor.lasts, strict=True)]


def check(shape, tensors, pauses=None):
    """Compare every group and every end of a row with the model."""
    seen = streams.check(
        BfpConverter(shape),
        tensors,
        pauses or repeat(False),
        inputs_of,
        lambda tensor: [streams.packed(words, shape.random) for words in tensor.words],
    )
    if shape.stochastic:
        assert seen.rows == [last for tensor in tensors for last in tensor.lasts]
    return seen


@pytest.mark.parametrize("shape", SHAPES, ids=by_name)
def test_random_groups_at_every_precision_with_stalls(shape):
    rng = np.random.default_rng(1)
    tensors = [
        streams.random_tensor(shape, rng, bias, chunks, 8)
        for bias in BIASES
        for chunks in range(1, shape.max_chunks + 1)
    ]
    check(shape, tensors, streams.random_pauses(rng, 0.3))


@st.composite
def tensors(draw, shape):
    """Groups of random bits, near a bias or not."""
    bias = draw(st.integers(-256, 255) | st.integers(-8, 8))
    near = st.builds(
        lambda sign, exponent, fraction: sign << 31 | min(max(bias + exponent + 127, 0), 255) << 23 | fraction,
        st.integers(0, 1),
        st.integers(-16, 40),
        st.integers(0, 2**23 - 1) | st.sampled_from([0, 1 << 22, 3 << 21, 2**23 - 1, 1]),
    )
    number = near | st.sampled_from(streams.SPECIAL) | st.integers(0, 2**32 - 1)
    groups = draw(st.lists(st.lists(number, min_size=shape.lanes, max_size=shape.lanes), min_size=1, max_size=12))
    word = draw(st.integers(0, 2**shape.random - 1))
    return streams.tensor_of(shape, groups, bias, draw(st.integers(1, shape.max_chunks)), word)


@pytest.mark.parametrize("shape", one_in(3, SHAPES), ids=by_name)
def test_any_bits(shape):
    @settings(
        derandomize=True,
        deadline=None,
        max_examples=10,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(tensors(shape), min_size=1, max_size=3))
    def run(cases):
        check(shape, cases)

    run()


@pytest.mark.parametrize("rounding", ["truncate", "nearest", "nearest_even", "carry", "half_step"])
def test_every_exponent_beside_every_kind_of_number(rounding):
    """Pairs of a number of each exponent field with specials, ones, and neighbors, at both precisions."""
    shape = ConverterParams(lanes=2, rounding=rounding, random=2)
    fields = range(256) if rounding == "truncate" else range(0, 256, 5)
    other = [*streams.SPECIAL, 0x3F800000, 0xBFA00000]
    pairs = [[field << 23 | 0x6A0000, other[n % len(other)]] for n, field in enumerate(fields)]
    neighbors = [[field << 23 | 0x7FFFFF, max(field - n % 9, 0) << 23 | 0x400000] for n, field in enumerate(fields)]
    cases = [streams.tensor_of(shape, pairs + neighbors, bias, chunks, 2) for bias in (-127, 121) for chunks in (1, 2)]
    check(shape, cases)


@pytest.mark.parametrize("rounding", ["carry", "half_step"])
def test_every_fraction_and_word(rounding):
    """All fractions of five bits below the last kept bit, with all words: the rounding position is correct."""
    shape = ConverterParams(lanes=2, rounding=rounding, random=3)
    for chunks in (1, 2):
        m = chunks * shape.chunk
        groups = [[0x3F800000, 0x3F800000 | k << 23 - m - 4] for k in range(2 ** (m + 4))]
        check(shape, [streams.tensor_of(shape, groups, -7, chunks, word) for word in range(8)])


@pytest.mark.parametrize(
    ("rounding", "magnitudes"),
    [("nearest", [[2, 1, 0, 0], [8, 3, 2, 1]]), ("nearest_even", [[2, 1, 0, 0], [8, 2, 2, 0]])],
)
def test_ties_at_both_precisions(rounding, magnitudes):
    shape = ConverterParams(lanes=4, rounding=rounding)
    group = np.array([8, 2.5, -1.5, 0.5], np.float32).view(np.uint32)
    seen = check(shape, [streams.tensor_of(shape, [group], -4, chunks) for chunks in (1, 2)])
    assert [group.values for group in seen.groups] == magnitudes
    assert [group.signs for group in seen.groups] == [[0, 0, 0, 0], [0, 0, 1, 0]]


def test_nans_subnormals_and_infinities():
    """NaNs and subnormal numbers are zero, and infinities have the largest magnitude and the exponent 128."""
    shape = ConverterParams(lanes=4, rounding="truncate")
    nan, infinity, minus = 0x7F800001, 0x7F800000, 0xFF800000
    groups = [[nan, 0xFFFFFFFF, 0x807FFFFF, 0x80000000], [infinity, minus, nan, 0x7F000000]]
    seen = check(shape, [streams.tensor_of(shape, groups, bias, 2) for bias in (0, 122)])
    assert seen.groups[0] == seen.groups[2] == streams.Group([0] * 4, [0] * 4, 0, False, False, 0, True)
    assert seen.groups[1] == streams.Group([15, 15, 0, 15], [0, 1, 0, 0], 7, True, True, 3, True)
    # Exponent 128 lies in the window that begins at 122: nothing is above it, and 2**127 is half of its unit.
    assert seen.groups[3] == streams.Group([15, 15, 0, 4], [0, 1, 0, 0], 6, True, False, 2, True)


def test_saturation_is_counted():
    shape = ConverterParams(lanes=4, rounding="nearest")
    rows = np.array([[1024, -1, 256, 0.5], [15.75, -15.25, 0, 0], [1, 1, 1, 1]], np.float32).view(np.uint32)
    seen = check(shape, [streams.tensor_of(shape, rows, 0, 2)])
    assert [(group.saturated_group, group.saturated_elements) for group in seen.groups] == [
        (True, 2),
        (False, 1),
        (False, 0),
    ]


@pytest.mark.parametrize("shape", SHAPES, ids=by_name)
def test_a_group_a_cycle_after_its_latency(shape):
    tensor = streams.random_tensor(shape, np.random.default_rng(2), 0, 1, 40)
    seen = check(shape, [tensor])
    assert seen.taken == list(range(seen.taken[0], seen.taken[0] + 40))
    assert seen.received == [cycle + BfpConverter(shape).latency for cycle in seen.taken]


def test_settings_that_change_with_a_group_hold_for_it():
    """The first group may be offered in the very cycle in which the settings change."""
    shape = ConverterParams(lanes=2, rounding="truncate")
    rng = np.random.default_rng(3)
    check(shape, [streams.random_tensor(shape, rng, bias, 1 + bias % 2, 2) for bias in range(-3, 4)])


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"mantissa": 5}, "mantissa must be a multiple of chunk = 2: one of 2, 4, 6, 8, 10, 12, not 5"),
        ({"lanes": 0}, "lanes must be from 1 to 64, not 0"),
        ({"exponent": 8}, "exponent must be from 1 to 5, not 8"),
        ({"rounding": "up"}, "rounding must be one of truncate, nearest, nearest_even, carry, half_step, not 'up'"),
        (
            {"rounding": "half_step", "random": 24},
            "random must be from 1 to 23 (rounding = half_step takes one bit more), not 24",
        ),
    ],
)
def test_illegal_parameters_name_the_legal_values(keywords, message):
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        ConverterParams(**keywords)
