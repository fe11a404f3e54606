"""Random source compared with its models: every word, with stalls, rows, and resets."""

import random
import re
from collections import Counter

import attrs
import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

from lowtide.formats import IllegalValue
from lowtide.units.random.params import RandomSourceParams
from lowtide.units.random.source import RandomSource
from lowtide_model import SteppingSource

POLARITIES = ["plain", "inverted", "time", "space", "uniform"]


def check(source, steps, make=RandomSource):
    """Step at random, with random ends of rows and resets, and compare the words with the model."""
    dut, model, rng = make(source), SteppingSource(source), random.Random(1)
    reset = Signal()

    async def bench(ctx):
        nonlocal model
        for _ in range(steps):
            step, row, again = rng.random() < 0.8, rng.random() < 0.2, rng.random() < 0.01
            ctx.set(dut.step, step)
            ctx.set(reset, again)
            if source.rows:
                ctx.set(dut.row, row)
            wanted = sum(word << lane * source.width for lane, word in enumerate(model.words()))
            assert ctx.get(dut.words) == wanted
            await ctx.tick()
            if again:
                model = SteppingSource(source)
            elif step:
                model.step(row)

    simulator = Simulator(ResetInserter(reset)(dut))
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("plateau", [False, True])
@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("polarity", POLARITIES)
@pytest.mark.parametrize("bits", [2, 3, 4, 6])
def test_words_of_all_lanes(bits, polarity, rows, plateau):
    source = RandomSourceParams(bits=bits, width=min(3, bits), polarity=polarity, lanes=1, seed=2, rows=rows)
    check(attrs.evolve(source, lanes=min(source.most_lanes, 20), plateau=plateau), 400)


@pytest.mark.parametrize("polarity", [polarity for polarity in POLARITIES if polarity != "uniform"])
@pytest.mark.parametrize(("bits", "width", "lanes"), [(8, 8, 5), (24, 24, 6), (32, 7, 12)])
def test_words_far_ahead_of_long_generators(bits, width, lanes, polarity):
    for plateau in (False, True):
        source = RandomSourceParams(bits=bits, width=width, polarity=polarity, lanes=lanes, seed=2**bits - 3, rows=True)
        check(attrs.evolve(source, plateau=plateau), 40)


def count_columns(dut, width, rows):
    """Frequency of each word by column and lane, over rows with random stalls."""
    lanes, rng = dut.params.lanes, random.Random(width)
    seen = [[Counter() for _ in range(lanes)] for _ in range(width)]

    async def bench(ctx):
        for _ in range(rows):
            for column in range(width):
                while rng.random() < 0.3:
                    ctx.set(dut.step, 0)
                    ctx.set(dut.row, rng.random() < 0.5)
                    await ctx.tick()
                ctx.set(dut.step, 1)
                ctx.set(dut.row, column == width - 1)
                words = ctx.get(dut.words)
                for lane in range(lanes):
                    seen[column][lane][words >> 3 * lane & 7] += 1
                await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


PLATEAU = Counter({0: 1, 7: 1} | dict.fromkeys(range(1, 7), 2))


@pytest.mark.parametrize("width", [7, 8, 14, 15, 16, 28, 32])
@pytest.mark.parametrize("polarity", ["time", "space"])
def test_columns_get_every_word_equally_often_with_stalls(polarity, width):
    """Over a period of rows, every column and lane has the exact plateau."""
    dut = RandomSource(RandomSourceParams(polarity=polarity, lanes=2, rows=True))
    assert all(counts == PLATEAU for column in count_columns(dut, width, 14) for counts in column)


def test_other_taps_and_a_single_lane():
    check(RandomSourceParams(bits=3, width=2, taps="3,2", seed=7, polarity="time", lanes=1), 100)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"seed": 0}, "seed must be from 1 to 4294967295 (zero would stay zero), not 0"),
        ({"seed": 8}, "seed must be from 1 to 7 (below 2**bits, bits = 3), not 8"),
        ({"bits": 33}, "bits must be from 2 to 32, not 33"),
        ({"width": 4}, "width must be from 1 to 3 (no more than bits = 3), not 4"),
        ({"lanes": 15}, "lanes must be from 1 to 14 (for bits = 3, polarity = space), not 15"),
        ({"lanes": 8, "polarity": "time"}, "lanes must be from 1 to 7 (for bits = 3, polarity = time), not 8"),
        ({"lanes": 9, "polarity": "uniform"}, "lanes must be from 1 to 8 (for bits = 3, polarity = uniform), not 9"),
        ({"polarity": "uniform", "bits": 7}, "bits must be from 2 to 6 for polarity = uniform, not 7"),
        ({"polarity": "up"}, "polarity must be one of plain, inverted, time, space, uniform, not 'up'"),
        ({"taps": (4, 2), "bits": 4}, "taps must be of maximal length, as 4,1 are, not '4,2'"),
        ({"taps": "4,1"}, "taps must be default, or exponents from bits = 3 down to 1 at least, not (4, 1)"),
        ({"taps": (3, 0)}, "taps must be default, or exponents from bits = 3 down to 1 at least, not (3, 0)"),
        ({"taps": (3, 1, 2)}, "taps must be default, or exponents from bits = 3 down to 1 at least, not (3, 1, 2)"),
        ({"taps": "best"}, "taps must be default, or exponents from bits = 3 down to 1 at least, not 'best'"),
        ({"taps": ()}, "taps must be default, or exponents from bits = 3 down to 1 at least, not ()"),
    ],
)
def test_illegal_shapes_name_the_legal_values(keywords, message):
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        RandomSourceParams(**keywords)


def test_different_sources_have_different_names():
    one = RandomSource(RandomSourceParams())
    assert one.module_name == "random_source_b3_r3_l14_space_t3_1_s1"
    assert (
        RandomSource(RandomSourceParams(rows=True, seed=2)).module_name == "random_source_b3_r3_l14_space_rows_t3_1_s2"
    )
    assert "row" not in one.signature.members
