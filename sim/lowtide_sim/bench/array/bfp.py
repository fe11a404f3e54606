"""cocotb tests of an array of FMACs: products of floats, quantized by the golden model; and the largest sums."""

import cocotb
import numpy as np

from lowtide_model import matmul, quantize
from lowtide_sim.bench.array.bench import ArrayBench
from lowtide_sim.bench.environment import parameters
from lowtide_sim.bench.stimulus.tiles import streamed, tile


@cocotb.test()
@cocotb.parametrize(stalls=[("none", "none", "none"), ("half", "light", "half")])
async def products_of_floats(dut, stalls):
    """Every word of each product equals the golden model's, for all precisions of the operands."""
    bench = await ArrayBench(dut, stalls).start()
    bfp = bench.sidecar["configuration"]["bfp"]
    numbers = np.random.default_rng(bench.rng.getrandbits(64))
    received, due = [], []
    bench.row_seen = received.append
    for n in range(parameters().get("products", 10)):
        m_a, m_b = (bench.rng.randrange(bfp[w], bfp["mantissa"] + 1, bfp[w]) for w in ("chunk_a", "chunk_b"))
        k = bench.rng.randint(1, min(bfp["max_k"], 8 * bfp["lanes"]))
        wide = 1 + (n % 2 and 2 * bfp["lanes"] <= bfp["max_k"])  # words per group
        formats = {"exponent": bfp["exponent"], "group": wide * bfp["lanes"]}
        a = quantize(_floats(numbers, (bench.rows, k)), mantissa=m_a, axis=1, **formats)
        b = quantize(_floats(numbers, (k, bench.columns)), mantissa=m_b, axis=0, **formats)
        beats_a = streamed(a, bfp["lanes"], bench.sidecar["word_a"], bfp["chunk_a"])
        beats_b = streamed(b, bfp["lanes"], bench.sidecar["word_b"], bfp["chunk_b"])
        bench.send(tile([(x, y) for xs, ys in zip(beats_a, beats_b, strict=True) for x in xs for y in ys]))
        due += matmul(a, b).tolist()
    await bench.finish()
    assert [bench.checker.words(row) for row in received] == due


@cocotb.test()
async def largest_sums(dut):
    """The longest tiles of the largest operands reach the limits of the accumulator's range."""
    bench = await ArrayBench(dut).start()
    bfp = bench.sidecar["configuration"]["bfp"]
    largest = bfp["max_k"] * (2 ** bfp["mantissa"] - 1) ** 2 * 4 ** (2 ** bfp["exponent"] - 1)
    rows = []
    bench.row_seen = rows.append
    for negative in (False, True):
        bench.send(bench.tiles.largest(negative))
    await bench.finish()
    signs = [row & 1 == negative for negative in (0, 1) for row in range(bench.rows)]
    assert [bench.checker.words(row) for row in rows] == [
        [largest if sign else -largest] * bench.columns for sign in signs
    ]


def _floats(numbers: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Floats of many magnitudes, with some zeros and some rows of zeros."""
    x = numbers.standard_normal(shape) * np.exp2(numbers.integers(-6, 7, shape))
    x[numbers.random(shape) < 0.2] = 0
    x[numbers.random(shape[0]) < 0.1] = 0
    return x
