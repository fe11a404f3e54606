"""cocotb test of an array's results: random tiles, with random stalls."""

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
    """Every word of random tiles of all precisions and lengths is right; settings change at random times."""
    bench = await ArrayBench(dut, (a, b, c)).start()
    if bench.settings:
        bench.settings.share = 0.05
    for _ in range(parameters().get("tiles", 30)):
        bench.send(bench.tiles.random())
    await bench.finish()
