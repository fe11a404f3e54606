"""The engine flags every fault of a host, never hangs, and computes the next valid product correctly."""

import attrs
import numpy as np
import pytest
from faults import flagged
from operands import Case, random_case, random_matrix

from fixtures.engines import SMALL_ENGINE
from lowtide_model import BfpTensor, matmul, to_fp32, unpack
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import multiply
from lowtide_model.engine.product import OperandVectors
from lowtide_model.engine.results import matrix_of, result_beats
from lowtide_model.engine.transfer import Load, Stalls
from lowtide_sim.engine.verilated import ADD, KEEP, LOAD_A, LOAD_B

REFUSED, SHORT_A, SHORT_B, LONG_A, LONG_B = (1 << n for n in range(5))


def check_next(engine, rng):
    """The next product is right."""
    case = random_case(rng, engine.config)
    case.check(engine.config, engine.multiply(case.a, case.b, case.a_settings, case.b_settings))
    if engine.config.engine.sum_rows:
        a, b, settings = random_matrix(rng, (3, 130)), random_matrix(rng, (130, 5)), [OperandSettings(bias=-5)] * 2
        due = multiply(GoldenEngine(engine.config), a, b, *settings).values
        assert multiply(engine, a, b, *settings).values.tobytes() == due.tobytes()


def settle(engine):
    """Wait until no product is in the engine."""
    engine.wait("status", 2, 10_000)


ILLEGAL = {
    "no lines": {"a_vectors": 0},
    "no length": {"a_length": 0, "b_length": 0},
    "K beyond the bound": {"a_length": 101, "b_length": 101},
    "K that differs": {"b_length": 3},
    "no chunks": {"a_chunks": 0},
    "a precision that was not generated": {"a_chunks": 3},
    "a rounding that is none": {"b_rounding": 3},
    "a seed of zero": {"b_rounding": 2, "b_seed": 0},
    "a bias beyond FP32": {"a_bias": -161},
    "a bias beyond FP32, above": {"b_bias": 129},
    "lines beyond the buffer": {"a_vectors": 65},
    "the most lines there can be written": {"b_vectors": 0xFFFFFFFF},
    "lines beyond what can be turned": {"a_transposed": 1, "a_vectors": 17, "a_length": 4, "b_length": 4},
    "nothing to load": {"start": 4},
    "packed groups that are transposed": {"a_packed": 1, "a_transposed": 1},
    "packed groups without a bias": {"b_packed": 1, "b_bias_auto": 1},
    "the bias of packed groups": {"b_packed": 1, "start": 7},
    "more than one bit of packed": {"b_packed": 2},
}


@pytest.mark.parametrize("fault", ILLEGAL)
def test_illegal_settings_are_refused(engine, fault):
    rng = np.random.default_rng(1)
    a, b = random_matrix(rng, (4, 5)), random_matrix(rng, (5, 4))
    engine.prepare("a", OperandVectors(a, False), OperandSettings(bias=0))
    engine.prepare("b", OperandVectors(b.T, False), OperandSettings(bias=0))
    wrong = dict(ILLEGAL[fault])
    start = wrong.pop("start", LOAD_A | LOAD_B)
    for name, value in wrong.items():
        engine.write(name, value)
    engine.write("start", start)
    settle(engine)
    assert flagged(engine) == REFUSED
    assert engine.read("products") == 0
    check_next(engine, rng)


@pytest.mark.parametrize("side", "ab")
def test_transposed_operands_are_refused_without_transposers(fresh_engine, side):
    engine = fresh_engine(SMALL_ENGINE.changed({"engine.transpose_depth": 0}))
    rng = np.random.default_rng(1)
    a, b = random_matrix(rng, (1, 1)), random_matrix(rng, (1, 1))
    engine.prepare("a", OperandVectors(a, False), OperandSettings(bias=0))
    engine.prepare("b", OperandVectors(b.T, False), OperandSettings(bias=0))
    engine.write(f"{side}_transposed", 1)
    engine.write("start", LOAD_A | LOAD_B)
    settle(engine)
    assert flagged(engine) == REFUSED
    check_next(engine, rng)


def test_reuse_without_a_loaded_operand_is_refused(engine):
    engine.write("start", 0)
    settle(engine)
    assert flagged(engine) == REFUSED
    check_next(engine, np.random.default_rng(1))


def test_start_while_not_ready_is_refused(engine):
    rng = np.random.default_rng(2)
    case = random_case(rng, engine.config, found=0)
    lines = case.lines(engine.config)
    loads = [engine.prepare(*side) for side in zip("ab", lines, case.settings(engine.config), strict=True)]
    for _ in range(5):  # one is being loaded, one waits for it, and the others come too soon
        engine.write("start", LOAD_A | LOAD_B)
        engine.run(engine.transfer(), products=1, most=100)
    assert flagged(engine) == REFUSED
    beats = result_beats(engine.config, case.a.shape[0], case.b.shape[1])
    transfer = engine.transfer([loads[0]] * 2, [loads[1]] * 2, 2 * beats)
    engine.finish(transfer, products=2)
    settle(engine)
    check_next(engine, rng)


def padded(case, side, rows, arrived):
    """The product of what arrived of an operand; the rest is zero."""
    x = getattr(case, side)
    if not isinstance(x, BfpTensor):
        rows[:] = arrived  # a view of the matrix
        return case
    words = np.ascontiguousarray(arrived).view(np.uint32).reshape(*x.codes.shape, -1)
    fields = {name: getattr(x, name) for name in ("mantissa", "exponent", "group", "bias", "length", "axis")}
    return attrs.evolve(case, **{side: unpack(words, **fields)})


@pytest.mark.parametrize("side", ["a", "b"])
def test_short_operand_is_padded(engine, side):
    rng = np.random.default_rng(3)
    for _ in range(20):
        case = random_case(rng, engine.config, found=0)
        lines = case.lines(engine.config)
        loads = {
            name: engine.prepare(name, x, operand)
            for name, x, operand in zip("ab", lines, case.settings(engine.config), strict=True)
        }
        if len(loads[side].last) < 2:
            continue
        kept = int(rng.integers(1, len(loads[side].last)))
        cut = loads[side].numbers[:kept]
        loads[side] = Load(cut, np.eye(1, kept, kept - 1, dtype=np.uint8)[0])
        engine.write("start", LOAD_A | LOAD_B)
        beats = result_beats(engine.config, case.a.shape[0], case.b.shape[1])
        transfer = engine.transfer([loads["a"]], [loads["b"]], beats)
        engine.finish(transfer, products=1)
        assert flagged(engine) == {"a": SHORT_A, "b": SHORT_B}[side]
        rows = lines["ab".index(side)].in_memory_order
        flat = np.zeros_like(np.pad(rows, [(0, 0), (0, -rows.shape[1] % engine.config.engine.input_width)]))
        flat.reshape(-1)[: cut.size] = cut.reshape(-1)
        due = padded(case, side, rows, flat[:, : rows.shape[1]]).due(engine.config).values
        assert matrix_of(engine.config, transfer.results, *due.shape).tobytes() == due.tobytes()
        check_next(engine, rng)


@pytest.mark.parametrize("side", ["a", "b"])
def test_long_operand_is_truncated(engine, side):
    rng = np.random.default_rng(4)
    for _ in range(20):
        case = random_case(rng, engine.config, found=0)
        loads = {
            name: engine.prepare(name, x, operand)
            for name, x, operand in zip("ab", case.lines(engine.config), case.settings(engine.config), strict=True)
        }
        more = random_matrix(rng, (int(rng.integers(1, 30)), engine.config.engine.input_width))
        numbers = np.concatenate([loads[side].numbers, more])
        loads[side] = Load(numbers, np.eye(1, len(numbers), len(numbers) - 1, dtype=np.uint8)[0])
        engine.write("start", LOAD_A | LOAD_B)
        beats = result_beats(engine.config, case.a.shape[0], case.b.shape[1])
        transfer = engine.transfer([loads["a"]], [loads["b"]], beats)
        engine.finish(transfer, products=1)
        assert flagged(engine) == {"a": LONG_A, "b": LONG_B}[side]
        due = case.due(engine.config).values
        assert matrix_of(engine.config, transfer.results, *due.shape).tobytes() == due.tobytes()
        check_next(engine, rng)


def disturb(engine, rng):
    """A product, some of it only, with one fault or another."""
    case = random_case(rng, engine.config, special=0.05, found=0)
    lines = case.lines(engine.config)
    loads = {
        name: engine.prepare(name, x, operand)
        for name, x, operand in zip("ab", lines, case.settings(engine.config), strict=True)
    }
    names = [name for name in engine.registers if name[:2] in ("a_", "b_")]
    if rng.random() < 0.3:  # any settings
        for name in rng.choice(names, 3):
            engine.write(str(name), int(rng.integers(0, 2**32)))
    for side in "ab":
        load = loads[side]
        fault = rng.random()
        if fault < 0.2 and len(load.last) > 1:
            loads[side] = Load(load.numbers[:-1], np.eye(1, len(load.last) - 1, len(load.last) - 2, dtype=np.uint8)[0])
        elif fault < 0.4:
            loads[side] = Load(np.concatenate([load.numbers] * 2), np.concatenate([load.last * 0, load.last]))
    starts = 32 if engine.config.engine.sum_rows else 8
    engine.write("start", int(rng.integers(0, starts)) if rng.random() < 0.3 else LOAD_A | LOAD_B)
    transfer = engine.transfer([loads["a"]], [loads["b"]], 10_000)
    engine.run(transfer, products=1, most=int(rng.integers(1, 300)))
    for name in rng.choice(names, 3):  # in mid-product
        engine.write(str(name), int(rng.integers(0, 2**32)))
    engine.write("start", int(rng.integers(0, starts)))
    engine.run(transfer, products=1, most=int(rng.integers(1, 300)))


def run_faults(engine, cycles, seed):
    """Faults at random, and after each a reset and a product that is right."""
    rng, since = np.random.default_rng(seed), engine.cycles
    while engine.cycles - since < cycles:
        engine.stalls = Stalls(*(int(share) for share in rng.choice([0, 60, 200], 3)))
        for _ in range(int(rng.integers(1, 4))):
            disturb(engine, rng)
        engine.reset()
        check_next(engine, rng)


def test_random_faults_and_resets(engine):
    run_faults(engine, 200_000, 5)


def test_random_faults_and_resets_with_sums(sum_engine):
    run_faults(sum_engine, 200_000, 7)


def test_random_faults_and_resets_with_slots(slot_engine):
    run_faults(slot_engine, 100_000, 10)


def test_faults_of_an_operand_between_passes(sum_engine):
    """A short operand of a pass is padded with zeros, which is flagged; the sum is exact, and so is the next one."""
    rng, config = np.random.default_rng(8), sum_engine.config
    for n in range(10):
        settings = OperandSettings(bias=-5), OperandSettings(bias=-5)
        cases = [Case(random_matrix(rng, (4, 8)), random_matrix(rng, (8, 6)), *settings) for _ in range(3)]
        for place, case in enumerate(cases):
            case = attrs.evolve(case, a=np.ascontiguousarray(case.a))
            loads = {
                side: sum_engine.prepare(side, vectors, of)
                for side, vectors, of in zip("ab", case.lines(config), settings, strict=True)
            }
            if place == n % 3:
                cut = loads["a"].numbers[:5]
                loads["a"] = Load(cut, np.eye(1, 5, 4, dtype=np.uint8)[0])
                case.a[:] = np.pad(cut.reshape(-1), (0, 22)).reshape(4, 8)
            cases[place] = case
            last = place == 2
            sum_engine.write("start", LOAD_A | LOAD_B | ADD * (place > 0) | KEEP * (not last))
            transfer = sum_engine.transfer([loads["a"]], [loads["b"]], result_beats(config, 4, 6) * last)
            sum_engine.finish(transfer, products=int(last))
            settle(sum_engine)
        assert flagged(sum_engine) == SHORT_A
        golden = GoldenEngine(config)
        pairs = [(golden.convert("a", case.a, settings[0]), golden.convert("b", case.b, settings[1])) for case in cases]
        due = to_fp32(sum(matmul(*pair) for pair in pairs), *pairs[0]).values
        assert matrix_of(config, transfer.results, 4, 6).tobytes() == due.tobytes()


@pytest.mark.slow
def test_a_million_cycles_of_faults(engine):
    run_faults(engine, 1_000_000, 6)


@pytest.mark.slow
def test_a_million_cycles_of_faults_with_sums(sum_engine):
    run_faults(sum_engine, 1_000_000, 9)


@pytest.mark.slow
def test_a_million_cycles_of_faults_with_slots(slot_engine):
    run_faults(slot_engine, 1_000_000, 11)
