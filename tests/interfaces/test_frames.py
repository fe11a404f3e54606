"""Frames in hardware against frames in Python: the same bytes out, the same frames taken from any bytes."""

import numpy as np
from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from lowtide.interfaces.serial.frames import FrameReceiver, FrameSender
from lowtide_model.serial_frames import Frame, Frames, frame_bytes

FRAMES = st.builds(
    Frame,
    st.integers(0, 255),
    st.integers(0, 65535),
    st.lists(st.integers(0, 2**32 - 1) | st.sampled_from([0x7E7E7E7E, 0x7D7D7D7D, 0x5E7D5D7E, 0]), max_size=6).map(
        tuple
    ),
)


def sent(frames, pauses):
    """What a sender makes of frames, while words and bytes pause."""
    unit, found = FrameSender(), bytearray()

    async def give(ctx):
        for frame in frames:
            words = [frame.kind | len(frame.words) << 8 | frame.number << 16, *frame.words]
            for n, word in enumerate(words):
                await ctx.tick().repeat(int(pauses.integers(1, 4)))
                ctx.set(unit.i.payload, {"word": word, "last": n == len(words) - 1})
                ctx.set(unit.i.valid, 1)
                await ctx.tick().until(unit.i.ready)
                ctx.set(unit.i.valid, 0)

    async def take(ctx):
        for frame in frames:
            for _ in range(len(frame_bytes(frame.kind, frame.number, frame.words))):
                await ctx.tick().repeat(int(pauses.integers(1, 4)))
                ctx.set(unit.o.ready, 1)
                found.extend((await ctx.tick().sample(unit.o.payload).until(unit.o.valid))[:1])
                ctx.set(unit.o.ready, 0)

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(give)
    simulator.add_testbench(take)
    simulator.run()
    return bytes(found)


@settings(max_examples=25, deadline=None)
@given(st.lists(FRAMES, min_size=1, max_size=3), st.integers(0, 100))
def test_frame_sender(frames, seed):
    due = b"".join(frame_bytes(frame.kind, frame.number, frame.words) for frame in frames)
    assert sent(frames, np.random.default_rng(seed)) == due


def taken(data, pauses):
    """Frames that a receiver finds in bytes."""
    unit, frames, words = FrameReceiver(), [], []

    async def give(ctx):
        for byte in data:
            await ctx.tick().repeat(int(pauses.integers(1, 4)))
            ctx.set(unit.i.payload, byte)
            ctx.set(unit.i.valid, 1)
            await ctx.tick().until(unit.i.ready)
            ctx.set(unit.i.valid, 0)
        await ctx.tick().repeat(30)

    async def take(ctx):
        watched = (unit.valid, unit.word, unit.last, unit.frame_ok, unit.frame_error, unit.header)
        wait = 0
        async for _, _, valid, word, last, frame_ok, frame_error, header in ctx.tick().sample(*watched):
            if valid:
                words.append((word, last))
            if frame_error:
                words.clear()
            if frame_ok and not wait:
                assert [last for _, last in words] == [0] * (len(words) - 1) + [1] * bool(words)
                frames.append(Frame(header.kind, header.number, tuple(word for word, _ in words)))
                words.clear()
                wait = int(pauses.integers(2, 20))
                ctx.set(unit.done, 0)
            elif wait:
                wait -= 1
                ctx.set(unit.done, wait == 1)

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(give)
    simulator.add_testbench(take, background=True)
    simulator.run()
    return frames


@st.composite
def damaged(draw):
    """Frames, some of them damaged, and bytes between them."""
    parts = []
    for frame in draw(st.lists(FRAMES, min_size=1, max_size=4)):
        data = bytearray(frame_bytes(frame.kind, frame.number, frame.words))
        for _ in range(draw(st.integers(0, 2))):
            at = draw(st.integers(0, len(data) - 1)) if data else 0
            match draw(st.sampled_from(["keep", "flip", "cut", "insert", "twice"])):
                case "flip" if data:
                    data[at] ^= 1 << draw(st.integers(0, 7))
                case "cut":
                    del data[at : at + draw(st.integers(1, 5))]
                case "insert":
                    data[at:at] = draw(st.binary(max_size=6))
                case "twice":
                    data *= 2
        parts.append(bytes(data))
    return b"".join(parts)


@settings(max_examples=60, deadline=None)
@given(damaged(), st.integers(0, 100))
def test_frame_receiver_agrees_with_python(data, seed):
    assert taken(data, np.random.default_rng(seed)) == list(Frames().add(data))
