"""FIFO compared with a list."""

import random

import pytest
from amaranth.sim import Simulator

from lowtide.units.stream.buffers import Fifo


@pytest.mark.parametrize("depth", [1, 2, 3, 7, 8])
def test_words_leave_in_order(depth):
    dut = Fifo(9, depth)
    rng = random.Random(depth)
    kept: list[int] = []
    most = 0

    async def bench(ctx):
        nonlocal most
        for cycle in range(600):
            send = len(kept) < depth and rng.random() < 0.6
            word = rng.getrandbits(9)
            ctx.set(dut.i_valid, send)
            ctx.set(dut.i_data, word)
            ctx.set(dut.o_ready, rng.random() < (0.2 if cycle < 300 else 0.8))
            _, _, valid, ready, data = await ctx.tick().sample(dut.o_valid, dut.o_ready, dut.o_data)
            if valid:
                assert data == kept[0]
                if ready:
                    kept.pop(0)
            if send:
                kept.append(word)
            most = max(most, len(kept))
        ctx.set(dut.i_valid, 0)
        ctx.set(dut.o_ready, 1)
        while kept:
            _, _, valid, data = await ctx.tick().sample(dut.o_valid, dut.o_data)
            if valid:
                assert data == kept.pop(0)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert most == depth
