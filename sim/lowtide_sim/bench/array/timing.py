"""cocotb tests of the throughput and latency of an array without term revealing."""

from itertools import pairwise

import cocotb
from cocotb.triggers import ClockCycles

from lowtide_sim.bench.array.bench import ArrayBench


@cocotb.test()
async def throughput(dut):
    """Without stalls, a tile of L beats takes ``max(L, least_tile_cycles)`` cycles."""
    bench = await ArrayBench(dut).start()
    rows, least = bench.rows, bench.sidecar["least_tile_cycles"]
    for beats in sorted({1, 2, rows, least - 1, least, least + 1, least + rows + 2}):
        bench.beats.clear()
        bench.results.clear()
        for _ in range(6):
            bench.send(bench.tiles.of_beats(beats))
        await bench.finish()
        period = max(beats, least)
        ends = [edge for edge, last in bench.beats if last]
        assert [y - x for x, y in pairwise(ends[2:])] == [period] * 3, f"tiles of {beats} beats"
        last_rows = [edge for edge, last in bench.results if last]
        assert [y - x for x, y in pairwise(last_rows[1:])] == [period] * 4, f"tiles of {beats} beats"


@cocotb.test()
async def latency(dut):
    """Row 0 arrives the sidecar's latency after the last beat, and then a row every second cycle."""
    bench = await ArrayBench(dut).start()
    least = bench.sidecar["least_tile_cycles"]
    await ClockCycles(dut.clk, 3 * least)  # reset sends restarts, and the first tile's restart needs a distance to them
    for beats in (1, 2, 2 * bench.rows, 3 * bench.rows + 1):
        bench.beats.clear()
        bench.results.clear()
        bench.send(bench.tiles.of_beats(beats))
        await bench.finish()
        edge, _ = bench.beats[-1]
        assert [arrival - edge for arrival, _ in bench.results] == [
            bench.sidecar["latency"] + 2 * row for row in range(bench.rows)
        ]
