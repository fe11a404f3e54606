"""The serial line: every byte, at rates that differ, with breaks and glitches."""

import pytest
from amaranth.sim import Simulator

from lowtide.interfaces.serial.uart import UartReceiver, UartTransmitter


def received(levels, divisor):
    """Bytes that a receiver takes from a line with these levels, one a clock."""
    unit, found = UartReceiver(), []

    async def bench(ctx):
        ctx.set(unit.baud_divisor, divisor)
        for level in [*levels, *[1] * (12 * divisor)]:
            ctx.set(unit.rx, level)
            if ctx.get(unit.valid):
                found.append(ctx.get(unit.data))
            await ctx.tick()

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return bytes(found)


def levels_of(data, clocks, gap=0):
    """A line that carries bytes, with so many clocks a bit, not always whole, and clocks of rest between bytes."""
    levels, time = [1] * 8, 0.0
    for byte in data:
        for bit in (0, *(byte >> n & 1 for n in range(8)), 1):
            time += clocks
            levels += [bit] * round(time - (len(levels) - 8))
        levels += [1] * gap
        time += gap
    return levels


@pytest.mark.parametrize("divisor", [4, 7, 16])
@pytest.mark.parametrize("gap", [0, 3])
def test_receiver_gets_every_byte(divisor, gap):
    data = bytes(range(256))
    assert received(levels_of(data, divisor, gap), divisor) == data


@pytest.mark.parametrize("share", [0.96, 0.98, 1.02, 1.04])
def test_baud_mismatch(share):
    data = bytes(range(0, 256, 5))
    assert received(levels_of(data, 16 * share), 16) == data


@pytest.mark.parametrize("share", [0.98, 1.02])
@pytest.mark.parametrize("late", [0, 1, 2, 3])
def test_baud_mismatch_at_four_cycles_per_bit(share, late):
    """Bytes that begin at any part of a clock, each after a rest."""
    for byte in (0x00, 0xFF, 0x55, 0xAA, 0x80, 0x01):
        fine = levels_of(bytes([byte]), 16 * share)  # four levels a clock
        assert received(([1] * (32 + late) + fine)[::4], 4) == bytes([byte])


def test_framing_error_drops_the_byte():
    line = [1] * 20 + [0] * (16 * 10 - 4) + [1] * 40 + levels_of(b"\x5a", 16)
    assert received(line, 16) == b"\x5a"


def test_glitch_is_ignored():
    assert received([1] * 20 + [0] * 5 + [1] * 40 + levels_of(b"\xa5", 16), 16) == b"\xa5"


@pytest.mark.parametrize("divisor", [4, 9])
def test_transmitter_sends_back_to_back(divisor):
    data, unit, levels = bytes(range(0, 256, 3)), UartTransmitter(), []

    async def bench(ctx):
        ctx.set(unit.baud_divisor, divisor)
        for byte in data:
            ctx.set(unit.i.payload, byte)
            ctx.set(unit.i.valid, 1)
            while not ctx.get(unit.i.ready):
                levels.append(ctx.get(unit.tx))
                await ctx.tick()
            levels.append(ctx.get(unit.tx))
            await ctx.tick()
        ctx.set(unit.i.valid, 0)
        while not ctx.get(unit.idle):
            levels.append(ctx.get(unit.tx))
            await ctx.tick()
        levels.append(ctx.get(unit.tx))  # it is idle in the last clock of the stop bit

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    start = levels.index(0)
    assert len(levels) - start == 10 * divisor * len(data)
    assert received([1] * 8 + levels[start:], divisor) == data
