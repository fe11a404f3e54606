"""The cycle model against simulation, for engines of integers: every cycle, and k cycles per group for any data."""

import attrs
import numpy as np
import pytest
from integer_operands import IntegerCase, random_integer_case

from fixtures.engines import INTEGER_ENGINES
from lowtide_model.engine.cycles import CycleModel, Shape, Work
from lowtide_model.engine.reveal import Reveal
from lowtide_sim.engine.queue import Queued, run_queued


def work(case, **loads):
    """A product as the model takes it."""
    (m, k), n = case.a.shape, case.b.shape[1]
    a, b = (Shape(lines=lines, length=k, chunks=1) for lines in (m, n))
    return Work(a=a, b=b, reveal=case.reveal, **loads)


def test_the_model_knows_every_cycle_of_a_product(integers):
    rng, model = np.random.default_rng(1), CycleModel(integers.config)
    for _ in range(60):
        case = random_integer_case(rng, integers.config)
        assert case.run(integers).cycles == model.products([work(case)])


def test_products_that_follow_each_other(integers):
    """With operands that stay, and other settings of term revealing for each product."""
    rng, model = np.random.default_rng(2), CycleModel(integers.config)
    errors = []
    for _ in range(8):
        cases, loads = [], []
        a = random_integer_case(rng, integers.config, (2, int(rng.integers(1, 30)), 3))
        for n in range(6):
            case = random_integer_case(rng, integers.config, (2, a.a.shape[1], 3))
            load_a, load_b = (n == 0 or bool(rng.random() < 0.5) for _ in "ab")
            case = IntegerCase(
                case.a if load_a else cases[-1].a,
                case.b if load_b else cases[-1].b,
                case.a_settings if load_a else cases[-1].a_settings,
                case.b_settings if load_b else cases[-1].b_settings,
                case.reveal,
            )
            cases.append(case)
            loads.append({"load_a": load_a, "load_b": load_b})
        queued = [
            Queued(a=c.a, b=c.b, a_settings=c.a_settings, b_settings=c.b_settings, reveal=c.reveal, **of)
            for c, of in zip(cases, loads, strict=True)
        ]
        measured = run_queued(integers, queued).cycles
        modeled = model.products([work(case, **of) for case, of in zip(cases, loads, strict=True)])
        errors.append(abs(measured - modeled) / measured)
    assert max(errors) < 0.1
    assert np.median(errors) < 0.03


@pytest.mark.parametrize("budget", [4, 8, 16])
def test_a_group_takes_its_budget_for_any_data(fresh_engine, budget):
    """Zeros, and integers with the most terms: K/g * k cycles per product of one tile whose operands stay."""
    engine = fresh_engine(INTEGER_ENGINES["terms"].changed({"terms.values": 8}))
    reveal, groups, tile = Reveal(group=8, budget=budget, data_terms=3), 12, 0
    for value in (0, 1, 85, -128, 127):
        a, b = np.full((1, 8 * groups), value, np.int16), np.full((8 * groups, 1), value, np.int16)
        first = Queued(a=a, b=b, a_settings=None, b_settings=None, reveal=reveal)
        again = attrs.evolve(first, load_a=False, load_b=False)
        few, many = (run_queued(engine, [first, *[again] * count]).cycles for count in (4, 9))
        assert 0 <= many - few - 5 * groups * budget <= 5  # at most one cycle per tile, apart from its terms
        tile = tile or many - few
        assert many - few == tile
