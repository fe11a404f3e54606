"""Stochastic conversion, compared with exact fractions and a step-by-step model of the random source."""

import math
import re
from fractions import Fraction

import numpy as np
import plain_bfp as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lowtide.units.random.params import RandomSourceParams
from lowtide_model import Ideal, SteppingSource, Stochastic, quantize, reference, rounds_up, words

MODES = ["carry", "half_step"]
nearby = st.builds(lambda f, t: np.ldexp(f, t), st.integers(-300, 300), st.integers(-12, 4))
hostile = st.sampled_from([0.0, -0.0, 2.0**-149, -(2.0**-126), 2.0**-126 - 2.0**-149, 1.5 * 2.0**-126, -3.4028235e38])


def goes_up(mode, t, R, r):
    """The definition, for a fraction with any number of bits."""
    if mode == "carry":
        return math.floor(t * 2**r) + R >= 2**r
    return math.floor(t * 2 ** (r + 1)) + 2 * R + 1 >= 2 ** (r + 1)


def check(x, axis, rounding, **keywords):
    """Quantize, and compare every element with the definition, with words from the step-by-step model."""
    tensor = quantize(x, axis=axis, rounding=rounding, **keywords)
    m, g, B = tensor.mantissa, tensor.group, tensor.bias
    machines = [SteppingSource(source) for source in rounding.source]
    rows = np.moveaxis(x, axis, -1)
    saturated = 0
    for index in np.ndindex(rows.shape[:-1]):
        groups = range(0, rows.shape[-1], g)
        for number, start in enumerate(groups):
            E = int(tensor.codes[index][number])
            for first in range(start, start + g, rounding.lanes):
                drawn = [word for machine in machines for word in machine.words()]
                for place, R in enumerate(drawn, first):
                    value = float(rows[index][place]) if place < rows.shape[-1] else 0.0
                    exact = (
                        abs(Fraction(value)) * plain.power(m - 1 - E - B) if abs(value) >= 2.0**-126 else Fraction(0)
                    )
                    floor = math.floor(exact)
                    magnitude = floor + goes_up(rounding.mode, exact - floor, R, rounding.bits)
                    saturated += magnitude > 2**m - 1
                    wanted = min(magnitude, 2**m - 1) * (-1 if value < 0 else 1)
                    assert tensor.signed[index][place] == wanted, (index, place)
                for machine in machines:
                    machine.step(number == len(groups) - 1 and first + rounding.lanes == start + g)
    assert tensor.saturated_elements == saturated


@st.composite
def cases(draw):
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 3)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    x = draw(hnp.arrays(dtype, shape, elements=draw(st.sampled_from([nearby, nearby | hostile]))))
    lanes = draw(st.integers(1, 4))
    bits, width = draw(st.sampled_from([(3, 3), (4, 3), (5, 5), (24, 24)]))
    polarity = draw(st.sampled_from(["plain", "inverted", "time", "space"]))
    source = RandomSourceParams(
        bits=bits, width=width, polarity=polarity, lanes=lanes, rows=draw(st.booleans()), seed=5
    )
    keywords = {
        "mantissa": draw(st.integers(1, 8)),
        "exponent": draw(st.integers(1, 3)),
        "group": lanes * draw(st.integers(1, 3)),
        "bias": draw(st.none() | st.integers(-20, 8) | st.integers(-170, 140)),
    }
    return x, draw(st.sampled_from([0, 1, -1])), Stochastic(mode=draw(st.sampled_from(MODES)), source=source), keywords


@settings(plain.repeatable, max_examples=100)
@given(cases())
def test_every_element_by_the_definition(case):
    x, axis, rounding, keywords = case
    check(x, axis, rounding, **keywords)


@pytest.mark.parametrize("mode", MODES)
def test_two_sources_serve_the_lanes_of_a_group(mode):
    x = np.random.default_rng(1).standard_normal((5, 40)).astype(np.float32)
    sources = [RandomSourceParams(lanes=8, rows=True, seed=1), RandomSourceParams(lanes=8, rows=True, seed=4)]
    check(x, -1, Stochastic(mode=mode, source=sources), mantissa=4)


@pytest.mark.parametrize("mode", MODES)
def test_every_fraction_rounds_up_in_every_lane_with_its_probability(mode):
    """Counted exactly: groups of an 8 and 15 times one of 256 fractions, in as many rows as the source has words."""
    source = RandomSourceParams(bits=4, width=3, lanes=16, rows=True)
    t = np.arange(256)
    row = np.concatenate([np.full((256, 1), 8.0), np.repeat(t[:, np.newaxis] / 256, 15, axis=1)], axis=1).ravel()
    tensor = quantize(np.tile(row, (30, 1)), mantissa=4, rounding=Stochastic(mode=mode, source=source))
    counts = tensor.signed.reshape(30, 256, 16).sum(axis=0)
    for lane in range(1, 16):
        period = words(source, np.arange(30), lane)
        wanted = rounds_up(t[:, np.newaxis], mode=mode, fraction=8, random=period, random_bits=3).sum(axis=1)
        np.testing.assert_array_equal(counts[:, lane], wanted)


@pytest.mark.parametrize("width", [7, 8, 14, 15, 16, 28, 32])
def test_no_column_is_biased_over_a_period_of_rows(width):
    """A column of equal fractions rounds up exactly as often as their mean probability predicts."""
    source = RandomSourceParams(polarity="time", lanes=1, rows=True)
    for t in range(8):
        x = np.full((14, width), 8 + t / 8, np.float32)
        up = quantize(x, mantissa=4, group=1, rounding=Stochastic(source=source)).signed - 8
        assert set(up.sum(axis=0).tolist()) == {max(2 * t - 1, 0)}
    locked = RandomSourceParams(polarity="time", lanes=1)
    up = (
        quantize(np.full((14, 14), 8.5, np.float32), mantissa=4, group=1, rounding=Stochastic(source=locked)).signed - 8
    )
    assert set(up.sum(axis=0).tolist()) == {0, 14}


def test_rows_continue_from_tensor_to_tensor():
    x = np.random.default_rng(2).standard_normal((20, 48)).astype(np.float32)
    for rows in (False, True):
        source = RandomSourceParams(lanes=8, rows=rows)
        whole = quantize(x, mantissa=3, bias=-6, rounding=Stochastic(source=source))
        later = quantize(x[7:], mantissa=3, bias=-6, rounding=Stochastic(source=source, first_row=7))
        np.testing.assert_array_equal(whole.signed[7:], later.signed)


def test_large_tensors_equal_their_parts():
    x = np.random.default_rng(3).standard_normal((300, 700)).astype(np.float32)
    rounding = Stochastic(source=RandomSourceParams(lanes=4, rows=True))
    whole = quantize(x, mantissa=4, bias=-5, rounding=rounding)
    across = quantize(np.ascontiguousarray(x.T), mantissa=4, bias=-5, axis=0, rounding=rounding)
    np.testing.assert_array_equal(whole.signed, across.signed)
    for row in (0, 150, 299):
        one = quantize(x[row], mantissa=4, bias=-5, rounding=Stochastic(source=rounding.source, first_row=row))
        np.testing.assert_array_equal(whole.signed[row], one.signed)


def test_exact_values_do_not_change():
    x = np.arange(-15, 16).astype(np.float32)
    for rounding in (Stochastic(source=RandomSourceParams(lanes=1)), Ideal(np.random.default_rng(4)), reference(1)):
        assert quantize(x, mantissa=4, group=31, rounding=rounding).signed.tolist() == x.astype(int).tolist()


def test_values_far_above_the_window_saturate():
    x = np.array([3.4e38, -3.4e38, 1.0], np.float32)
    for rounding in (Stochastic(source=RandomSourceParams(lanes=3)), Ideal(np.random.default_rng(5))):
        tensor = quantize(x, mantissa=4, group=3, bias=-120, rounding=rounding)
        assert tensor.signed.tolist() == [15, -15, 15]
        assert tensor.saturated_elements == 3


def test_ideal_rounding_rounds_up_with_the_probability_of_the_fraction():
    """100,000 draws from a seeded generator: each count is within five standard deviations."""
    t = np.array([0.0, 0.1, 0.25, 0.5, 0.9, 0.999])
    x = np.broadcast_to(4 + t, (100_000, 6))
    up = (quantize(x, mantissa=3, group=6, rounding=Ideal(np.random.default_rng(6))).signed - 4).mean(axis=0)
    assert np.all(np.abs(up - t) <= 5 * np.sqrt(t * (1 - t) / 100_000))


def test_the_reference_is_unbiased():
    """Mean error of half a million, within five standard deviations.

    Consecutive words share all bits but one, at half the weight, so the deviation is sqrt(3) times the deviation with
    independent words.
    """
    x = np.random.default_rng(7).uniform(8, 15, (500, 1024))
    error = quantize(x, mantissa=4, rounding=reference(16)).to_float() - x
    assert abs(error.mean()) < 5 * math.sqrt(3 / 6 / x.size)
    assert 0.98 < error.var() * 6 < 1.02


def test_pairs_of_inverse_words_halve_the_error_of_sums():
    """Lanes 2j and 2j + 1 get inverse words, so a group's summed error has half the variance."""
    x = np.random.default_rng(8).uniform(8, 15, (500, 1024))
    variance = {}
    for name, rounding in (
        ("space", Stochastic(mode="half_step", source=RandomSourceParams(bits=4, width=3, lanes=16, rows=True))),
        ("ideal", Ideal(np.random.default_rng(9))),
    ):
        error = quantize(x, mantissa=4, rounding=rounding).to_float() - x
        assert abs(error.mean()) < 5 * math.sqrt(1 / 6 / x.size)
        variance[name] = error.reshape(-1, 16).sum(axis=1).var() / 16 * 6
    assert 0.97 < variance["ideal"] < 1.03
    assert 0.47 < variance["space"] < 0.53


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Stochastic(mode="nearest", source=RandomSourceParams()),
            "mode must be one of carry, half_step, not 'nearest'",
        ),
        (lambda: Stochastic(source=[]), "source must be one or more sources, with words of one width, not []"),
        (
            lambda: Stochastic(source=[RandomSourceParams(), RandomSourceParams(width=2)]),
            "source must be one or more sources, with words of one width, not [2, 3]",
        ),
        (
            lambda: Stochastic(source=[RandomSourceParams(lanes=8, seed=3), RandomSourceParams(lanes=4, seed=3)]),
            "source must be sources that differ in more than their lanes, not 'seeds [3, 3]'",
        ),
        (
            lambda: quantize(np.ones(16), mantissa=4, rounding=Stochastic(source=RandomSourceParams())),
            "lanes of the sources must be a divisor of the group of 16: one of 1, 2, 4, 8, 16, not 14",
        ),
    ],
)
def test_illegal_arguments_are_rejected(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()
