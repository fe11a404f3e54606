"""Memories of any number of words read the earlier word in the cycle of a write."""

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import Component, In, Out
from amaranth.sim import Simulator

from lowtide.units.stream.memories import memory_ports


class Ports(Component):
    """The ports of a memory."""

    def __init__(self, depth):
        self.depth = depth
        address = range(depth)
        super().__init__(
            {
                **{"write": In(1), "to": In(address), "data": In(8)},
                **{"read": In(1), "at": In(address), "found": Out(8)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        write, read = memory_ports(m, "memory", 8, self.depth)
        m.d.comb += [write.en.eq(self.write), write.addr.eq(self.to), write.data.eq(self.data)]
        m.d.comb += [read.en.eq(self.read), read.addr.eq(self.at), self.found.eq(read.data)]
        return m


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_words_are_read_in_order(depth):
    dut, rng = Ports(depth), random.Random(depth)
    words, due = [0] * depth, 0

    async def bench(context):
        nonlocal due
        for _ in range(300):
            write, to, data = rng.randrange(2), rng.randrange(depth), rng.randrange(256)
            read, at = rng.randrange(2), rng.randrange(depth)
            for port, value in {"write": write, "to": to, "data": data, "read": read, "at": at}.items():
                context.set(getattr(dut, port), value)
            due = words[at] if read else due
            if write:
                words[to] = data
            await context.tick()
            assert context.get(dut.found) == due

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
