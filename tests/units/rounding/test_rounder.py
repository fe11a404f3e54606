"""Rounder compared with the model, for every fraction and every word."""

import re

import numpy as np
import pytest
from amaranth.sim import Simulator

from lowtide.formats import IllegalValue
from lowtide.units.rounding.params import RounderParams
from lowtide.units.rounding.rounder import Rounder
from lowtide_model import round_magnitude, rounds_up

STOCHASTIC = ["carry", "half_step"]
PLAIN = ["truncate", "nearest", "nearest_even"]


def check(shape, integers, make=Rounder):
    """Compare the rounder with the model for every fraction and word, on these integers."""
    dut = make(shape)
    words = np.arange(2**shape.random if shape.stochastic else 1)
    fractions = np.arange(2**shape.fraction)[:, np.newaxis]
    for integer in integers:
        values = (integer << shape.fraction) + fractions
        keywords = {"mode": shape.mode, "fraction": shape.fraction, "random": words, "random_bits": shape.random}
        up = np.broadcast_to(rounds_up(values, **keywords), (len(values), len(words))).tolist()
        o = round_magnitude(values, width=shape.width + 1, **keywords)
        o = np.broadcast_to(o, (len(values), len(words))).tolist()
        run(dut, [int(value) for value in values[:, 0]], len(words), up, o)


def run(dut, values, words, up, o):
    async def bench(ctx):
        for t, value in enumerate(values):
            ctx.set(dut.value, value)
            for word in range(words):
                if dut.params.stochastic:
                    ctx.set(dut.random, word)
                assert (ctx.get(dut.o), ctx.get(dut.up)) == (o[t][word], up[t][word]), (value, word)

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("random", range(1, 6))
@pytest.mark.parametrize("fraction", range(1, 5))
@pytest.mark.parametrize("mode", STOCHASTIC)
def test_every_value_and_word_of_small_rounders(mode, fraction, random):
    check(RounderParams(mode=mode, width=2, fraction=fraction, random=random), range(4))


@pytest.mark.parametrize("fraction", [1, 2, 3, 8])
@pytest.mark.parametrize("mode", PLAIN)
def test_every_value_without_words(mode, fraction):
    check(RounderParams(mode=mode, width=3, fraction=fraction), range(8))


@pytest.mark.parametrize("mode", STOCHASTIC)
def test_every_fraction_and_word_of_eight_bits_and_three(mode):
    check(RounderParams(mode=mode, width=4, fraction=8, random=3), [0, 6, 15])


@pytest.mark.parametrize("mode", STOCHASTIC)
def test_a_magnitude_of_one_bit(mode):
    check(RounderParams(mode=mode, width=1, fraction=3, random=2), range(2))


@pytest.mark.slow
@pytest.mark.parametrize(("fraction", "random"), [(8, 8), (12, 8), (8, 12)])
@pytest.mark.parametrize("mode", STOCHASTIC)
def test_every_fraction_and_word_of_wide_rounders(mode, fraction, random):
    check(RounderParams(mode=mode, width=4, fraction=fraction, random=random), [15])


def test_words_longer_than_the_fraction_decide_by_their_top_bits():
    t, words = np.arange(8)[:, np.newaxis], np.arange(64)
    for mode in STOCHASTIC:
        long = rounds_up(t, mode=mode, fraction=3, random=words, random_bits=6)
        short = rounds_up(t, mode=mode, fraction=3, random=words >> 3, random_bits=3)
        np.testing.assert_array_equal(long, short)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"mode": "up"}, "mode must be one of truncate, nearest, nearest_even, carry, half_step, not 'up'"),
        ({"width": 0}, "width must be from 1 to 24, not 0"),
        ({"fraction": 25}, "fraction must be from 1 to 24, not 25"),
        ({"random": 0}, "random must be from 1 to 24, not 0"),
    ],
)
def test_illegal_shapes_name_the_legal_values(keywords, message):
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        RounderParams(**keywords)


def test_the_mode_determines_ports_and_name():
    assert "random" not in Rounder(RounderParams(mode="nearest")).signature.members
    assert Rounder(RounderParams(mode="nearest")).module_name == "rounder_nearest_w4_d8"
    assert "random" not in Rounder(RounderParams(mode="nearest_even")).signature.members
    assert Rounder(RounderParams(mode="nearest_even")).module_name == "rounder_nearest_even_w4_d8"
    assert Rounder(RounderParams()).module_name == "rounder_half_step_w4_d8_r3"
