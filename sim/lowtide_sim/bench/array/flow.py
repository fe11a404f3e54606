"""cocotb tests of an array's flow control: backpressure, reset, misaligned tiles."""

import cocotb
from cocotb.triggers import ClockCycles

from lowtide_sim.bench.array.bench import ArrayBench
from lowtide_sim.bench.environment import parameters
from lowtide_sim.bench.stimulus.tiles import Tile


@cocotb.test()
async def backpressure(dut):
    """When the sink stalls for hundreds of cycles, the array stalls its sources and loses nothing."""
    bench = await ArrayBench(dut).start()
    beats = 2 * bench.rows + 1
    tiles = 12 + bench.sidecar["latency"]  # more than the result queue can store
    for n in range(tiles):
        bench.send(bench.tiles.of_beats(beats if n % 2 else 1))
    settled = 2 * tiles * (beats + bench.beat_cycles)
    for _ in range(settled):
        await ClockCycles(dut.clk, 1)
        if len(bench.results) > 3 * bench.tile_beats + bench.tile_beats // 2:
            break
    else:
        raise AssertionError("no results arrived")
    bench.c.pauses = iter([True] * (settled + 300) + [False] * 10**6)
    await ClockCycles(dut.clk, settled)
    counts = len(bench.beats), len(bench.results)
    await ClockCycles(dut.clk, 300)
    assert (len(bench.beats), len(bench.results)) == counts, "the array accepted beats while its sink stalled"
    assert bench.a.words, "the sink stalled too late for this test"
    await bench.finish()
    assert bench.checker.checked == tiles * bench.tile_beats


@cocotb.test()
@cocotb.parametrize(stalls=[("none", "none", "none"), ("half", "light", "half")])
async def reset_at_any_moment(dut, stalls):
    """After a reset during a tile or a drain, the next tiles are right, and no word of the old tiles arrives."""
    bench = await ArrayBench(dut, stalls).start()
    if bench.settings:
        bench.settings.share = 0.05
    for _ in range(parameters().get("resets", 25)):
        for _ in range(3):
            bench.send(bench.tiles.random())
        await ClockCycles(dut.clk, bench.rng.randint(1, 3 * bench.sidecar["latency"] + 6 * bench.rows))
        await bench.reset(bench.rng.randint(1, 3))
        # The next tile starts at once, and is sometimes as short as possible.
        bench.send(bench.tiles.of_beats(bench.rng.choice((1, 1, 2, bench.rows))))
    await bench.finish()


@cocotb.test()
@cocotb.parametrize(side=["a", "b"])
async def misaligned(dut, side):
    """A ``tlast`` on one side only raises ``misaligned`` until reset; A's ``tlast`` ends the tile."""
    bench = await ArrayBench(dut, ("half", "light", "none")).start()
    for _ in range(4):
        for _ in range(3):
            bench.send(bench.tiles.random())
        await bench.finish()
        assert bench.misaligned_from is None
        a, b = bench.tiles.of_beats(5)
        early = [(data, n == 2 or last) for n, (data, last) in enumerate(a if side == "a" else b)]
        bench.send(Tile(early, b) if side == "a" else Tile(a, early))
        bench.send(bench.tiles.of_beats(3))
        await bench.finish()
        assert bench.misaligned_from is not None
        await bench.reset(bench.rng.randint(1, 3))
