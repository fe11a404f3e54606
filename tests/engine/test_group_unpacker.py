"""Group unpacker: every group of random tensors, with stalls, at its rate, and words that are missing."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from lowtide.engine.group_unpacker import GroupUnpacker
from lowtide.units.conversion.params import ConverterParams
from lowtide_model import pack, quantize

# Lanes, mantissa, chunk, exponent, words per beat, chunks, K.
FORMATS = [
    (16, 4, 2, 3, 4, 1, 100),
    (16, 4, 2, 3, 4, 2, 100),
    (16, 8, 2, 3, 4, 4, 100),
    (16, 8, 4, 3, 2, 1, 100),
    (16, 4, 2, 3, 1, 2, 50),
    (4, 2, 2, 2, 1, 1, 9),
    (4, 12, 1, 5, 2, 11, 9),
    (8, 4, 2, 5, 16, 2, 50),
    (64, 4, 4, 3, 4, 1, 200),
    (16, 3, 3, 3, 2, 1, 50),
    (32, 12, 3, 5, 8, 3, 100),
]


def run(params, numbers, words, chunks, missing=0, stall=0.0, seed=1):
    """Send packed vectors; return the groups with their exponents and ``last``, and the cycles."""
    rng, vectors, groups = random.Random(seed), len(words), words.shape[1]
    rows = words.reshape(vectors, -1)
    beats = np.pad(rows, ((0, 0), (0, -rows.shape[1] % numbers))).reshape(-1, numbers).tolist()
    dut, got, cycles = GroupUnpacker(params, numbers, 64), [], 0

    async def bench(ctx):
        nonlocal cycles
        ctx.set(dut.chunks, chunks)
        ctx.set(dut.groups, groups)
        ctx.set(dut.start, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        sent, valid = 0, False
        while len(got) < vectors * groups:
            valid = sent < len(beats) and (valid or rng.random() >= stall)
            padding = sent >= len(beats) - missing
            beat = beats[sent] if valid and not padding else [rng.getrandbits(32) for _ in range(numbers)]
            ctx.set(dut.i.payload.as_value(), sum(word << 32 * n for n, word in enumerate(beat)))
            ctx.set(dut.i.valid, valid)
            ctx.set(dut.padding, padding)
            ready = rng.random() >= stall
            ctx.set(dut.o.ready, ready)
            if ctx.get(dut.o.valid) and ready:
                group, mask = dut.o.payload.group, 2 ** (chunks * params.chunk) - 1
                signed = [(ctx.get(lane.magnitude) & mask) * (-1 if ctx.get(lane.sign) else 1) for lane in group.lane]
                got.append((signed, ctx.get(group.exponent), ctx.get(dut.o.payload.last)))
            if valid and ctx.get(dut.i.ready):
                sent, valid = sent + 1, False
            await ctx.tick()
            cycles += 1
        assert sent == len(beats)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return got, cycles


def due(tensor):
    """Groups of a tensor as the unpacker sends them."""
    groups = tensor.codes.shape[1]
    signed = tensor.signed.reshape(*tensor.codes.shape, tensor.group)
    return [
        (signed[n, group].tolist(), int(tensor.codes[n, group]), int(group == groups - 1))
        for n in range(len(signed))
        for group in range(groups)
    ]


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize(("lanes", "m", "w", "e", "numbers", "chunks", "k"), FORMATS)
def test_groups_equal_the_tensor(lanes, m, w, e, numbers, chunks, k, stall):
    params = ConverterParams(lanes=lanes, mantissa=m, chunk=w, exponent=e)
    x = np.random.default_rng(k).standard_normal((4, k))
    tensor = quantize(x, mantissa=chunks * w, exponent=e, group=lanes)
    got, _ = run(params, numbers, pack(tensor), chunks, stall=stall)
    assert got == due(tensor)


@pytest.mark.parametrize("chunks", [1, 2, 3, 4])
def test_a_group_takes_no_more_cycles_than_chunks(chunks):
    params = ConverterParams(mantissa=8)
    tensor = quantize(np.random.default_rng(1).standard_normal((8, 160)), mantissa=2 * chunks)
    _, cycles = run(params, 4, pack(tensor), chunks)
    assert cycles <= 8 * 10 * chunks + 1


def test_missing_beats_are_zero():
    """Beats that the framer adds to a short operand."""
    params = ConverterParams()
    tensor = quantize(np.random.default_rng(1).standard_normal((3, 64)), mantissa=4)
    words = pack(tensor)
    got, _ = run(params, 4, words, 2, missing=4)
    words.reshape(-1)[-16:] = 0
    signed = np.where(words[..., 1:] != 0, 1, 0)
    assert [any(group) for group, _, _ in got] == signed.any(axis=-1).ravel().tolist()
    assert got[:6] == due(tensor)[:6]
