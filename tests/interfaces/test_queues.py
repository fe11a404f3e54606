"""The queues of the serial bridge against plain lists."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from lowtide.interfaces.serial.beats import BeatPacker, BeatUnpacker
from lowtide.interfaces.serial.queues import OperandQueue, ResultQueue


def simulated(unit, bench):
    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("seed", range(4))
def test_operand_queue_commits_and_discards(seed):
    """Frames of all lengths, good and bad, while two sides take words now and then."""
    unit, rng = OperandQueue(16), np.random.default_rng(seed)
    given, due, took, over = [], [], [], 0

    async def bench(ctx):
        nonlocal over
        lost = False
        for _ in range(4000):
            write, ends = rng.random() < 0.5, rng.random() < 0.15
            word = {"number": int(rng.integers(2**32)), "last": int(rng.integers(2)), "side": int(rng.integers(2))}
            ctx.set(unit.i, word)
            ctx.set(unit.write_operand, write and not ends)
            keep = ends and not ctx.get(unit.overflow) and rng.random() < 0.7
            ctx.set(unit.commit, keep)
            ctx.set(unit.discard, ends and not keep)
            ready = {side: int(rng.random() < 0.4) for side in "ab"}
            ctx.set(unit.a.ready, ready["a"])
            ctx.set(unit.b.ready, ready["b"])
            kept = len(due) - len(took)
            assert ctx.get(unit.overflow) == lost
            assert 16 - kept - len(given) <= ctx.get(unit.free) <= 18 - kept - len(given)
            assert not (ctx.get(unit.a.valid) and ctx.get(unit.b.valid))
            for side, port in (("a", unit.a), ("b", unit.b)):
                if ctx.get(port.valid) and ready[side]:
                    took.append((ctx.get(port.payload.number), ctx.get(port.payload.last), side))
            if write and not ends:
                if ctx.get(unit.free):
                    given.append((word["number"], word["last"], "ab"[word["side"]]))
                else:
                    lost, over = True, over + 1
            if ends:
                due.extend(given if keep else [])
                given.clear()
                lost = False
            await ctx.tick()
            assert took == due[: len(took)]
        ctx.set(unit.write_operand, 0)
        ctx.set(unit.a.ready, 1)
        ctx.set(unit.b.ready, 1)
        ctx.set(unit.commit, 0)
        ctx.set(unit.discard, 0)
        for _ in range(40):
            for side, port in (("a", unit.a), ("b", unit.b)):
                if ctx.get(port.valid):
                    took.append((ctx.get(port.payload.number), ctx.get(port.payload.last), side))
            await ctx.tick()

    simulated(unit, bench)
    assert took == due
    assert len(due) > 200
    assert over > 20


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_result_queue_keeps_unacknowledged_results(seed):
    """At all positions, also around the wrap: available words are read, and absent words are reported as absent."""
    unit, rng = ResultQueue(8), np.random.default_rng(seed)
    words = [int(word) for word in rng.integers(2**32, size=70_000)]

    async def bench(ctx):
        oldest, written, numbers = 0, 0, iter(words)
        # Up to the wrap without looks, which take long.
        ctx.set(unit.i.valid, 1)
        while written < 2**16 - 40:
            ctx.set(unit.i.payload, words[written])
            ctx.set(unit.received, written)
            ctx.set(unit.discard, written > 2)
            assert ctx.get(unit.i.ready)
            oldest, written = (written if written > 2 else oldest), written + 1
            await ctx.tick()
        for _ in numbers:
            if written == len(words) - 1:
                break
            valid = int(rng.random() < 0.4)
            position = int(oldest + rng.integers(-3, 12)) % 2**16
            received = int(oldest + rng.integers(-3, 12)) % 2**16
            ctx.set(unit.i.valid, valid)
            ctx.set(unit.i.payload, words[written])
            ctx.set(unit.position, position)
            ctx.set(unit.received, received)
            ctx.set(unit.discard, 0)
            full = written - oldest == 8
            assert ctx.get(unit.i.ready) == (not full)
            assert ctx.get(unit.oldest) == oldest % 2**16
            ahead, back = (position - oldest) % 2**16, (received - oldest) % 2**16
            available = max(written - oldest - ahead, 0) if ahead <= written - oldest else 0
            legal = back <= written - oldest
            written += valid and not full
            await ctx.tick()
            assert ctx.get(unit.available) == available
            assert ctx.get(unit.legal) == legal
            if available:
                assert ctx.get(unit.word) == words[oldest + ahead]
            if legal and rng.random() < 0.5:
                ctx.set(unit.discard, 1)
                ctx.set(unit.i.valid, 0)
                await ctx.tick()
                oldest += back
                ctx.set(unit.discard, 0)
                await ctx.tick()  # a place is found to be free a cycle later
            if written > 2**16 + 500:
                break

    simulated(unit, bench)


@pytest.mark.parametrize("numbers", [1, 2, 3, 4])
def test_beats_are_packed_and_unpacked(numbers):
    """Operands of all lengths; the words of whole beats come out as they went in."""
    rng, packer, unpacker = np.random.default_rng(numbers), BeatPacker(numbers), BeatUnpacker(numbers)
    operands = [[int(word) for word in rng.integers(2**32, size=length)] for length in range(1, 3 * numbers + 2)]
    beats = []

    async def pack(ctx):
        todo = [(word, n == len(operand) - 1) for operand in operands for n, word in enumerate(operand)]
        for _ in range(2000):
            valid, ready = bool(todo) and rng.random() < 0.6, int(rng.random() < 0.6)
            ctx.set(packer.i.valid, valid)
            if valid:
                ctx.set(packer.i.payload, {"number": todo[0][0], "last": todo[0][1]})
            ctx.set(packer.o.ready, ready)
            if ctx.get(packer.o.valid) and ready:
                payload = packer.o.payload
                beats.append(([ctx.get(number.as_value()) for number in payload.number], ctx.get(payload.last)))
            if valid and ctx.get(packer.i.ready):
                todo.pop(0)
            await ctx.tick()

    simulated(packer, pack)
    at = iter(beats)
    for operand in operands:
        for start in range(0, len(operand), numbers):
            words, last = next(at)
            part = operand[start : start + numbers]
            assert words[: len(part)] == part
            assert last == (start + numbers >= len(operand))
    assert next(at, None) is None

    words = []

    async def unpack(ctx):
        todo = list(beats)
        for _ in range(2000):
            valid, ready = bool(todo) and rng.random() < 0.6, int(rng.random() < 0.6)
            ctx.set(unpacker.i.valid, valid)
            if valid:
                for number, word in zip(unpacker.i.payload.number, todo[0][0], strict=True):
                    ctx.set(number.as_value(), word)
            ctx.set(unpacker.o.ready, ready)
            if ctx.get(unpacker.o.valid) and ready:
                words.append(ctx.get(unpacker.o.payload))
            if valid and ctx.get(unpacker.i.ready):
                todo.pop(0)
            await ctx.tick()

    simulated(unpacker, unpack)
    assert words == [word for beat, _ in beats for word in beat]
