"""Sums on chip: a reduction of any length is one exact sum, rounded once; illegal uses are refused without harm."""

from typing import Any

import attrs
import numpy as np
import pytest
from operands import Case, random_case, random_matrix
from stalls import random_stalls

from fixtures.engines import SUM_ENGINE
from lowtide.config import Config
from lowtide.formats import Bfp
from lowtide_model import matmul, to_fp32
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import multiply
from lowtide_sim.engine.queue import Queued, run_queued
from lowtide_sim.engine.verilated import ADD, FIND, KEEP, LOAD_A, LOAD_B

REFUSED = 1
BOTH = LOAD_A | LOAD_B


def integers(config, case):
    """Exact accumulators of a product, as Python integers, and its operands in block floating point."""
    golden = GoldenEngine(config)
    a, b = golden.convert("a", case.a, case.a_settings), golden.convert("b", case.b, case.b_settings)
    return matmul(a, b).astype(object), a, b


def test_reductions_of_any_length(sum_engine):
    """Equal to the golden engine, with all counts; and to a single exact sum over all of K."""
    rng, config = np.random.default_rng(1), sum_engine.config
    golden, rounded_often = GoldenEngine(config), 0
    for n in range(16):
        sum_engine.stalls = random_stalls(rng, 3)
        m, k, columns = (int(rng.integers(1, most)) for most in (16, 701, 20))
        a, b = random_matrix(rng, (m, k), 0.01 * (n % 2)), random_matrix(rng, (k, columns))
        settings = [
            OperandSettings(
                chunks=int(rng.integers(1, most + 1)), rounding=str(rng.choice(["nearest", "truncate"])), bias=-7
            )
            for most in (2, 4)
        ]
        if n % 3 == 0:  # sums of more than 24 bits: positive, in groups of several binades
            scales = np.exp2(np.repeat(rng.integers(-6, 2, k // 4 + 1), 4)[:k], dtype=np.float32)
            a, b = rng.random((m, k), np.float32) * scales, rng.random((k, columns), np.float32) * scales[:, None]
            settings = [OperandSettings(chunks=most, bias=-7) for most in (2, 4)]
        found, due = multiply(sum_engine, a, b, *settings), multiply(golden, a, b, *settings)
        assert found.values.tobytes() == due.values.tobytes()
        assert (found.events, found.a_improvement, found.b_improvement) == (
            due.events,
            due.a_improvement,
            due.b_improvement,
        )
        exact, *both = integers(config, Case(a, b, *settings))
        assert found.values.tobytes() == to_fp32(exact, *both).values.tobytes()
        without = multiply(GoldenEngine(config.changed({"engine.sum_rows": 0})), a, b, *settings)
        rounded_often += without.values.tobytes() != found.values.tobytes()
    assert rounded_often > 3  # the test tells one rounding from several


def random_sequence(rng, config):
    """Products of one block with every use of the sums: what each must give, by exact integers."""
    array = config.array
    down, across = config.engine.sum_tiles(array.rows, array.columns)
    shape = int(rng.integers(1, down * array.rows + 1)), int(rng.integers(1, across * array.columns + 1))
    scale = -4
    products, due, kept, length = [], [], None, 0
    for _ in range(12):
        if rng.random() < 0.2:  # a product without sums leaves them alone
            case, add, keep = random_case(rng, config, (8, 12, 16), found=0, packed=0), False, False
        else:
            k = int(rng.integers(1, 20))
            add, keep = bool(kept is not None and rng.random() < 0.7), bool(rng.random() < 0.7)
            chunks = int(rng.integers(1, 3)), int(rng.integers(1, 5))
            low = config.bfp.chunk_a * chunks[0] + config.bfp.chunk_b * chunks[1]
            bias = int(rng.integers(-9, 1))
            case = Case(
                random_matrix(rng, (shape[0], k)),
                random_matrix(rng, (k, shape[1])),
                OperandSettings(chunks=chunks[0], bias=bias),
                OperandSettings(chunks=chunks[1], bias=scale - 2 + low - bias),
            )
            try:
                case.lines(config)
            except ValueError:
                continue
        exact, a, b = integers(config, case)
        exact = exact + kept if add else exact
        if keep:
            kept, length = exact, length + case.a.shape[1] if add else case.a.shape[1]
        assert length <= config.engine.sum_max_k
        due.append(b"" if keep else to_fp32(exact, a, b).values.tobytes())
        products.append(
            Queued(a=case.a, b=case.b, a_settings=case.a_settings, b_settings=case.b_settings, add=add, keep=keep)
        )
    return products, due


def test_products_of_every_kind_follow_each_other(sum_engine):
    """Kept, added, both and neither, each started as soon as the engine is ready."""
    rng = np.random.default_rng(2)
    for _ in range(30):
        sum_engine.reset()
        sum_engine.stalls = random_stalls(rng, 3)
        products, due = random_sequence(rng, sum_engine.config)
        found = run_queued(sum_engine, products)
        assert [values.tobytes() for values in found.values] == due
        assert sum_engine.read("products") == len(products)


def test_operands_are_reused_between_passes(sum_engine):
    """A sum of products with one A: B changes, and so does the product that neither loads."""
    rng, config = np.random.default_rng(3), sum_engine.config
    for _ in range(10):
        sum_engine.stalls = random_stalls(rng, 3)
        a, bs = random_matrix(rng, (5, 12)), [random_matrix(rng, (12, 6)) for _ in range(2)]
        settings = OperandSettings(bias=-5, chunks=2), OperandSettings(bias=-4)
        uses = [(bs[0], True, True, False, True), (bs[1], False, True, True, True), (bs[1], False, False, True, False)]
        products = [
            Queued(a=a, b=b, a_settings=settings[0], b_settings=settings[1], load_a=la, load_b=lb, add=add, keep=keep)
            for b, la, lb, add, keep in uses
        ]
        parts = [integers(config, Case(a, b, *settings)) for b, *_ in uses]
        due = to_fp32(sum(part[0] for part in parts), *parts[0][1:]).values
        assert run_queued(sum_engine, products).values[-1].tobytes() == due.tobytes()


def test_a_block_can_be_added_again(sum_engine):
    """A product without ``keep`` leaves the sums as they are."""
    rng, config = np.random.default_rng(4), sum_engine.config
    cases = [
        Case(random_matrix(rng, (4, 9)), random_matrix(rng, (9, 5)), *[OperandSettings(bias=-5)] * 2) for _ in range(3)
    ]
    uses = [(False, True), (True, False), (True, False)]
    products = [
        Queued(a=case.a, b=case.b, a_settings=case.a_settings, b_settings=case.b_settings, add=add, keep=keep)
        for case, (add, keep) in zip(cases, uses, strict=True)
    ]
    parts = [integers(config, case) for case in cases]
    found = run_queued(sum_engine, products).values
    for n in (1, 2):
        assert found[n].tobytes() == to_fp32(parts[0][0] + parts[n][0], *parts[n][1:]).values.tobytes()


def test_the_largest_sum_does_not_overflow(fresh_engine):
    """K at its bound, every element and exponent code the largest: the width of a sum is exact."""
    config = SUM_ENGINE.changed({"engine.sum_max_k": 300, "engine.sum_rows": 2, "engine.sum_columns": 3})
    engine = fresh_engine(config)
    settings = [OperandSettings(bias=0, chunks=chunks) for chunks in (2, 4)]
    for sign in (1, -1):
        a, b = np.full((2, 300), sign * 1e9, np.float32), np.full((300, 3), 1e9, np.float32)
        found = multiply(engine, a, b, *settings)
        exact, *both = integers(config, Case(a, b, *settings))
        assert exact[0, 0] == sign * attrs.evolve(config.bfp, max_k=300).max_sum
        assert found.values.tobytes() == to_fp32(exact, *both).values.tobytes()


def prepared(engine, rng, shape=(4, 6), k: Any = 8, biases=(-5, -5), chunks=(1, 1), auto=()):
    """A case whose registers are written; its operands are not sent."""
    settings = [OperandSettings(bias=bias, chunks=count) for bias, count in zip(biases, chunks, strict=True)]
    case = Case(random_matrix(rng, (shape[0], k)), random_matrix(rng, (k, shape[1])), *settings)
    loads = [
        engine.prepare(side, vectors, of)
        for side, vectors, of in zip("ab", case.lines(engine.config), settings, strict=True)
    ]
    for side in auto:
        engine.write(f"{side}_bias_auto", 1)
    return case, loads


def keep_block(engine, rng, **keys):
    """Keep the sums of a product."""
    _, loads = prepared(engine, rng, **keys)
    engine.write("start", BOTH | KEEP)
    engine.finish(engine.transfer([loads[0]], [loads[1]]))
    engine.wait("status", 2)
    assert engine.read("errors") == 0


def check_refused(engine, start):
    products = engine.read("products")
    engine.write("start", start)
    engine.wait("status", 2, 1000)
    assert engine.read("errors") == REFUSED
    engine.write("errors", REFUSED)
    assert engine.read("products") == products


def check_next(engine, rng):
    """The next product, and the next sum, are right."""
    case = random_case(rng, engine.config)
    case.check(engine.config, engine.multiply(case.a, case.b, case.a_settings, case.b_settings))
    a, b = random_matrix(rng, (3, 300)), random_matrix(rng, (300, 4))
    settings = [OperandSettings(bias=-5)] * 2
    found, due = multiply(engine, a, b, *settings), multiply(GoldenEngine(engine.config), a, b, *settings)
    assert found.values.tobytes() == due.values.tobytes()


KEPT: dict[str, Any] = {"shape": (4, 6), "k": 8, "biases": (-5, -5), "chunks": (1, 1)}
REFUSALS = {
    "fewer panels of A": ({"shape": (2, 6)}, ADD),
    "more panels of A": ({"shape": (5, 6)}, ADD | KEEP),
    "fewer panels of B": ({"shape": (4, 3)}, ADD),
    "another scale of A": ({"biases": (-4, -5)}, ADD),
    "another scale of B": ({"biases": (-5, -6)}, ADD | KEEP),
    "another precision": ({"chunks": (2, 1)}, ADD),
    "a bias of A found last": ({"auto": ("a",)}, ADD),
    "a bias of B found last": ({"auto": ("b",)}, KEEP),
    "biases found last": ({"auto": ("a", "b")}, ADD | KEEP),
    "only the biases": ({}, FIND | ADD),
    "only the biases, kept": ({}, FIND | KEEP),
    "a block of too many rows": ({"shape": (7, 6)}, KEEP),
    "a block of too many columns": ({"shape": (4, 10)}, KEEP),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_illegal_uses_are_refused(sum_engine, name):
    rng = np.random.default_rng(5)
    keys, start = REFUSALS[name]
    keep_block(sum_engine, rng, **KEPT)
    prepared(sum_engine, rng, **{**KEPT, **keys})
    check_refused(sum_engine, BOTH | start)
    check_next(sum_engine, rng)


def test_a_refusal_leaves_the_sums(sum_engine):
    rng, config = np.random.default_rng(6), sum_engine.config
    first, loads = prepared(sum_engine, rng, **KEPT)
    sum_engine.write("start", BOTH | KEEP)
    sum_engine.finish(sum_engine.transfer([loads[0]], [loads[1]]))
    prepared(sum_engine, rng, shape=(2, 6))
    sum_engine.wait("status", 2)
    check_refused(sum_engine, BOTH | ADD)
    last, loads = prepared(sum_engine, rng, **KEPT)
    sum_engine.write("start", BOTH | ADD)
    transfer = sum_engine.transfer([loads[0]], [loads[1]], 4 * 2)
    sum_engine.finish(transfer, products=1)
    parts = [integers(config, case) for case in (first, last)]
    due = to_fp32(parts[0][0] + parts[1][0], *parts[1][1:]).values
    assert sorted(transfer.results.reshape(-1)) == sorted(due.reshape(-1))


def test_adding_without_sums_is_refused(sum_engine):
    rng = np.random.default_rng(7)
    for start in (ADD, ADD | KEEP):
        sum_engine.reset()
        prepared(sum_engine, rng)
        check_refused(sum_engine, BOTH | start)
    prepared(sum_engine, rng)
    sum_engine.write("start", BOTH | KEEP)  # its operands never arrive
    sum_engine.run(sum_engine.transfer(), most=100)
    sum_engine.reset()  # forgets the sums
    prepared(sum_engine, rng)
    check_refused(sum_engine, BOTH | ADD)
    check_next(sum_engine, rng)


def test_a_sum_of_too_many_elements_is_refused(sum_engine):
    rng = np.random.default_rng(8)
    for extra in (0, 1):
        keep_block(sum_engine, rng, k=100, shape=(2, 3))
        for k in (100, 100, 100, 100, 100, 50 + extra):
            _, loads = prepared(sum_engine, rng, k=k, shape=(2, 3))
            sum_engine.write("start", BOTH | ADD | KEEP)
            sum_engine.finish(sum_engine.transfer([loads[0]], [loads[1]]))
            sum_engine.wait("status", 2)
        _, loads = prepared(sum_engine, rng, k=50, shape=(2, 3))
        if extra:
            check_refused(sum_engine, BOTH | ADD)
        else:
            sum_engine.write("start", BOTH | ADD)
            sum_engine.finish(sum_engine.transfer([loads[0]], [loads[1]], 2), products=1)
            assert sum_engine.read("errors") == 0
    check_next(sum_engine, rng)


@pytest.mark.parametrize("start", [ADD, KEEP, ADD | KEEP])
def test_engines_without_sums_have_no_such_bits(engine, start):
    rng = np.random.default_rng(9)
    prepared(engine, rng)
    check_refused(engine, BOTH | start)
    case = random_case(rng, engine.config)
    case.check(engine.config, engine.multiply(case.a, case.b, case.a_settings, case.b_settings))


OTHERS = {
    "1x1, one tile": Config(
        bfp=Bfp(lanes=4, chunk_a=4, chunk_b=4, max_k=60),
    ).changed(
        {
            **{"array.rows": 1, "array.columns": 1, "engine.input_width": 1, "engine.output_width": 1},
            **{"engine.buffer_depth": 16, "engine.transpose_depth": 16, "engine.lfsr_bits": 8, "engine.random_bits": 1},
            **{"engine.sum_rows": 1, "engine.sum_columns": 1, "engine.sum_max_k": 400},
        }
    ),
    "1x4, sums beyond 64 bits": Config(bfp=Bfp(lanes=4, mantissa=8, exponent=5, max_k=64)).changed(
        {
            **{"array.rows": 1, "array.columns": 4, "engine.buffer_depth": 128, "engine.transpose_depth": 32},
            **{"engine.sum_rows": 3, "engine.sum_columns": 4},
        }
    ),
    "5x6, blocks, skew in memory": Config(bfp=Bfp(max_k=256)).changed(
        {
            **{"array.rows": 5, "array.columns": 6, "array.skew": "memory", "array.block_rows": 2},
            **{"engine.output_width": 2, "engine.buffer_depth": 128, "engine.sum_rows": 15, "engine.sum_columns": 12},
        }
    ),
    "8x8": Config(bfp=Bfp(max_k=512)).changed(
        {"engine.buffer_depth": 256, "engine.sum_rows": 32, "engine.sum_columns": 16, "engine.sum_max_k": 4096}
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_other_engines(fresh_engine, name):
    config = OTHERS[name]
    engine, golden, rng = fresh_engine(config), GoldenEngine(config), np.random.default_rng(10)
    for _ in range(25):
        engine.stalls = random_stalls(rng, 3)
        m, n = (int(rng.integers(1, 3 * most)) for most in (config.array.rows, config.array.columns))
        k = int(rng.integers(1, min(config.engine.sum_max_k, 1500) + 1))
        a, b = random_matrix(rng, (m, k)), random_matrix(rng, (k, n))
        settings = [OperandSettings(bias=-6)] * 2
        found, due = multiply(engine, a, b, *settings), multiply(golden, a, b, *settings)
        assert found.values.tobytes() == due.values.tobytes()
        assert found.events == due.events
        exact, *both = integers(config, Case(a, b, *settings))
        assert found.values.tobytes() == to_fp32(exact, *both).values.tobytes()
