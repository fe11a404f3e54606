"""cocotb tests of how the array moves: backpressure, reset, misaligned tiles, throughput and latency."""

from itertools import pairwise

import cocotb
from cocotb.triggers import ClockCycles

from lowtide_sim.bench.array_bench import ArrayBench
from lowtide_sim.bench.environment import parameters
from lowtide_sim.bench.tiles import Tile


@cocotb.test()
async def backpressure(dut):
    """A sink that stops for hundreds of cycles stops the tiles; nothing is lost."""
    bench = await ArrayBench(dut).start()
    beats = 2 * bench.rows + 1
    tiles = 12 + bench.sidecar["latency"]  # more than the queue of results takes
    for n in range(tiles):
        bench.send(bench.tiles.of_beats(beats if n % 2 else 1))
    settled = 2 * tiles * beats
    while len(bench.results) <= 3 * bench.rows + bench.rows // 2:
        await ClockCycles(dut.clk, 1)
    bench.c.pauses = iter([True] * (settled + 300) + [False] * 10**6)
    await ClockCycles(dut.clk, settled)
    taken, came = len(bench.beats), len(bench.results)
    await ClockCycles(dut.clk, 300)
    assert (len(bench.beats), len(bench.results)) == (taken, came), "the array took beats while its sink took nothing"
    assert bench.a.words, "the sink stopped too late to tell"
    await bench.finish()
    assert bench.checker.checked == tiles * bench.rows


@cocotb.test()
@cocotb.parametrize(stalls=[("none", "none", "none"), ("half", "light", "half")])
async def reset_at_any_moment(dut, stalls):
    """After a reset in mid-tile or mid-drain the next tiles are right, and no word of the old ones comes."""
    bench = await ArrayBench(dut, stalls).start()
    for _ in range(parameters().get("resets", 25)):
        for _ in range(3):
            bench.send(bench.tiles.random())
        await ClockCycles(dut.clk, bench.rng.randint(1, 3 * bench.sidecar["latency"] + 6 * bench.rows))
        await bench.reset(bench.rng.randint(1, 3))
        # What comes next is at times as short, and as soon, as can be.
        bench.send(bench.tiles.of_beats(bench.rng.choice((1, 1, 2, bench.rows))))
    await bench.finish()


@cocotb.test()
@cocotb.parametrize(side=["a", "b"])
async def misaligned(dut, side):
    """A ``tlast`` on one side alone raises ``misaligned`` until reset; the tile ends where A says."""
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


@cocotb.test()
async def throughput(dut):
    """Without stalls a tile of L beats takes ``max(L + 1, 2 * rows)`` cycles."""
    bench = await ArrayBench(dut).start()
    rows = bench.rows
    for beats in sorted({1, 2, rows, 2 * rows - 1, 2 * rows, 2 * rows + 1, 3 * rows + 2}):
        bench.beats.clear()
        bench.results.clear()
        for _ in range(6):
            bench.send(bench.tiles.of_beats(beats))
        await bench.finish()
        period = max(beats + 1, 2 * rows)
        ends = [edge for edge, last in bench.beats if last]
        assert [y - x for x, y in pairwise(ends[2:])] == [period] * 3, f"tiles of {beats} beats"
        last_rows = [edge for edge, last in bench.results if last]
        assert [y - x for x, y in pairwise(last_rows[1:])] == [period] * 4, f"tiles of {beats} beats"


@cocotb.test()
async def latency(dut):
    """From the last beat to row 0 it takes as long as the sidecar says; a row every second cycle from then on."""
    bench = await ArrayBench(dut).start()
    await ClockCycles(dut.clk, 2 * bench.rows)  # reset sends a restart, which the first tile's must not follow too soon
    for beats in (1, 2, 2 * bench.rows, 3 * bench.rows + 1):
        bench.beats.clear()
        bench.results.clear()
        bench.send(bench.tiles.of_beats(beats))
        await bench.finish()
        edge, _ = bench.beats[-1]
        assert [came - edge for came, _ in bench.results] == [
            bench.sidecar["latency"] + 2 * row for row in range(bench.rows)
        ]
