"""What follows a product, on the emitted engine: results, counters, order, stalls, reuse, refusals and faults."""

import attrs
import numpy as np
import pytest
from faults import flagged, run_faults
from finishes import Finish, FinishedCase, random_finish, random_finished
from operands import Case, random_case, random_matrix
from stalls import random_stalls
from test_cycles import work

from fixtures.engines import SMALL_ENGINE
from lowtide_model import BfpTensor
from lowtide_model.engine.cycles import CycleModel
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.output_cycles import Output
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.result_plan import ResultPlan
from lowtide_model.engine.results import matrix_of
from lowtide_model.engine.sums import Pass
from lowtide_model.engine.transfer import Load
from lowtide_sim.engine.queue import Queued, run_queued
from lowtide_sim.engine.verilated import LOAD_A, LOAD_B

BOTH = {"engine.post_operations": True, "engine.packed_results": True}


@pytest.fixture
def engine(fresh_engine):
    """A small engine with post operations and packed results, after reset, without stalls."""
    return fresh_engine(SMALL_ENGINE.changed(BOTH))


def test_random_products(engine):
    rng = np.random.default_rng(1)
    for _ in range(60):
        engine.stalls = random_stalls(rng)
        random_finished(rng, engine.config).check(engine)


def test_nonfinite_numbers(engine):
    rng = np.random.default_rng(2)
    for _ in range(60):
        random_finished(rng, engine.config, special=0.1).check(engine)


def test_back_to_back_products(engine):
    """Some load both operands, some one, some none, each with something else to follow."""
    rng, config = np.random.default_rng(4), engine.config
    for _ in range(6):
        engine.reset()
        engine.stalls = random_stalls(rng)
        cases, loads = [random_case(rng, config, (8, 12, 16), found=0)], [(True, True)]
        for _ in range(11):
            case, last = random_case(rng, config, (8, 12, 16), found=0), cases[-1]
            new_a, new_b = rng.random(2) < 0.5
            if not (new_a and new_b):
                k, settings = last.a.shape[1], case.settings(config)
                a = (random_matrix(rng, (case.a.shape[0], k)), settings[0]) if new_a else (last.a, last.a_settings)
                b = (random_matrix(rng, (k, case.b.shape[1])), settings[1]) if new_b else (last.b, last.b_settings)
                case = Case(a[0], b[0], a[1], b[1])
            cases.append(case)
            loads.append((bool(new_a), bool(new_b)))
        finished = [
            FinishedCase(case, random_finish(rng, config, (case.a.shape[0], case.b.shape[1]))) for case in cases
        ]
        products = [
            Queued(
                a=each.case.a,
                b=each.case.b,
                a_settings=each.case.a_settings,
                b_settings=each.case.b_settings,
                load_a=new_a,
                load_b=new_b,
                **each.finish.arguments(),
            )
            for each, (new_a, new_b) in zip(finished, loads, strict=True)
        ]
        found = run_queued(engine, products)
        for each, values in zip(finished, found.values, strict=True):
            assert values.tobytes() == each.run(GoldenEngine(config)).values.tobytes()


def test_packed_results_are_the_next_operand_a(engine):
    """Two layers: the tensor of the first product is operand A of the second."""
    rng = np.random.default_rng(5)
    x, w, v = (random_matrix(rng, shape) for shape in ((5, 20), (20, 9), (9, 7)))
    hidden = OperandSettings(chunks=2, bias=-6)
    first = FinishedCase(Case(x, w, OperandSettings(chunks=2), OperandSettings(chunks=2)), Finish(results=hidden))
    first.check(engine)
    tensor = first.run(engine).tensor
    assert isinstance(tensor, BfpTensor)
    FinishedCase(Case(tensor, v, None, OperandSettings()), Finish(PostOperations(relu=True))).check(engine)


SUMS = {"engine.sum_rows": 4, "engine.sum_columns": 6, "engine.sum_max_k": 300}


def test_what_follows_sums_on_chip(fresh_engine):
    """Only the last pass sends results; the operations and the conversion follow the whole sum."""
    engine = fresh_engine(SMALL_ENGINE.changed(BOTH | SUMS))
    rng, golden = np.random.default_rng(6), GoldenEngine(engine.config)
    for n in range(40):
        engine.stalls = random_stalls(rng)
        shape = int(rng.integers(1, 5)), int(rng.integers(1, 7))
        passes = [
            Pass(
                a=random_matrix(rng, (shape[0], k)),
                b=random_matrix(rng, (k, shape[1])),
                a_settings=OperandSettings(chunks=2, bias=-5),
                b_settings=OperandSettings(chunks=4, bias=-6),
            )
            for k in map(int, rng.integers(1, 17, 1 + n % 3))
        ]
        finish = random_finish(rng, engine.config, shape, 0.02).arguments()
        due, product = (each.multiply_sum(passes, **finish) for each in (golden, engine))
        assert product.values.tobytes() == due.values.tobytes()


def output(finish):
    """What follows a product, as the cycle model takes it."""
    post, results = finish.post, finish.results
    return Output(
        bias=post is not None and post.bias is not None,
        residual=post is not None and post.residual is not None,
        chunks=results.chunks if results else 0,
    )


def test_cycles_of_single_products(engine):
    """The model knows every cycle of most products in FP32; of packed results, it misses gaps between beats."""
    rng, model, config = np.random.default_rng(1), CycleModel(engine.config), engine.config
    measured, errors = 0, {False: [], True: []}
    for _ in range(120):
        each = random_finished(rng, config, found=0)
        cycles = each.run(engine).cycles
        modeled = model.products([attrs.evolve(work(config, each.case), output=output(each.finish))])
        errors[each.finish.results is not None].append(abs(cycles - modeled))
        measured += cycles
    assert np.count_nonzero(errors[False]) <= len(errors[False]) // 4
    assert np.count_nonzero(np.array(errors[True]) > 3) <= len(errors[True]) // 4
    assert sum(errors[False] + errors[True]) < 0.02 * measured


@pytest.mark.parametrize("finish", ["FP32", "added", "packed"])
def test_cycles_of_products_that_follow_each_other(engine, finish):
    """The model is right to 2 %: the engine is polled, and the results of a product wait for the product before."""
    rng, config = np.random.default_rng(2), engine.config
    a, b = random_matrix(rng, (8, 16)), random_matrix(rng, (16, 12))
    settings = [OperandSettings(bias=-6, chunks=2), OperandSettings(bias=-6, chunks=2)]
    post = PostOperations(bias=b[0, :].copy(), residual=random_matrix(rng, (8, 12)))
    follows = Finish(
        post=post if finish == "added" else None,
        results=OperandSettings(bias=-4) if finish == "packed" else None,
    )
    each = Queued(a=a, b=b, a_settings=settings[0], b_settings=settings[1], **follows.arguments())
    found = run_queued(engine, [each] * 6)
    one = attrs.evolve(work(config, Case(a, b, *settings)), output=output(follows))
    assert abs(CycleModel(config).products([one] * 6) / found.cycles - 1) < 0.02


REFUSED, D_SHORT, D_LONG = 1, 1 << 5, 1 << 6

ILLEGAL = {
    "no chunks": {"c_packed": 1, "c_chunks": 0},
    "a precision that was not generated": {"c_packed": 1, "c_chunks": 3},
    "a rounding that is none": {"c_packed": 1, "c_rounding": 3},
    "a seed of zero": {"c_packed": 1, "c_rounding": 2, "c_seed": 0},
    "a bias below FP32": {"c_packed": 1, "c_bias": -161},
    "a bias above FP32": {"c_packed": 1, "c_bias": 129},
    "more than one bit of packed": {"c_packed": 2},
    "more than two bits of ReLU": {"c_relu": 4},
    "a bias of more columns than the memory has": {"c_add_bias": 1, "b_vectors": 64, "b_chunks": 1},
}


def prepared(engine, each):
    """Write the settings of a product and of what follows it; return its beats, and its plan."""
    config, case = engine.config, each.case
    plan = ResultPlan(config=config, shape=(case.a.shape[0], case.b.shape[1]), **each.finish.arguments())
    loads = [engine.prepare(*side) for side in zip("ab", case.lines(config), case.settings(config), strict=True)]
    return [*loads, engine.follow(plan)], plan


@pytest.mark.parametrize("fault", ILLEGAL)
def test_illegal_settings_of_results_are_refused(engine, fault):
    rng = np.random.default_rng(1)
    a, b = random_matrix(rng, (4, 4)), random_matrix(rng, (4, 6))
    case = Case(a, b, OperandSettings(bias=0), OperandSettings(bias=0))
    prepared(engine, FinishedCase(case, Finish()))
    engine.write("clear", 1)
    for name, value in ILLEGAL[fault].items():
        engine.write(name, value)
    engine.write("start", LOAD_A | LOAD_B)
    engine.wait("status", 2, 10_000)
    assert flagged(engine) == REFUSED
    assert engine.read("products") == 0
    random_finished(rng, engine.config).check(engine)


def with_addends(rng, config):
    """A random product with a residual, and perhaps more that follows it."""
    while True:
        each = random_finished(rng, config, found=0)
        if each.finish.post is not None and each.finish.post.residual is not None:
            return each


@pytest.mark.parametrize("fault", ["short", "long"])
def test_addends_of_a_wrong_length_are_flagged(engine, fault):
    """Missing addends are zeros, excess ones are dropped, and the next product is right."""
    rng, config = np.random.default_rng(3), engine.config
    for _ in range(25):
        engine.stalls = random_stalls(rng)
        each = with_addends(rng, config)
        post = each.finish.post
        assert post is not None
        assert post.residual is not None
        shape = post.residual.shape
        (load_a, load_b, (addends,)), plan = prepared(engine, each)
        beats = len(addends.last)
        if fault == "short" and beats == 1:
            continue
        sent = int(rng.integers(1, beats)) if fault == "short" else beats + int(rng.integers(1, 20))
        numbers = np.concatenate([addends.numbers, addends.numbers[:1].repeat(20, axis=0)])[:sent]
        engine.write("start", LOAD_A | LOAD_B)
        load = Load(numbers, np.eye(1, sent, sent - 1, dtype=np.uint8)[0])
        transfer = engine.transfer([load_a], [load_b], plan.beats, [load])
        engine.finish(transfer, products=1)
        engine.wait("status", 2, 10_000)
        assert flagged(engine) == {"short": D_SHORT, "long": D_LONG}[fault]
        flat = np.zeros(beats * config.engine.output_width, np.float32)
        flat[: numbers.size] = numbers.reshape(-1)[: flat.size]
        columns = -(-shape[1] // config.array.columns) * config.array.columns
        bias = None
        if post.bias is not None:
            bias, flat = flat[:columns][: shape[1]], flat[columns:]
        residual = matrix_of(config, flat, *shape, new_b=False)
        due = attrs.evolve(
            each, finish=attrs.evolve(each.finish, post=attrs.evolve(post, bias=bias, residual=residual))
        )
        assert plan.product(transfer.results)[0].tobytes() == due.run(GoldenEngine(config)).values.tobytes()
        random_finished(rng, config).check(engine)


def run_random_faults(engine, cycles, seed):
    """Faults at random, and after each a reset and a product that is right."""
    run_faults(
        engine,
        cycles,
        seed,
        prepare=lambda rng: prepared(engine, random_finished(rng, engine.config, special=0.05, found=0))[0],
        check=lambda rng: random_finished(rng, engine.config).check(engine),
    )


def test_random_faults_and_resets(engine):
    run_random_faults(engine, 100_000, 5)


@pytest.mark.slow
def test_a_million_cycles_of_faults(engine):
    run_random_faults(engine, 1_000_000, 6)
