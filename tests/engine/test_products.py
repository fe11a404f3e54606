"""Products on the emitted engine: every number, all that is counted, however streams stall and products follow."""

import numpy as np
import pytest
from operands import Case, random_case, random_matrix
from stalls import random_stalls

from fixtures.slow_cases import quick_only
from lowtide.array.params import ArrayParams
from lowtide.config import Config
from lowtide.engine.params import EngineParams
from lowtide.formats import Bfp
from lowtide_model import BfpTensor
from lowtide_model.engine.operand import OperandSettings
from lowtide_sim.engine.queue import Queued, run_queued


def test_random_products(engine):
    rng = np.random.default_rng(1)
    for _ in range(150):
        engine.stalls = random_stalls(rng, 3)
        case = random_case(rng, engine.config)
        case.check(engine.config, engine.multiply(case.a, case.b, case.a_settings, case.b_settings))


def test_nonfinite_numbers(engine):
    rng = np.random.default_rng(2)
    for _ in range(60):
        case = random_case(rng, engine.config, special=0.1)
        case.check(engine.config, engine.multiply(case.a, case.b, case.a_settings, case.b_settings))


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4), (3, 4, 5), (1, 3, 100), (2, 1, 100), (16, 16, 8)])
def test_shapes_at_the_edges(engine, shape):
    rng = np.random.default_rng(3)
    for _ in range(4):
        m, n, k = shape
        case = Case(
            random_matrix(rng, (m, k)), random_matrix(rng, (k, n)), OperandSettings(), OperandSettings(chunks=2)
        )
        case.check(engine.config, engine.multiply(case.a, case.b, case.a_settings, case.b_settings))


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_operands_that_fill_the_buffers(engine, columns):
    """A in two panels, B in one that is as long as the buffer."""
    rng = np.random.default_rng(7)
    for in_order in (np.ascontiguousarray, np.asfortranarray):
        a, b = (in_order(random_matrix(rng, shape)) for shape in ((3, 64), (64, columns)))
        case = Case(a, b, OperandSettings(chunks=2), OperandSettings(chunks=4))
        case.check(engine.config, engine.multiply(case.a, case.b, case.a_settings, case.b_settings))


def test_packed_operands_need_no_conversion(engine):
    """The product of converted operands has the bits of the product of their numbers, and no event of conversion."""
    rng = np.random.default_rng(9)
    for n in range(40):
        case = random_case(rng, engine.config, special=0.05, packed=0)
        numbers = engine.multiply(case.a, case.b, case.a_settings, case.b_settings)
        for side in ("a", "b", "ab")[n % 3]:
            case = case.packed(engine.config, side)
        product = engine.multiply(case.a, case.b, case.a_settings, case.b_settings)
        case.check(engine.config, product)
        assert product.values.tobytes() == numbers.values.tobytes()
        for side in "ab":
            if isinstance(getattr(case, side), BfpTensor):
                counts = (
                    getattr(product.events, f"{side}_{event}") for event in ("exp_saturated", "saturated", "nonfinite")
                )
                assert not any(counts)


def test_back_to_back_products(engine):
    """Some load both operands, some one, some none; each is started as soon as the engine takes it."""
    rng = np.random.default_rng(4)
    config = engine.config
    for _ in range(6):
        engine.reset()
        engine.stalls = random_stalls(rng, 3)
        cases, loads = [random_case(rng, config, (8, 12, 16), found=0)], [(True, True)]
        for _ in range(11):
            case, last = random_case(rng, config, (8, 12, 16), found=0), cases[-1]
            new_a, new_b = rng.random(2) < 0.5
            if not (new_a and new_b):
                k = last.a.shape[1]
                settings = case.settings(config)
                a = (random_matrix(rng, (case.a.shape[0], k)), settings[0]) if new_a else (last.a, last.a_settings)
                b = (random_matrix(rng, (k, case.b.shape[1])), settings[1]) if new_b else (last.b, last.b_settings)
                case = Case(a[0], b[0], a[1], b[1])
            cases.append(case)
            loads.append((new_a, new_b))
        products = [
            Queued(
                a=case.a,
                b=case.b,
                a_settings=case.a_settings,
                b_settings=case.b_settings,
                load_a=bool(new_a),
                load_b=bool(new_b),
            )
            for case, (new_a, new_b) in zip(cases, loads, strict=True)
        ]
        found = run_queued(engine, products)
        for case, values in zip(cases, found.values, strict=True):
            assert values.tobytes() == case.due(config).values.tobytes()


def test_improvement_is_compared_with_a_threshold(engine):
    """Also against those next to it, in whatever order operands come."""
    rng = np.random.default_rng(6)
    seen = set()
    for _ in range(40):
        case = random_case(rng, engine.config)
        due, thresholds = case.due(engine.config), []
        assert due.a_improvement
        assert due.b_improvement
        ratios = {"a": due.a_improvement, "b": due.b_improvement}
        for side, ratio in ratios.items():
            near = 256 * ratio.low_sum // max(ratio.high_sum, 1) + int(rng.integers(-1, 2))
            thresholds.append(min(max(near, 0), 1023) if rng.random() < 0.7 else int(rng.integers(0, 1024)))
            engine.write(f"{side}_threshold", thresholds[-1])
        engine.multiply(case.a, case.b, case.a_settings, case.b_settings)
        for (side, ratio), threshold in zip(ratios.items(), thresholds, strict=True):
            assert engine.read(f"{side}_above_threshold") == ratio.exceeds(threshold)
            seen.add((side, ratio.exceeds(threshold)))
    assert len(seen) == 4


OTHERS = {
    "1x1": Config(
        array=ArrayParams(rows=1, columns=1),
        bfp=Bfp(lanes=4, chunk_a=4, chunk_b=4, max_k=60),
        engine=EngineParams(
            input_width=1,
            output_width=1,
            buffer_depth=16,
            write_width=1,
            transpose_depth=16,
            lfsr_bits=8,
            random_bits=1,
        ),
    ),
    "3x2, a group a beat": Config(
        array=ArrayParams(rows=3, columns=2),
        bfp=Bfp(lanes=16, chunk_a=1, chunk_b=2, mantissa=8, exponent=4, max_k=300),
        engine=EngineParams(
            input_width=16,
            output_width=1,
            buffer_depth=128,
            write_width=4,
            transpose_depth=32,
            random_bits=3,
            random_plateau=True,
        ),
    ),
    "5x6, blocks, skew in memory": Config(
        array=ArrayParams(rows=5, columns=6, skew="memory", block_rows=2, block_columns=4),
        bfp=Bfp(max_k=512),
        engine=EngineParams(output_width=2, buffer_depth=128),
    ),
    "8x8": Config(array=ArrayParams(rows=8, columns=8), bfp=Bfp(max_k=512), engine=EngineParams(buffer_depth=256)),
}


ELEMENTS = {
    "2x3, two levels per register, half of the lanes in DSP blocks, skew in memory": Config(
        array=ArrayParams(rows=2, columns=3, skew="memory"),
        bfp=Bfp(
            lanes=8, chunk_a=4, chunk_b=4, mantissa=8, max_k=100, adder_levels=2, multiplier="ecp5", dsp_lanes="half"
        ),
        engine=EngineParams(input_width=2, output_width=1, buffer_depth=32, transpose_depth=16),
    ),
    "3x4, all levels per register, blocks, skew in memory, four chunks written per cycle": Config(
        array=ArrayParams(rows=3, columns=4, skew="memory", block_rows=2, block_columns=2),
        bfp=Bfp(lanes=4, max_k=100, adder_levels=14),
        engine=EngineParams(input_width=2, output_width=2, buffer_depth=32, write_width=4, transpose_depth=16),
    ),
    "2x2, aligner in a DSP block, one chunk written per cycle": Config(
        array=ArrayParams(rows=2, columns=2),
        bfp=Bfp(lanes=4, max_k=100, aligner="ecp5"),
        engine=EngineParams(input_width=1, output_width=1, buffer_depth=32, write_width=1, transpose_depth=16),
    ),
}
"""Engines whose elements or skews differ from the defaults, in small sizes."""

WITHOUT_TRANSPOSERS = {
    "2x3, converter of a group": Config(
        array=ArrayParams(rows=2, columns=3),
        bfp=Bfp(lanes=8, max_k=100),
        engine=EngineParams(input_width=2, output_width=1, buffer_depth=32, transpose_depth=0),
    ),
    "2x2, converter of a number": Config(
        array=ArrayParams(rows=2, columns=2),
        bfp=Bfp(lanes=4, mantissa=2, exponent=2, max_k=16, adder_levels=14),
        engine=EngineParams(
            input_width=1,
            output_width=1,
            buffer_depth=16,
            write_width=1,
            transpose_depth=0,
            random_bits=1,
            lfsr_bits=3,
            packed_operands=False,
        ),
    ),
}


@pytest.mark.parametrize("name", quick_only([next(iter(ELEMENTS))], ELEMENTS))
def test_random_products_on_other_elements(fresh_engine, name):
    multiply_random(fresh_engine(ELEMENTS[name]), products=60)


@pytest.mark.parametrize("name", quick_only([next(iter(WITHOUT_TRANSPOSERS))], WITHOUT_TRANSPOSERS))
def test_random_products_without_transposers(fresh_engine, name):
    """The host sends all operands in order, also those that lie transposed in memory."""
    multiply_random(fresh_engine(WITHOUT_TRANSPOSERS[name]), products=60)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_random_products_on_other_engines(fresh_engine, name):
    multiply_random(fresh_engine(OTHERS[name]), products=300)


def multiply_random(engine, products):
    """Compare random products, with random stalls and some nonfinite numbers, with the golden engine."""
    rng = np.random.default_rng(5)
    for _ in range(products):
        engine.stalls = random_stalls(rng, 3)
        case = random_case(rng, engine.config, special=float(rng.choice([0, 0, 0.02])))
        case.check(engine.config, engine.multiply(case.a, case.b, case.a_settings, case.b_settings))
