"""Scales per column and packed integers on emitted engines: results, counters, cycles, refusals and faults."""

import attrs
import numpy as np
import pytest
from faults import flagged, run_faults
from integer_operands import IntegerCase, random_integer_case
from stalls import random_stalls
from test_integer_cycles import work

from fixtures.engines import INTEGER_ENGINES
from fixtures.plain_requantization import fp32_of, integer_of, scaled_sum
from lowtide_model.engine.cycles import CycleModel
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.output_cycles import Output
from lowtide_model.engine.panels import multiply
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.product import operand_vectors
from lowtide_model.engine.result_plan import ResultPlan
from lowtide_model.engine.reveal import reveal_registers
from lowtide_model.engine.sums import Pass
from lowtide_model.engine.transfer import Load
from lowtide_sim.bench.stimulus.integer_products import random_integer_finish, random_integers
from lowtide_sim.engine.queue import Queued, run_queued
from lowtide_sim.engine.verilated import LOAD_A, LOAD_B

BOTH = {"engine.column_scale": True, "engine.packed_results": True}
ENGINES = {
    "with post operations and sums": INTEGER_ENGINES["terms"].changed(BOTH),
    "integers of 4 bits": INTEGER_ENGINES["plain integers"].changed(
        {**BOTH, "array.columns": 4, "engine.output_width": 2}
    ),
    "scales alone": INTEGER_ENGINES["one element, four values"].changed({"engine.column_scale": True}),
    "packed integers alone": INTEGER_ENGINES["wide values"].changed({"engine.packed_results": True}),
    "scales and post operations": INTEGER_ENGINES["plain integers"].changed(
        {"engine.column_scale": True, "engine.post_operations": True, "terms.width": 8}
    ),
}


QUICK = ("with post operations and sums", "packed integers alone")
"""Engines of the quick tests: each engine takes a quarter of a minute to build."""


@pytest.fixture(params=[name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in ENGINES])
def scaled(request, fresh_engine):
    """Each engine, after reset, without stalls."""
    return fresh_engine(ENGINES[request.param])


@pytest.fixture
def full(fresh_engine):
    """The engine with everything."""
    return fresh_engine(ENGINES["with post operations and sums"])


@attrs.frozen(eq=False)
class Scaled:
    """A product of integers, and what follows it."""

    case: IntegerCase
    post: PostOperations | None
    results: IntegerSettings | None

    def run(self, engine):
        case = self.case
        return engine.multiply(
            case.a, case.b, case.a_settings, case.b_settings, reveal=case.reveal, post=self.post, results=self.results
        )

    def check(self, engine):
        """Every bit is the golden engine's, and all that is counted."""
        due, found = self.run(GoldenEngine(engine.config)), self.run(engine)
        assert found.values.tobytes() == due.values.tobytes()
        assert found.events == due.events
        return found

    def work(self):
        post = self.post or PostOperations()
        output = Output(
            scale=post.scales,
            bias=post.bias is not None,
            residual=post.residual is not None,
            integers=self.results is not None,
        )
        return work(self.case, output=output)


def random_scaled(rng, config, shape=None):
    case = random_integer_case(rng, config, shape)
    return Scaled(case, *random_integer_finish(rng, config, (case.a.shape[0], case.b.shape[1])))


def test_random_products(scaled):
    rng = np.random.default_rng(1)
    for _ in range(80):
        scaled.stalls = random_stalls(rng)
        random_scaled(rng, scaled.config).check(scaled)


@pytest.mark.parametrize("columns", range(1, 13))
def test_tails_of_n(full, columns):
    rng = np.random.default_rng(columns)
    for rows in (1, 2, 3, 5):
        random_scaled(rng, full.config, (rows, 9, columns)).check(full)


@pytest.mark.parametrize("results", [None, IntegerSettings(bias=-1)])
def test_every_sum_with_every_fraction(fresh_engine, results):
    """All sums of K = 2 of integers of 4 bits, with scales and offsets that give ties and saturation, by fractions."""
    engine = fresh_engine(ENGINES["integers of 4 bits"])
    a = np.array([[x, y] for x in range(-8, 8, 3) for y in (-8, -3, 1, 7)])
    b = np.array([[-8, -5, -1, 0, 1, 3, 7, 7], [7, -8, 1, 1, 4, -3, 7, -8]])
    for quarters in (1, 2, 3, 4, 6, 16):
        scale = (np.full(8, quarters) / 16).astype(np.float32)
        offset = np.array([0, 1, -1, 5, -7, 100, 2, 0])
        post = PostOperations(offset=offset, scale=scale)
        found = engine.multiply(a, b, IntegerSettings(bias=1), IntegerSettings(bias=-2), post=post, results=results)
        exact = [[scaled_sum(x, o, s, -1) for x, o, s in zip(row, offset, scale, strict=True)] for row in a @ b]
        if results is None:
            assert found.values.tolist() == [[fp32_of(value)[0] for value in row] for row in exact]
            continue
        due = [[integer_of(value, -1, 4) for value in row] for row in exact]
        assert found.tensor.integers.tolist() == [[value for value, _ in row] for row in due]
        assert found.events.c_saturated == sum(beyond for row in due for _, beyond in row)


def test_numbers_beside_a_tie_are_rounded_once(fresh_engine):
    """FP32 would round these numbers to ties: a sixth in FP32, times odd multiples of three."""
    engine = fresh_engine(ENGINES["integers of 4 bits"])
    a, b = np.array([[3, 0, 0], [7, 7, 1], [-3, 0, 0], [5, 4, 0], [-8, -7, 0]]), np.ones((3, 1), np.int64)
    sixth = np.float32(1) / np.float32(6)
    for scale in (sixth, np.nextafter(sixth, np.float32(0))):
        post = PostOperations(scale=np.array([scale]))
        found = engine.multiply(a, b, post=post, results=IntegerSettings()).tensor
        exact = [scaled_sum(total, 0, scale, 0) for total in (a @ b)[:, 0]]
        assert found.integers[:, 0].tolist() == [integer_of(value, 0, 4)[0] for value in exact]
        twice = [integer_of(fp32_of(value)[0], 0, 4)[0] for value in exact]
        assert scale != sixth or found.integers[:, 0].tolist() != twice


def test_back_to_back_products(scaled):
    """Each with its own settings, scales and offsets; some operands stay."""
    rng, config = np.random.default_rng(3), scaled.config
    for _ in range(5):
        scaled.reset()
        scaled.stalls = random_stalls(rng)
        queued, due = [], []
        for n in range(10):
            each = random_scaled(rng, config, (2, 5, 3))
            load_a, load_b = (n == 0 or bool(rng.random() < 0.5) for _ in "ab")
            case, last = each.case, queued[-1] if queued else each.case
            a = (case.a, case.a_settings) if load_a else (last.a, last.a_settings)
            b = (case.b, case.b_settings) if load_b else (last.b, last.b_settings)
            queued.append(
                Queued(
                    a=a[0],
                    b=b[0],
                    a_settings=a[1],
                    b_settings=b[1],
                    reveal=case.reveal,
                    load_a=load_a,
                    load_b=load_b,
                    post=each.post,
                    results=each.results,
                )
            )
            golden = GoldenEngine(config)
            due.append(
                golden.multiply(a[0], b[0], a[1], b[1], reveal=case.reveal, post=each.post, results=each.results).values
            )
        found = run_queued(scaled, queued)
        assert [values.tobytes() for values in found.values] == [values.tobytes() for values in due]


def test_sums_on_chip(full):
    """The offset and the scale follow the sum over all passes."""
    rng, golden = np.random.default_rng(4), GoldenEngine(full.config)
    for n in range(30):
        full.stalls = random_stalls(rng)
        shape = int(rng.integers(1, 5)), int(rng.integers(1, 7))
        settings = IntegerSettings(bias=-2)
        passes = [
            Pass(
                a=random_integers(rng, full.config, (shape[0], k)),
                b=random_integers(rng, full.config, (k, shape[1])),
                a_settings=settings,
                b_settings=settings,
            )
            for k in map(int, rng.integers(1, 17, 1 + n % 3))
        ]
        post, results = random_integer_finish(rng, full.config, shape)
        due, found = (engine.multiply_sum(passes, post=post, results=results) for engine in (golden, full))
        assert found.values.tobytes() == due.values.tobytes()
        assert found.events == due.events


def test_panels_along_every_dimension(full):
    rng = np.random.default_rng(5)
    a, b = random_integers(rng, full.config, (9, 150)), random_integers(rng, full.config, (150, 8))
    post = PostOperations(scale=rng.uniform(1e-4, 1e-3, 8).astype(np.float32), relu=True)
    for results in (None, IntegerSettings()):
        found, due = (
            multiply(engine, a, b, None, None, post=post, results=results)
            for engine in (full, GoldenEngine(full.config))
        )
        assert found.values.tobytes() == due.values.tobytes()


def test_integers_are_the_next_operand(full):
    """Two layers: what the first product sends is what the second one takes."""
    rng = np.random.default_rng(6)
    x, w, v = (random_integers(rng, full.config, shape) for shape in ((2, 9), (9, 7), (7, 5)))
    post = PostOperations(scale=np.full(7, 1e-3, np.float32))
    hidden = full.multiply(x, w, post=post, results=IntegerSettings()).tensor.integers
    assert np.count_nonzero(hidden) > 2
    due = GoldenEngine(full.config).multiply(hidden, v).values
    assert full.multiply(hidden, v).values.tobytes() == due.tobytes()


def test_the_model_knows_every_cycle_of_a_product(scaled):
    """Every cycle of a product in FP32; of packed integers, it misses gaps between beats."""
    rng, model = np.random.default_rng(7), CycleModel(scaled.config)
    errors, measured = {False: [], True: []}, 0
    for _ in range(60):
        each = random_scaled(rng, scaled.config)
        cycles = each.run(scaled).cycles
        errors[each.results is not None].append(abs(cycles - model.products([each.work()])))
        measured += cycles
    assert not any(errors[False])
    assert max(errors[True], default=0) <= 8
    assert sum(errors[True]) < 0.01 * measured


def test_cycles_of_products_that_follow_each_other(full):
    rng, config = np.random.default_rng(8), full.config
    for n in range(3):
        each = [random_scaled(rng, config, (4, 20, 9))] * 6
        queued = [
            Queued(
                a=one.case.a,
                b=one.case.b,
                a_settings=one.case.a_settings,
                b_settings=one.case.b_settings,
                reveal=one.case.reveal,
                post=one.post,
                results=one.results,
            )
            for one in each
        ]
        full.reset()
        measured = run_queued(full, queued).cycles
        assert abs(CycleModel(config).products([one.work() for one in each]) / measured - 1) < 0.03, n


REFUSED, D_SHORT, D_LONG = 1, 1 << 5, 1 << 6

ILLEGAL = {
    "a bias below the range": {"c_packed": 1, "c_bias": -161},
    "a bias above the range": {"c_packed": 1, "c_bias": 129},
    "a bias of too many bits": {"c_bias": 300},
    "more than one bit of packed": {"c_packed": 2},
    "more than one bit of scale": {"c_scale": 2},
    "scales of more columns than the memory has": {"c_scale": 1, "b_vectors": 64, "a_length": 1, "b_length": 1},
}


def prepared(engine, each):
    """Write the settings of a product and of what follows it; return its beats, and its plan."""
    config, case = engine.config, each.case
    settings = case.a_settings, case.b_settings
    plan = ResultPlan(config=config, shape=(case.a.shape[0], case.b.shape[1]), post=each.post, results=each.results)
    vectors = operand_vectors(config, case.a, case.b, *settings)
    for name, value in engine.changed(reveal_registers(config, case.reveal)):
        engine.write(name, value)
    loads = [engine.prepare(*side) for side in zip("ab", vectors, settings, strict=True)]
    return [*loads, engine.follow(plan)], plan


@pytest.mark.parametrize("fault", ILLEGAL)
def test_illegal_settings_are_refused(full, fault):
    rng = np.random.default_rng(9)
    case = random_integer_case(rng, full.config, (2, 3, 4))
    prepared(full, Scaled(case, None, None))
    full.write("clear", 1)
    for name, value in ILLEGAL[fault].items():
        full.write(name, value)
    full.write("start", LOAD_A | LOAD_B)
    full.wait("status", 2, 10_000)
    assert flagged(full) == REFUSED
    assert full.read("products") == 0
    for name, value in ILLEGAL[fault].items():
        full._settings[name] = value
    random_scaled(rng, full.config).check(full)


@pytest.mark.parametrize("fault", ["short", "long"])
def test_scales_of_a_wrong_length_are_flagged(scaled, fault):
    """Missing scales, offsets and addends are zeros, excess beats are dropped, and the next product is right."""
    rng, config = np.random.default_rng(10), scaled.config
    if not config.engine.column_scale:
        return
    checked = 0
    while checked < 25:
        scaled.stalls = random_stalls(rng)
        each = random_scaled(rng, config)
        if each.post is None or not each.post.scales:
            continue
        (load_a, load_b, (addends,)), plan = prepared(scaled, each)
        beats = len(addends.last)
        sent = int(rng.integers(1, beats)) if fault == "short" else beats + int(rng.integers(1, 20))
        numbers = np.concatenate([addends.numbers, addends.numbers[:1].repeat(20, axis=0)])[:sent]
        scaled.write("start", LOAD_A | LOAD_B)
        load = Load(numbers, np.eye(1, sent, sent - 1, dtype=np.uint8)[0])
        transfer = scaled.transfer([load_a], [load_b], plan.beats, [load])
        scaled.finish(transfer, products=1)
        scaled.wait("status", 2, 10_000)
        assert flagged(scaled) == {"short": D_SHORT, "long": D_LONG}[fault]
        flat = np.zeros(beats * config.engine.output_width, np.float32)
        flat[: numbers.size] = numbers.reshape(-1)[: flat.size]
        due = attrs.evolve(each, post=with_addends(config, each.post, flat, plan.shape))
        assert plan.product(transfer.results)[0].tobytes() == due.run(GoldenEngine(config)).values.tobytes()
        random_scaled(rng, config).check(scaled)
        checked += 1


def with_addends(config, post, flat, shape):
    """Post operations with the numbers that the engine took."""
    columns, array = shape[1], config.array
    padded = -(-columns // array.columns) * array.columns
    rows = [flat[n * padded : (n + 1) * padded][:columns] for n in range(3)]
    post = attrs.evolve(post, scale=rows[0], offset=rows[1].view(np.int32).astype(np.int64))
    flat = flat[2 * padded :]
    if post.bias is not None:
        post, flat = attrs.evolve(post, bias=rows[2]), flat[padded:]
    if post.residual is None:
        return post
    tiles = flat.reshape(-(-shape[0] // array.rows), -1, array.rows, array.columns)
    whole = tiles.transpose(0, 2, 1, 3).reshape(-1, padded)
    return attrs.evolve(post, residual=np.ascontiguousarray(whole[: shape[0], :columns]))


def run_random_faults(engine, cycles, seed):
    """Faults at random, and after each a reset and a product that is right."""
    run_faults(
        engine,
        cycles,
        seed,
        prepare=lambda rng: prepared(engine, random_scaled(rng, engine.config))[0],
        check=lambda rng: random_scaled(rng, engine.config).check(engine),
    )


def test_random_faults_and_resets(scaled):
    run_random_faults(scaled, 40_000, 11)


@pytest.mark.slow
def test_a_million_cycles_of_faults(full):
    run_random_faults(full, 1_000_000, 12)
