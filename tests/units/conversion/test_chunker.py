"""Chunker compared with the golden model."""

import random

import numpy as np
import pytest
import streams

from fixtures.slow_cases import one_in
from lowtide.units.conversion.chunker import Chunker
from lowtide.units.conversion.params import ConverterParams
from lowtide_model import chunks as golden_chunks
from lowtide_model import quantize

SHAPES = [
    ConverterParams(lanes=4),
    ConverterParams(lanes=1, mantissa=1, chunk=1, exponent=1),
    ConverterParams(lanes=3, mantissa=12, chunk=4, exponent=5),
    ConverterParams(lanes=2, mantissa=10, chunk=1, exponent=2),
    ConverterParams(lanes=16, mantissa=9, chunk=3),
]


@pytest.mark.parametrize("share", [0, 0.4])
@pytest.mark.parametrize("parallel", [1, 2, 4])
@pytest.mark.parametrize("shape", one_in(2, SHAPES), ids=lambda shape: shape.name)
def test_chunks_equal_the_model(shape, parallel, share):
    dut, rng, pause = Chunker(shape, parallel), np.random.default_rng(1), random.Random(1)
    layout = shape.layout_o

    async def bench(ctx):
        for count in [*range(1, shape.max_chunks + 1)] * 2:
            x = rng.standard_normal((12, shape.lanes)).astype(np.float32) * np.exp2(rng.integers(-6, 3, (12, 1)))
            tensor = quantize(x, mantissa=count * shape.chunk, exponent=shape.exponent, group=shape.lanes)
            lasts = rng.random(12) < 0.3
            due = []
            cut = golden_chunks(tensor, shape.chunk)
            for n in range(12):
                for j, part in enumerate(cut):
                    values = part.signed[n].tolist()
                    due.append((values, int(part.codes[n, 0]), bool(lasts[n]) and j == count - 1))
            waiting = [
                {
                    "group": {
                        "lane": [{"magnitude": abs(v), "sign": v < 0} for v in tensor.signed[n].tolist()],
                        "exponent": int(tensor.codes[n, 0]),
                    },
                    "last": bool(lasts[n]),
                }
                for n in range(12)
            ]
            ctx.set(dut.chunks, count)
            received, offering, cycles = [], False, 0
            while len(received) < len(due) and cycles < 1000:
                offering = bool(waiting) and (offering or pause.random() >= share)
                ctx.set(dut.i.valid, offering)
                ctx.set(dut.i.payload, layout.const(waiting[0] if offering else {"last": 1}))
                ctx.set(dut.o.ready, pause.random() >= share)
                taken = offering and ctx.get(dut.i.ready)
                if ctx.get(dut.o.valid) and ctx.get(dut.o.ready):
                    beat = ctx.get(dut.o.payload)
                    group = waiting[0]["group"]["lane"]
                    for n in range(beat.count):
                        lanes = beat.chunk[n].lane
                        assert [lane.sign for lane in lanes] == [lane["sign"] for lane in group]
                        values = [-lane.magnitude if lane.sign else lane.magnitude for lane in lanes]
                        received.append((values, beat.chunk[n].exponent, bool(beat.last) and n == beat.count - 1))
                if taken:
                    waiting.pop(0)
                    offering = False
                await ctx.tick()
                cycles += 1
            assert received == due
            assert not waiting
            assert share or cycles == 12 * -(-count // parallel), "as many chunks per cycle as fit"
            ctx.set(dut.i.valid, 0)

    streams.simulate(dut, bench)
