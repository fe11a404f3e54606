"""Products of integers on emitted engines: every bit, however streams stall, and whichever terms are revealed."""

import numpy as np
import pytest
from integer_operands import IntegerCase, random_integer_case
from stalls import random_stalls

from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.panels import multiply
from lowtide_model.engine.post_operations import PostOperations
from lowtide_sim.bench.stimulus.integer_products import random_integers, random_reveal
from lowtide_sim.engine.queue import Queued, run_queued


def test_random_products(integers):
    rng = np.random.default_rng(1)
    for _ in range(80):
        integers.stalls = random_stalls(rng)
        random_integer_case(rng, integers.config).check(integers)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 1), (2, 4, 3), (3, 5, 4), (1, 64, 1), (5, 3, 1), (1, 8, 7)])
def test_shapes_at_the_edges(integers, shape):
    rng = np.random.default_rng(2)
    if shape[1] * -(-shape[0] // integers.config.array.rows) > 64 * integers.config.lanes:
        return
    for _ in range(3):
        random_integer_case(rng, integers.config, shape).check(integers)


def test_back_to_back_products_with_their_own_settings(integers):
    """Also of one beat: each tile has the settings of its product, although the next product is already known."""
    rng, config = np.random.default_rng(3), integers.config
    for most in (1, 1, 5, 20, 20):
        integers.reset()
        integers.stalls = random_stalls(rng)
        products, due = [], []
        for n in range(12):
            k = int(rng.integers(1, most + 1)) if n == 0 or rng.random() < 0.5 else products[-1].a.shape[1]
            case = random_integer_case(rng, config, (2, k, 3))
            same = n > 0 and products[-1].a.shape[1] == k
            load_a, load_b = (bool(rng.random() < 0.5) or not same for _ in range(2))
            last = products[-1] if n else case
            case = IntegerCase(
                case.a if load_a else last.a,
                case.b if load_b else last.b,
                case.a_settings if load_a else last.a_settings,
                case.b_settings if load_b else last.b_settings,
                case.reveal,
            )
            products.append(
                Queued(
                    a=case.a,
                    b=case.b,
                    a_settings=case.a_settings,
                    b_settings=case.b_settings,
                    reveal=case.reveal,
                    load_a=load_a,
                    load_b=load_b,
                )
            )
            due.append(case.run(GoldenEngine(config)).values)
        found = run_queued(integers, products)
        assert [values.tobytes() for values in found.values] == [values.tobytes() for values in due]


def test_products_in_panels(integers):
    """K is split between groups, so that revealing keeps the terms that it keeps in the whole."""
    rng, config = np.random.default_rng(4), integers.config
    for _ in range(4):
        a, b = random_integers(rng, config, (9, 150)), random_integers(rng, config, (150, 8))
        reveal = random_reveal(rng, config)
        found, due = (
            multiply(engine, a, b, None, None, reveal=reveal).values for engine in (integers, GoldenEngine(config))
        )
        assert found.tobytes() == due.tobytes()
        whole = config.changed({"terms.max_k": 200, "engine.buffer_depth": 4096, "engine.sum_rows": 0})
        exact = GoldenEngine(whole).multiply(a, b, reveal=reveal).values
        if config.engine.sum_rows:
            assert found.tobytes() == exact.tobytes()
        np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-2)


def test_post_operations(terms):
    rng = np.random.default_rng(5)
    case = random_integer_case(rng, terms.config, (3, 9, 5))
    post = PostOperations(bias=rng.standard_normal(5).astype(np.float32), relu=True)
    found, due = (
        engine.multiply(case.a, case.b, case.a_settings, case.b_settings, reveal=case.reveal, post=post).values
        for engine in (terms, GoldenEngine(terms.config))
    )
    assert found.tobytes() == due.tobytes()
