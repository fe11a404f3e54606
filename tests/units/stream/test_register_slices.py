"""Register slice and skid buffer compared with a list."""

import random

import pytest
from amaranth.sim import Simulator

from lowtide.units.stream.buffers import RegisterSlice, SkidBuffer


def transfers(dut, send, take, cycles):
    """Send words at cycles of ``send``, and take words at cycles of ``take``; return cycles and words of both sides."""
    sent, taken, stalled = [], [], []

    async def bench(ctx):
        for cycle in range(cycles):
            ctx.set(dut.i.valid, send(cycle))
            ctx.set(dut.i.payload, len(sent) % 512)
            ctx.set(dut.o.ready, take(cycle))
            _, _, i_ready, o_valid, word = await ctx.tick().sample(dut.i.ready, dut.o.valid, dut.o.payload)
            if stalled:
                assert (o_valid, word) == (1, stalled.pop())  # a word that waits stays as it is
            if send(cycle) and i_ready:
                sent.append((cycle, len(sent) % 512))
            if o_valid and take(cycle):
                taken.append((cycle, word))
            elif o_valid:
                stalled.append(word)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return sent, taken


@pytest.mark.parametrize("unit", [RegisterSlice, SkidBuffer])
@pytest.mark.parametrize(("sending", "taking"), [(0.5, 0.5), (0.9, 0.3), (0.3, 0.9), (1, 0.6), (0.6, 1)])
def test_words_leave_in_order(unit, sending, taking):
    rng = random.Random(1)
    sends, takes = ([rng.random() < part for _ in range(1000)] for part in (sending, taking))
    sent, taken = transfers(unit(9), sends.__getitem__, takes.__getitem__, 1000)
    assert len(taken) > 200
    assert len(sent) - len(taken) <= 2
    assert [word for _, word in sent[: len(taken)]] == [word for _, word in taken]


@pytest.mark.parametrize("unit", [RegisterSlice, SkidBuffer])
def test_one_word_per_cycle_one_cycle_later(unit):
    sent, taken = transfers(unit(9), lambda _: True, lambda _: True, 50)
    assert [cycle for cycle, _ in sent] == list(range(50))
    assert [cycle for cycle, _ in taken] == list(range(1, 50))


def test_entries():
    """A register slice stores one word, a skid buffer two."""
    for unit, entries in ((RegisterSlice, 1), (SkidBuffer, 2)):
        sent, _ = transfers(unit(9), lambda _: True, lambda _: False, 10)
        assert len(sent) == entries
