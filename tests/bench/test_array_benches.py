"""The emitted array under the benches: shapes, lanes, chunks and exponents, on both simulators."""

from itertools import product

import pytest

from lowtide.array.shape import ArrayShape
from lowtide.config import Config
from lowtide.formats import Bfp

SHAPES = [(1, 1), (1, 5), (7, 1), (2, 3), (3, 2), (8, 8)]
CHUNKS = [(1, 1), (2, 2), (4, 2), (3, 1), (4, 4)]
# The most magnitude bits for each pair of chunks: several chunks on the narrower side at least.
MANTISSAS = {(1, 1): 3, (2, 2): 6, (4, 2): 8, (3, 1): 6, (4, 4): 4}


def config(shape, lanes, chunks, exponent, max_k):
    (rows, columns), (chunk_a, chunk_b) = shape, chunks
    return Config(
        array=ArrayShape(rows=rows, columns=columns),
        bfp=Bfp(
            lanes=lanes,
            chunk_a=chunk_a,
            chunk_b=chunk_b,
            mantissa=MANTISSAS[chunks],
            exponent=exponent,
            max_k=max_k,
        ),
    )


QUICK = {
    "1x1": config((1, 1), 4, (1, 1), 1, 13),
    "1x5": config((1, 5), 16, (4, 2), 3, 100),
    "7x1": config((7, 1), 4, (3, 1), 3, 30),
    "2x3": config((2, 3), 4, (2, 2), 3, 64),
    "3x2-83-bits": config((3, 2), 16, (4, 4), 5, 4096),
}
# Few enough tiles for an interpreter.
WIDE = {"8x8": config((8, 8), 4, (2, 2), 3, 32)}


@pytest.mark.parametrize("name", QUICK)
def test_small_arrays_on_icarus(run_array, name):
    run_array(QUICK[name], "icarus", tiles=20, resets=15, products=6)


@pytest.mark.parametrize("name", WIDE)
def test_a_wide_array_on_icarus(run_array, name):
    benches = "lowtide_sim.bench.array_data,lowtide_sim.bench.array_quantised"
    run_array(WIDE[name], "icarus", benches, tiles=2, products=2)


@pytest.mark.parametrize("name", ["2x3", "3x2-83-bits"])
def test_small_arrays_on_verilator(run_array, name):
    run_array(QUICK[name], "verilator", tiles=100, resets=60, products=30)


def test_the_widest_accumulator_here_has_83_bits():
    assert QUICK["3x2-83-bits"].bfp.accumulator == 83


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
