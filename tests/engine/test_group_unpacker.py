"""Group unpacker: every chunk of random tensors, with stalls, at its rate, and words that are missing."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from fixtures.slow_cases import one_in
from lowtide.engine.group_unpacker import GroupUnpacker
from lowtide.units.conversion.params import ConverterParams
from lowtide_model import chunks as golden_chunks
from lowtide_model import pack, quantize, unpack

# Lanes, mantissa, chunk, exponent, words per beat, chunks, K.
FORMATS = [
    (16, 4, 2, 3, 4, 1, 100),
    (16, 4, 2, 3, 4, 2, 100),
    (16, 8, 2, 3, 4, 4, 100),
    (16, 8, 2, 3, 8, 3, 160),
    (16, 8, 4, 3, 2, 1, 100),
    (16, 4, 2, 3, 1, 2, 50),
    (4, 2, 2, 2, 1, 1, 9),
    (4, 4, 2, 2, 4, 1, 31),
    (4, 12, 1, 5, 2, 11, 9),
    (8, 4, 2, 5, 16, 2, 50),
    (64, 4, 4, 3, 4, 1, 200),
    (16, 3, 3, 3, 2, 1, 50),
    (32, 12, 3, 5, 8, 3, 100),
]


def run(params, numbers, words, chunks, parallel=1, missing=0, stall=0.0, seed=1):
    """Send packed vectors; return the chunks of each vector, and the cycles."""
    rng, vectors, groups = random.Random(seed), len(words), words.shape[1]
    rows = words.reshape(vectors, -1)
    beats = np.pad(rows, ((0, 0), (0, -rows.shape[1] % numbers))).reshape(-1, numbers).tolist()
    dut, got, cycles = GroupUnpacker(params, numbers, 64, parallel), [[]], 0

    async def bench(ctx):
        nonlocal cycles
        ctx.set(dut.chunks, chunks)
        ctx.set(dut.groups, groups)
        ctx.set(dut.start, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        sent, valid = 0, False
        while len(got) <= vectors:
            valid = sent < len(beats) and (valid or rng.random() >= stall)
            padding = sent >= len(beats) - missing
            beat = beats[sent] if valid and not padding else [rng.getrandbits(32) for _ in range(numbers)]
            ctx.set(dut.i.payload.as_value(), sum(word << 32 * n for n, word in enumerate(beat)))
            ctx.set(dut.i.valid, valid)
            ctx.set(dut.padding, padding)
            ready = rng.random() >= stall
            ctx.set(dut.o.ready, ready)
            if ctx.get(dut.o.valid) and ready:
                o = dut.o.payload
                assert ctx.get(o.count) >= 1
                for n in range(ctx.get(o.count)):
                    lanes = o.chunk[n].lane
                    signed = [ctx.get(lane.magnitude) * (-1 if ctx.get(lane.sign) else 1) for lane in lanes]
                    got[-1].append((signed, ctx.get(o.chunk[n].exponent)))
                if ctx.get(o.last):
                    got.append([])
            if valid and ctx.get(dut.i.ready):
                sent, valid = sent + 1, False
            await ctx.tick()
            cycles += 1
        assert sent == len(beats)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return got[:-1], cycles


def due(tensor, chunk):
    """Chunks of each vector of a tensor: first all chunks of group 0, then all chunks of group 1."""
    cut, groups = golden_chunks(tensor, chunk), tensor.codes.shape[1]
    return [
        [
            (part.signed.reshape(*part.codes.shape, -1)[n, group].tolist(), int(part.codes[n, group]))
            for group in range(groups)
            for part in cut
        ]
        for n in range(len(tensor.codes))
    ]


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize("parallel", [1, 2, 4])
@pytest.mark.parametrize(("lanes", "m", "w", "e", "numbers", "chunks", "k"), one_in(3, FORMATS))
def test_chunks_equal_the_tensor(lanes, m, w, e, numbers, chunks, k, parallel, stall):
    params = ConverterParams(lanes=lanes, mantissa=m, chunk=w, exponent=e)
    x = np.random.default_rng(k).standard_normal((4, k))
    tensor = quantize(x, mantissa=chunks * w, exponent=e, group=lanes)
    got, cycles = run(params, numbers, pack(tensor), chunks, parallel, stall=stall)
    assert got == due(tensor, w)
    steps = GroupUnpacker(params, numbers, 64, parallel).steps(chunks)
    assert stall or cycles == 4 * steps.cycles(tensor.codes.shape[1])[-1] + 1


@pytest.mark.parametrize(
    ("parallel", "numbers", "chunks", "rate"),
    [(1, 4, 1, 1), (1, 4, 2, 2), (2, 4, 1, 1 / 2), (2, 4, 2, 1), (2, 2, 1, 1), (4, 8, 1, 1 / 4), (4, 8, 2, 1 / 2)],
)
def test_cycles_per_group(parallel, numbers, chunks, rate):
    """Vectors of 16 groups, which are whole beats."""
    tensor = quantize(np.random.default_rng(1).standard_normal((8, 256)), mantissa=2 * chunks)
    _, cycles = run(ConverterParams(), numbers, pack(tensor), chunks, parallel)
    assert cycles == 8 * 16 * rate + 1


@pytest.mark.parametrize("parallel", [1, 2])
@pytest.mark.parametrize("missing", range(1, 10))
def test_missing_beats_are_zero(missing, parallel):
    """Beats that the framer adds to a short operand; vectors of four groups, three beats."""
    tensor = quantize(np.random.default_rng(1).standard_normal((3, 64)), mantissa=4)
    words = pack(tensor)
    got, _ = run(ConverterParams(), 4, words, 2, parallel, missing)
    words.reshape(-1)[36 - 4 * missing :] = 0
    left = unpack(words, mantissa=4, exponent=tensor.exponent, group=16, bias=tensor.bias, length=64)
    assert [[signed for signed, _ in vector] for vector in got] == [
        [signed for signed, _ in vector] for vector in due(left, 2)
    ]
