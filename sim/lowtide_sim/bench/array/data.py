"""cocotb test of what an array computes: random tiles, however the streams stall."""

import cocotb

from lowtide_sim.bench.array.bench import ArrayBench
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
    """Every word of many tiles, of all precisions and lengths, mixed; settings change at any time."""
    bench = await ArrayBench(dut, (a, b, c)).start()
    if bench.settings:
        bench.settings.share = 0.05
    for _ in range(parameters().get("tiles", 30)):
        bench.send(bench.tiles.random())
    await bench.finish()
