"""Benches of the emitted array, for many shapes, lanes, chunks and exponents, on both simulators."""

from itertools import product
from typing import Any

import pytest

from fixtures.slow_cases import quick_only
from lowtide.array.params import ArrayParams, RequantizationParams
from lowtide.config import Config
from lowtide.formats import Bfp
from lowtide.formats.terms import Terms

SHAPES = [(1, 1), (1, 5), (7, 1), (2, 3), (3, 2), (8, 8)]
CHUNKS = [(1, 1), (2, 2), (4, 2), (3, 1), (4, 4)]
# The most magnitude bits per pair of chunks: at least the operand with narrower chunks has several chunks.
MANTISSAS = {(1, 1): 3, (2, 2): 6, (4, 2): 8, (3, 1): 6, (4, 4): 4, (8, 8): 8}


def config(shape, lanes, chunks, exponent, max_k, **others: Any):
    (rows, columns), (chunk_a, chunk_b) = shape, chunks
    return Config(
        array=ArrayParams(rows=rows, columns=columns),
        bfp=Bfp(
            lanes=lanes,
            chunk_a=chunk_a,
            chunk_b=chunk_b,
            mantissa=MANTISSAS[chunks],
            exponent=exponent,
            max_k=max_k,
            **others,
        ),
    )


def terms_config(shape, element, operands="packed", results="accumulators", lanes=1, **terms: Any):
    rows, columns = shape
    array = ArrayParams(rows=rows, columns=columns, element=element, operands=operands, results=results)
    return Config(array=array, terms=Terms(max_k=1024, **terms), requantizer=RequantizationParams(lanes=lanes))


QUICK = {
    "1x1": config((1, 1), 4, (1, 1), 1, 13),
    "1x5": config((1, 5), 16, (4, 2), 3, 100),
    "7x1": config((7, 1), 4, (3, 1), 3, 30),
    "2x3": config((2, 3), 4, (2, 2), 3, 64),
    "3x2-83-bits": config((3, 2), 16, (4, 4), 5, 4096),
    "5x3, skew in memory": config((5, 3), 4, (2, 2), 3, 64).changed({"array.skew": "memory"}),
    "2x2-two-levels": config((2, 2), 32, (2, 2), 3, 200, adder_levels=2),
    "2x1-three-levels": config((2, 1), 16, (4, 2), 2, 100, adder_levels=3),
    "1x2-all-levels": config((1, 2), 8, (1, 1), 1, 40, adder_levels=14),
    "2x2-inferred": config((2, 2), 4, (8, 8), 3, 4096, multiplier="inferred"),
    "2x2-ecp5": config((2, 2), 4, (8, 8), 2, 100, multiplier="ecp5"),
    "1x2-ecp5-half": config((1, 2), 8, (4, 2), 3, 100, multiplier="ecp5", dsp_lanes="half"),
    "1x2-ecp5-two-levels": config((1, 2), 16, (8, 8), 3, 100, multiplier="ecp5", dsp_lanes="half", adder_levels=2),
    "2x3-ecp5-aligner": config((2, 3), 4, (2, 2), 3, 64, aligner="ecp5"),
    "2x2-ecp5-aligner-all-levels": config((2, 2), 16, (4, 4), 2, 100, adder_levels=14, aligner="ecp5"),
    "3x5, blocks": config((3, 5), 4, (2, 2), 3, 64).changed({"array.block_rows": 2, "array.block_columns": 2}),
    "4x4, blocks, skew in memory": config((4, 4), 4, (2, 2), 3, 64).changed(
        {"array.block_rows": 3, "array.block_columns": 2, "array.skew": "memory"}
    ),
}
# Few tiles, because Icarus is an interpreter.
WIDE = {"8x8": config((8, 8), 4, (2, 2), 3, 32)}


@pytest.mark.parametrize(
    "name",
    quick_only(("1x1", "2x1-three-levels"), QUICK),
)
def test_small_arrays_on_icarus(run_array, name):
    run_array(QUICK[name], "icarus", tiles=12, resets=9, products=3)


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE)
def test_a_wide_array_on_icarus(run_array, name):
    benches = "lowtide_sim.bench.array.data,lowtide_sim.bench.array.bfp"
    run_array(WIDE[name], "icarus", benches, tiles=2, products=2)


@pytest.mark.parametrize(
    "name",
    quick_only(("3x5, blocks",), ("2x3", "5x3, skew in memory", "2x2-ecp5", "3x5, blocks", "3x2-83-bits")),
)
def test_small_arrays_on_verilator(run_array, name):
    run_array(QUICK[name], "verilator", tiles=40, resets=30, products=15)


def test_the_widest_accumulator_here_has_83_bits():
    assert QUICK["3x2-83-bits"].bfp.accumulator == 83


WORDS = {
    "pmac": terms_config((2, 3), "pmac", width=5, data_terms=1),
    "tmac": terms_config((2, 3), "tmac"),
    "tmac parallel": terms_config((3, 2), "tmac", group=6, values=2, parallel=3, budget=20, data_terms=3),
    "pair_mac": terms_config((3, 2), "pair_mac", group=4, data_terms=2, budget=9, width=6, parallel=2),
    "tmac 1x1": terms_config((1, 1), "tmac", width=2, group=1, budget=1, data_terms=1),
    "pair_mac 1x4": terms_config((1, 4), "pair_mac", encoding="booth", width=4, group=3, budget=5, data_terms=2),
}
WORDS["pair_mac, skew in memory"] = WORDS["pair_mac"].changed({"array.skew": "memory"})
WORDS["pair_mac, blocks"] = WORDS["pair_mac"].changed({"array.block_rows": 2, "array.block_columns": 2})
WORDS["tmac parallel, blocks"] = WORDS["tmac parallel"].changed({"array.block_rows": 3, "array.block_columns": 2})
MOVING = "lowtide_sim.bench.array.data,lowtide_sim.bench.array.flow,"
TIMED = MOVING + "lowtide_sim.bench.array.timing"
INTEGERS = {
    "2x3": terms_config((2, 3), "tmac", "integers"),
    "3x2 by twos": terms_config((3, 2), "tmac", "integers", width=6, group=7, values=2, budget=9, data_terms=3),
    "1x1 binary": terms_config((1, 1), "tmac", "integers", width=3, encoding="binary", group=2, budget=3, data_terms=2),
    "1x4 booth": terms_config((1, 4), "tmac", "integers", width=8, encoding="booth", group=5, values=4, budget=12),
    "4x1 of 64": terms_config((4, 1), "tmac", "integers", width=16, group=64, values=8, budget=100, data_terms=8),
}
INTEGERS["4x3, skew in memory"] = INTEGERS["3x2 by twos"].changed(
    {"array.rows": 4, "array.columns": 3, "array.skew": "memory"}
)
INTEGERS["3x5, blocks"] = INTEGERS["3x2 by twos"].changed(
    {"array.columns": 5, "array.block_rows": 2, "array.block_columns": 2}
)
REQUANTIZED = {
    "integers 2x3": terms_config((2, 3), "tmac", "integers", results="integers"),
    "integers 3x4": terms_config(
        (3, 4), "tmac", "integers", results="integers", lanes=2, width=6, group=7, values=2, budget=9, data_terms=3
    ),
    "pmac 3x2": terms_config((3, 2), "pmac", results="integers", lanes=2, width=5, data_terms=1),
    "pmac 1x1": terms_config((1, 1), "pmac", results="integers", width=8, encoding="booth"),
}
LAYERS = MOVING + "lowtide_sim.bench.array.layers"
REVEALING = MOVING + "lowtide_sim.bench.array.revealing"


def benches_of(name):
    """Benches of an array with packed words; term queues only for elements that multiply terms."""
    return TIMED + ("" if name == "pmac" else ",lowtide_sim.bench.array.terms")


@pytest.mark.parametrize(
    "name",
    quick_only(
        ("tmac parallel", "pair_mac, blocks"),
        ("pmac", "tmac parallel", "pair_mac", "pair_mac, skew in memory", "pair_mac, blocks", "tmac parallel, blocks"),
    ),
)
def test_arrays_of_other_elements_on_icarus(run_array, name):
    run_array(WORDS[name], "icarus", benches_of(name), tiles=5, resets=8, products=2)


def test_an_array_of_terms_on_verilator(run_array):
    run_array(WORDS["tmac"], "verilator", benches_of("tmac"), tiles=40, resets=40, products=20)


@pytest.mark.parametrize(
    "name",
    quick_only(("3x5, blocks",), ("3x2 by twos", "1x1 binary", "4x3, skew in memory", "3x5, blocks")),
)
def test_arrays_with_term_revealing_on_icarus(run_array, name):
    run_array(INTEGERS[name], "icarus", REVEALING, tiles=6, resets=8)


def test_an_array_with_term_revealing_on_verilator(run_array):
    run_array(INTEGERS["2x3"], "verilator", REVEALING, tiles=15, resets=20)


def test_an_array_with_a_requantizer_on_icarus(run_array):
    run_array(REQUANTIZED["pmac 3x2"], "icarus", LAYERS, tiles=5, resets=6)


@pytest.mark.slow
def test_an_array_of_integers_throughout_on_verilator(run_array):
    run_array(REQUANTIZED["integers 3x4"], "verilator", LAYERS, tiles=15, resets=20)


@pytest.mark.slow
@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_long_runs_of_other_elements(run_array, simulator, name):
    run_array(WORDS[name], simulator, benches_of(name), tiles=150, resets=100, products=30)


@pytest.mark.slow
@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_long_runs_with_term_revealing(run_array, simulator, name):
    run_array(INTEGERS[name], simulator, REVEALING, tiles=150, resets=100)


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [1, 3, 5])
@pytest.mark.parametrize("chunks", CHUNKS, ids=lambda chunks: f"{chunks[0]}x{chunks[1]}")
@pytest.mark.parametrize("lanes", [4, 16])
@pytest.mark.parametrize("shape", SHAPES[:-1], ids=lambda shape: f"{shape[0]}x{shape[1]}")
def test_every_small_array_on_icarus(run_array, shape, lanes, chunks, exponent):
    run_array(config(shape, lanes, chunks, exponent, 200), "icarus")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "lanes", "chunks", "exponent"),
    [*product(SHAPES, [16], [(2, 2)], [3]), *product([(3, 2)], [4], CHUNKS, [1, 5]), ((8, 8), 16, (4, 2), 5)],
)
def test_many_tiles_on_verilator(run_array, shape, lanes, chunks, exponent):
    run_array(config(shape, lanes, chunks, exponent, 4096), "verilator", tiles=300, resets=200, products=50)


@pytest.mark.slow
@pytest.mark.parametrize("name", REQUANTIZED)
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_long_runs_with_a_requantizer(run_array, simulator, name):
    run_array(REQUANTIZED[name], simulator, LAYERS, tiles=150, resets=100, networks=30)
