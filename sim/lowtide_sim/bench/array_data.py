"""cocotb tests of what the array computes: random tiles, however the streams stall, and the largest sums."""

import cocotb

from lowtide_sim.bench.array_bench import ArrayBench
from lowtide_sim.bench.environment import parameters

STALLS = [
    ("none", "none", "none"),
    ("light", "half", "none"),
    ("heavy", "none", "light"),
    ("none", "heavy", "half"),
    ("none", "light", "heavy"),
    ("bursts", "bursts", "bursts"),
    ("heavy", "heavy", "heavy"),
]


@cocotb.test()
@cocotb.parametrize((("a", "b", "c"), STALLS))
async def random_tiles(dut, a, b, c):
    """Every word of many tiles, of all precisions and lengths, mixed."""
    bench = await ArrayBench(dut, (a, b, c)).start()
    for _ in range(parameters().get("tiles", 30)):
        bench.send(bench.tiles.random())
    await bench.finish()


@cocotb.test()
async def largest_sums(dut):
    """The longest tiles of the largest operands reach the ends of the accumulator's range."""
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
