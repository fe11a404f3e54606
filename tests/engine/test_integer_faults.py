"""Faults of a host with an engine of integers: flagged, never a hang, and the next product is right."""

import attrs
import numpy as np
import pytest
from integer_operands import random_integer_case

from fixtures.engines import INTEGER_ENGINES
from lowtide_model import quantize
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.integer_operand import IntegerSettings, packed_integers
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.product import OperandVectors, operand_vectors
from lowtide_model.engine.results import matrix_of, result_beats
from lowtide_model.engine.reveal import Reveal, reveal_registers
from lowtide_model.engine.transfer import Load, Stalls
from lowtide_sim.engine.verilated import FIND, LOAD_A, LOAD_B

REFUSED, SHORT_A, SHORT_B, LONG_A, LONG_B = (1 << n for n in range(5))


def prepared(engine, case, vectors=None):
    """Write all settings of a product; its beats, by operand."""
    vectors = vectors or operand_vectors(engine.config, case.a, case.b, case.a_settings, case.b_settings)
    for name, value in reveal_registers(engine.config, case.reveal).items():
        engine.write(name, value)
    return {
        side: engine.prepare(side, x, settings)
        for side, x, settings in zip("ab", vectors, (case.a_settings, case.b_settings), strict=True)
    }


def streamed(engine, case, loads):
    """Start a product; the matrix that arrives."""
    shape = len(case.a), case.b.shape[1]
    engine.write("start", LOAD_A | LOAD_B)
    transfer = engine.transfer([loads["a"]], [loads["b"]], result_beats(engine.config, *shape))
    engine.finish(transfer, products=1)
    return matrix_of(engine.config, transfer.results, *shape)


def errors(engine):
    """What is flagged, which is cleared."""
    engine.wait("status", 2, 10_000)
    flags = engine.read("errors")
    engine.write("errors", flags)
    return flags


def due(engine, case):
    return case.run(GoldenEngine(engine.config)).values.tobytes()


def test_integers_beyond_a_vector_count_as_zero(integers):
    """Whatever fills the last word and the last beat of a vector."""
    rng, config = np.random.default_rng(1), integers.config
    per_word = 32 // (1 << (config.terms.width - 1).bit_length())
    for k in (1, 3, 5, 9, 13):
        case = random_integer_case(rng, config, (1, k, 1))
        vectors = []
        for x in (case.a, case.b.T):
            filled = np.pad(x, [(0, 0), (0, -k % per_word)], constant_values=1)
            vectors.append(OperandVectors(packed_integers(filled, config.terms.width), transposed=False, length=k))
        assert streamed(integers, case, prepared(integers, case, vectors)).tobytes() == due(integers, case)


ILLEGAL = {
    "no vectors": {"a_vectors": 0},
    "no length": {"a_length": 0, "b_length": 0},
    "K beyond the bound": {"a_length": 101, "b_length": 101},
    "K that differs": {"b_length": 3},
    "a bias beyond FP32": {"a_bias": -161},
    "a bias beyond FP32, above": {"b_bias": 129},
    "vectors beyond the buffer": {"a_vectors": 65 * 8},
    "the largest number": {"b_vectors": 0xFFFFFFFF},
    "a bias to be found": {"start": FIND | LOAD_A},
    "nothing to load": {"start": 0},
}

ILLEGAL_TERMS = {
    "no group": {"terms_group": 0},
    "a group beyond the hardware": {"terms_group": 9},
    "a budget beyond the hardware": {"terms_budget": 17},
    "more data terms than the hardware keeps": {"terms_data_terms": 5},
    "more than one bit": {"terms_reveal": 2},
    "more than the register": {"terms_group": 1 << 31 | 8},
}


def refused(engine, wrong):
    rng = np.random.default_rng(2)
    case = random_integer_case(rng, engine.config, (1, 5, 1))
    prepared(engine, case)
    start = wrong.pop("start", LOAD_A | LOAD_B)
    for name, value in wrong.items():
        engine.write(name, value)
    engine.write("start", start)
    assert errors(engine) == REFUSED
    assert engine.read("products") == 0
    random_integer_case(rng, engine.config).check(engine)


@pytest.mark.parametrize("fault", ILLEGAL)
def test_illegal_settings_are_refused(integers, fault):
    refused(integers, dict(ILLEGAL[fault]))


@pytest.mark.parametrize("fault", ILLEGAL_TERMS)
def test_illegal_settings_of_terms_are_refused(terms, fault):
    refused(terms, dict(ILLEGAL_TERMS[fault]))


def test_group_of_partial_words_is_refused(fresh_engine):
    refused(fresh_engine(INTEGER_ENGINES["wide values"]), {"terms_group": 12})


@pytest.mark.parametrize("side", ["a", "b"])
def test_short_operand_is_padded_and_long_one_is_truncated(integers, side):
    rng, config = np.random.default_rng(3), integers.config
    per_word = 32 // (1 << (config.terms.width - 1).bit_length())
    found = set()
    while len(found) < 2:
        case = random_integer_case(rng, config)
        loads = prepared(integers, case)
        numbers = loads[side].numbers
        count = int(rng.integers(1, 2 * len(numbers) + 1))
        if count == len(numbers):
            continue
        sent = np.concatenate([numbers, numbers])[:count]
        loads[side] = Load(sent, np.eye(1, count, count - 1, dtype=np.uint8)[0])
        values = streamed(integers, case, loads)
        short = count < len(numbers)
        assert errors(integers) == {("a", True): SHORT_A, ("b", True): SHORT_B, ("a", False): LONG_A}.get(
            (side, short), LONG_B
        )
        x = case.a if side == "a" else case.b.T
        beats = -(-x.shape[1] // (per_word * config.engine.input_width))  # of a vector
        kept = np.arange(len(x))[:, None] * beats + np.arange(x.shape[1]) // (per_word * config.engine.input_width)
        x = np.where(kept < count, x, 0)
        case = attrs.evolve(case, **{side: x if side == "a" else x.T})
        assert values.tobytes() == due(integers, case)
        found.add(short)
    random_integer_case(rng, config).check(integers)


def test_reset_at_any_moment(integers):
    rng, config = np.random.default_rng(4), integers.config
    for _ in range(30):
        case = random_integer_case(rng, config)
        integers.stalls = Stalls(*(int(share) for share in rng.choice([0, 60, 200], 3)))
        loads = prepared(integers, case)
        integers.write("start", LOAD_A | LOAD_B)
        integers.run(integers.transfer([loads["a"]], [loads["b"]], 1000), products=1, most=int(rng.integers(1, 120)))
        integers.reset()
        random_integer_case(rng, config).check(integers)


def test_random_faults(integers):
    """Any registers at any time, missing and surplus beats; after a reset, the next product is right."""
    rng, config = np.random.default_rng(5), integers.config
    names = [register.name for register in integers.table if register.access == "setting"]
    for _ in range(60):
        case = random_integer_case(rng, config)
        loads = prepared(integers, case)
        for name in rng.choice(names, 2):
            integers.write(str(name), int(rng.integers(0, 2 ** int(rng.integers(1, 33)))))
        for side in "ab":
            numbers = np.concatenate([loads[side].numbers] * 2)[: int(rng.integers(1, 2 * len(loads[side].last)))]
            loads[side] = Load(numbers, np.eye(1, len(numbers), len(numbers) - 1, dtype=np.uint8)[0])
        integers.write("start", int(rng.integers(0, 8)))
        transfer = integers.transfer([loads["a"]], [loads["b"]], 1000)
        integers.run(transfer, products=1, most=int(rng.integers(1, 300)))
        integers.write(str(rng.choice(names)), int(rng.integers(0, 100)))
        integers.write("start", int(rng.integers(0, 8)))
        integers.run(transfer, products=1, most=int(rng.integers(1, 300)))
        integers.reset()
        random_integer_case(rng, config).check(integers)


def message(call, *operands, **settings):
    """One line: why a product is refused."""
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        call(*operands, **settings)
    return str(caught.value)


def test_engine_of_bfp_refuses_integers_and_terms(small, engine):
    x = np.ones((2, 3), np.float32)
    for each in (GoldenEngine(small), engine):
        found = message(each.multiply, x, x.T, reveal=Reveal())
        assert found.startswith("reveal must be None for an engine with array.element = fmac (tmac reveals terms)")
        found = message(each.multiply, x, x.T, IntegerSettings())
        assert found.startswith("a_settings must be of type OperandSettings, or None, for an engine with array.")
        assert message(each.multiply, x, np.ones((3, 1), np.int8)) == (
            "b must be a matrix of float32, not int8 of 2 dimensions"
        )


def test_engine_of_integers_refuses_bfp(integers):
    """The golden engine and the compiled one, before anything is sent."""
    ones, x, cycles = np.ones((1, 3), np.int8), np.ones((1, 3), np.float32), integers.cycles
    most = 2 ** (integers.config.terms.width - 1)
    for each in (GoldenEngine(integers.config), integers):
        found = message(each.multiply, ones, ones.T, None, OperandSettings(bias=0))
        assert found.startswith("b_settings must be of type IntegerSettings, or None, for an engine of integers, not O")
        found = message(each.multiply, x, x.T)
        assert found == "a must be a matrix of integers, not float32 of 2 dimensions"
        found = message(each.multiply, quantize(x, mantissa=4, axis=1), ones.T)
        assert found == "a must be a matrix of integers, not of type BfpTensor"
        found = message(each.multiply, ones, ones.T * np.int64(most))
        assert (
            found == f"b at (0, 0) must be from {-most} to {most - 1} (terms.width = {most.bit_length()}), not {most}"
        )
        if each.config.array.element == "pmac":
            found = message(each.multiply, ones, ones.T, reveal=Reveal())
            assert found.startswith("reveal must be None for an engine with array.element = pmac")
    assert integers.cycles == cycles


@pytest.mark.parametrize(
    ("settings", "due"),
    [
        ({"group": 9}, "reveal.group must be from 1 to 8 (terms.group), not 9"),
        ({"budget": 17}, "reveal.budget must be from 0 to 16 (terms.budget), not 17"),
        ({"data_terms": 5}, "reveal.data_terms must be from 0 to 4 (terms.data_terms), not 5"),
    ],
)
def test_settings_beyond_the_hardware_are_refused(terms, settings, due):
    ones, cycles = np.ones((1, 3), np.int8), terms.cycles
    for each in (GoldenEngine(terms.config), terms):
        assert message(each.multiply, ones, ones.T, reveal=Reveal(**settings)) == due
    assert terms.cycles == cycles
