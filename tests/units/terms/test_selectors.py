"""Combinational term selectors of a value and of a group compared with their model."""

import random
import re

import numpy as np
import pytest
from amaranth.sim import Simulator

from lowtide.formats import IllegalValue
from lowtide.units.terms.receding_water import RecedingWater, RecedingWaterParams
from lowtide.units.terms.top_terms import TopTerms, TopTermsParams
from lowtide_model.terms import receding_water, top_terms

PORTS = ["nonzero", "budget", "group"]


def check(dut, names, cases):
    """Set the ports to each case, whose last entry is the expected selection."""

    async def bench(ctx):
        for *inputs, kept in cases:
            for name, value in zip(names, inputs, strict=True):
                ctx.set(getattr(dut, name), value)
            assert ctx.get(dut.kept) == kept, inputs

    simulator = Simulator(dut)
    simulator.add_testbench(bench)
    simulator.run()


def packed(digits):
    """Digits of a group as an integer, value 0 in the lowest bits."""
    return sum(1 << int(n) for n in np.flatnonzero(digits))


@pytest.mark.parametrize(("digits", "terms"), [(1, 1), (2, 1), (5, 5), (8, 4), (9, 2), (9, 9)])
def test_top_terms_of_every_value(digits, terms):
    words = np.arange(2**digits)[:, np.newaxis] >> np.arange(digits) & 1
    weights = 1 << np.arange(digits)
    cases = [
        (word, s, kept) for s in range(terms + 1) for word, kept in enumerate((top_terms(words, s) @ weights).tolist())
    ]
    check(TopTerms(TopTermsParams(digits=digits, terms=terms)), ["nonzero", "s"], cases)


def groups(shape, count, rng):
    """Groups of few or many random terms, with random group sizes and budgets, which include the extremes."""
    numbers = np.random.default_rng(rng.getrandbits(64))
    extremes = [(0.0, shape.budget), (1.0, 0), (1.0, shape.budget), (0.5, 0)]
    drawn = [(rng.choice((0.05, 0.3, 0.5, 0.9)), rng.randint(0, shape.budget)) for _ in range(count)]
    for n, (density, k) in enumerate(extremes + drawn):
        g = shape.group if n % 2 else rng.randint(0, shape.group)
        digits = numbers.random((shape.group, shape.digits)) < density
        counting = digits & (np.arange(shape.group) < g)[:, np.newaxis]
        kept = receding_water(counting.astype(np.int8), k, shape.group)
        assert np.count_nonzero(kept) == min(k, np.count_nonzero(counting))
        yield packed(digits), k, g, packed(kept)


@pytest.mark.parametrize(
    ("digits", "group", "budget"),
    [(1, 1, 1), (8, 1, 4), (1, 8, 3), (3, 2, 6), (8, 8, 16), (9, 5, 45), (7, 15, 20), (2, 64, 100)],
)
def test_receding_water(digits, group, budget):
    shape = RecedingWaterParams(digits=digits, group=group, budget=budget)
    cases = list(groups(shape, min(1500 // (digits * group), 100), random.Random(group)))
    check(RecedingWater(shape), PORTS, cases)


@pytest.mark.slow
@pytest.mark.parametrize(("digits", "group", "budget"), [(8, 64, 128), (17, 20, 340), (16, 33, 200)])
def test_receding_water_over_large_groups(digits, group, budget):
    shape = RecedingWaterParams(digits=digits, group=group, budget=budget)
    check(RecedingWater(shape), PORTS, list(groups(shape, 12, random.Random(7))))


def test_receding_water_of_every_small_group():
    shape = RecedingWaterParams(digits=2, group=3, budget=4)
    digits = np.arange(2**6)[:, np.newaxis] >> np.arange(6) & 1
    cases = []
    for g in range(4):
        counting = digits.reshape(-1, 3, 2) * (np.arange(3) < g)[:, np.newaxis]
        for k in range(5):
            kept = receding_water(counting, k, 3).reshape(-1, 6) @ (1 << np.arange(6))
            cases += [(word, k, g, answer) for word, answer in enumerate(kept.tolist())]
    check(RecedingWater(shape), PORTS, cases)


@pytest.mark.parametrize(
    ("shape", "keywords", "message"),
    [
        (TopTermsParams, {"digits": 0}, "digits must be from 1 to 17, not 0"),
        (TopTermsParams, {"terms": 9}, "terms must be from 1 to 8 (no more than digits = 8), not 9"),
        (RecedingWaterParams, {"group": 65}, "group must be from 1 to 64, not 65"),
        (RecedingWaterParams, {"budget": 0}, "budget must be from 1 to 1024, not 0"),
        (
            RecedingWaterParams,
            {"group": 1},
            "budget must be from 1 to 8 (group = 1 values of digits = 8 have no more), not 16",
        ),
    ],
)
def test_illegal_shapes_name_the_legal_values(shape, keywords, message):
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        shape(**keywords)


def test_parameters_determine_the_name():
    assert TopTerms(TopTermsParams()).module_name == "top_terms_8_s4"
    assert RecedingWater(RecedingWaterParams()).module_name == "receding_water_8x8_k16"
