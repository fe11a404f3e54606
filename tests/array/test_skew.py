"""Delays and skew: every word at its time, and zeros where there is no beat."""

import random

import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

from fixtures.slow_cases import one_in
from lowtide.array.skew import Skew, skew
from lowtide.emission.folder import verilog_and_modules
from lowtide.synthesis import synthesize
from lowtide.units.stream.delay import MemoryDelay, ShiftRegister, delay

WIDTH = 5


def run(unit, beats, reset_at=()):
    """Outputs of a unit, one a cycle; each beat is a dict of inputs. Some cycles are a reset."""
    outputs = []
    reset = Signal()

    async def bench(ctx):
        for cycle, inputs in enumerate(beats):
            ctx.set(reset, cycle in reset_at)
            for name, value in inputs.items():
                ctx.set(getattr(unit, name), value)
            _, _, value = await ctx.tick().sample(unit.o)
            outputs.append(value)

    simulator = Simulator(ResetInserter(reset)(unit))
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


@pytest.mark.parametrize("cycles", [1, 2, 3, 7, 15, 16, 17, 18, 33, 50])
def test_delay_in_memory(cycles):
    values = [random.Random(cycles).getrandbits(WIDTH) for _ in range(3 * cycles + 20)]
    outputs = run(delay(cycles, WIDTH, memory=True), [{"i": value} for value in values])
    assert outputs == history(values, cycles)


@pytest.mark.parametrize("cycles", [2, 5, 16, 21])
def test_a_reset_does_not_disturb_later_words_in_memory(cycles):
    values = [random.Random(cycles).getrandbits(WIDTH) for _ in range(200)]
    outputs = run(delay(cycles, WIDTH, memory=True), [{"i": value} for value in values], reset_at=(30, 31, 100))
    for first, end in ((0, 30), (32, 100), (101, 200)):
        assert outputs[first + cycles : end] == values[first : end - cycles]


@pytest.mark.parametrize("kind", ["registers", "memory"])
@pytest.mark.parametrize("count", [1, 2, 3, 6, 7, 16, 17, 37])
def test_skew_delays_word_n_by_n_cycles(count, kind):
    rng = random.Random(count)
    beats = [{"i": rng.getrandbits(count * WIDTH), "idle_i": rng.random() < 0.3} for _ in range(40 + count)]
    outputs = [words(o, count) for o in run(skew(count * WIDTH, WIDTH, kind), beats)]
    taken = [words(beat["i"], count) if not beat["idle_i"] else [0] * count for beat in beats]
    for n in range(count):
        assert [o[n] for o in outputs] == history([t[n] for t in taken], Skew.latency + n)


@pytest.mark.parametrize("kind", ["registers", "memory"])
@pytest.mark.parametrize("bits", [3, 7, 11, 14, 42, 97])
def test_the_last_word_may_be_shorter(bits, kind):
    rng = random.Random(bits)
    beats = [{"i": rng.getrandbits(bits), "idle_i": rng.random() < 0.3} for _ in range(40 + bits)]
    count = -(-bits // WIDTH)
    outputs = [words(o, count) for o in run(skew(bits, WIDTH, kind), beats)]
    taken = [words(beat["i"], count) if not beat["idle_i"] else [0] * count for beat in beats]
    for n in range(count):
        assert [o[n] for o in outputs] == history([t[n] for t in taken], Skew.latency + n)


@pytest.mark.parametrize("count", [2, 5, 18])
def test_the_idle_bit_clears_words_of_memory_from_before_a_reset(count):
    """The beats before the reset are full, and all beats after the reset are idle."""
    full, idle = {"i": (1 << count * WIDTH) - 1, "idle_i": 0}, {"i": (1 << count * WIDTH) - 1, "idle_i": 1}
    outputs = run(skew(count * WIDTH, WIDTH, "memory"), [full] * 40 + [idle] * 40, reset_at=(39,))
    for n in range(count):
        assert [words(o, count)[n] for o in outputs[40 + Skew.latency + n :]] == [0] * (40 - Skew.latency - n)


@pytest.mark.parametrize("cycles", one_in(3, [2, 5, 16]))
def test_a_memory_delay_has_a_memory_and_a_counter_on_ecp5(cycles):
    unit = MemoryDelay(cycles, 52)
    text, _ = verilog_and_modules(unit)
    area = synthesize(text, unit.module_name, "ecp5")
    assert (area.lutrams, area.ffs) == (13, (cycles - 1).bit_length())


@pytest.mark.parametrize("length", [1, 2, 9])
def test_shift_register(length):
    values = [random.Random(length).getrandbits(1) for _ in range(40)]
    outputs = run(ShiftRegister(length), [{"i": value} for value in values])
    for n in range(length):
        assert [o >> n & 1 for o in outputs] == history(values, n + 1)
