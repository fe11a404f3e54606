"""Delays and skew: every word at its time, and zeros where there is no beat."""

import random

import pytest
from amaranth.sim import Simulator

from lowtide.array.skew import Skew, skew
from lowtide.units.stream.delay import ShiftRegister, delay

WIDTH = 5


def run(unit, beats):
    """Outputs of a unit, one a cycle; each beat is a dict of inputs."""
    outputs = []

    async def bench(ctx):
        for inputs in beats:
            for name, value in inputs.items():
                ctx.set(getattr(unit, name), value)
            _, _, value = await ctx.tick().sample(unit.o)
            outputs.append(value)

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return outputs


def words(beat, count):
    return [beat >> n * WIDTH & (1 << WIDTH) - 1 for n in range(count)]


def history(values, cycles):
    """The values, that many cycles late."""
    return ([0] * cycles + values)[: len(values)]


@pytest.mark.parametrize("cycles", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("reset_less", [True, False])
def test_delay(cycles, reset_less):
    values = [random.Random(cycles).getrandbits(WIDTH) for _ in range(30)]
    outputs = run(delay(cycles, WIDTH, reset_less), [{"i": value} for value in values])
    assert outputs == history(values, cycles)


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7])
def test_skew_delays_word_n_by_n_cycles(count):
    rng = random.Random(count)
    beats = [{"i": rng.getrandbits(count * WIDTH), "idle_i": rng.random() < 0.3} for _ in range(40)]
    outputs = [words(o, count) for o in run(skew(count, WIDTH), beats)]
    taken = [words(beat["i"], count) if not beat["idle_i"] else [0] * count for beat in beats]
    for n in range(count):
        assert [o[n] for o in outputs] == history([t[n] for t in taken], Skew.latency + n)


@pytest.mark.parametrize("length", [1, 2, 9])
def test_shift_register(length):
    values = [random.Random(length).getrandbits(1) for _ in range(40)]
    outputs = run(ShiftRegister(length), [{"i": value} for value in values])
    for n in range(length):
        assert [o >> n & 1 for o in outputs] == history(values, n + 1)
