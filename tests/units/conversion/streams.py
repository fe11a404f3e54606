"""Streams of numbers and groups for the tests of converters, and results of the golden model."""

import attrs
import numpy as np
from amaranth.sim import Simulator

from lowtide_model import GivenWords, quantize
from lowtide_sim.bench.stimulus.operands import SPECIAL, random_bits

__all__ = [
    "SPECIAL",
    "Group",
    "Tensor",
    "check",
    "packed",
    "random_bits",
    "random_pauses",
    "random_tensor",
    "simulate",
    "tensor_of",
]


@attrs.frozen
class Group:
    """Converted group with its flags."""

    values: list[int]
    signs: list[int]
    code: int
    last: bool
    saturated_group: bool
    saturated_elements: int
    bad: bool


def model(shape, bits, bias, chunks, words, lasts):
    """Results of the golden model for each group."""
    groups = []
    for n, group in enumerate(bits):
        given = GivenWords(mode=shape.rounding, bits=shape.random, words=words[n]) if shape.stochastic else None
        tensor = quantize(
            group.astype(np.uint32).view(np.float32),
            mantissa=chunks * shape.chunk,
            exponent=shape.exponent,
            group=shape.lanes,
            bias=bias,
            rounding=given or shape.rounding,
            nonfinite="saturate",
        )
        values = tensor.signed.tolist()
        groups.append(
            Group(
                [abs(value) for value in values],
                [int(value < 0) for value in values],
                int(tensor.codes[0]),
                bool(lasts[n]),
                bool(tensor.saturated_groups),
                tensor.saturated_elements,
                bool(tensor.nonfinite_elements),
            )
        )
    return groups


def packed(values, width):
    """Concatenated values, the first in the lowest bits."""
    return sum(int(value) << n * width for n, value in enumerate(values))


def seen_group(ctx, dut):
    """Group on a converter's output."""
    payload = ctx.get(dut.o.payload)
    return Group(
        [lane.magnitude for lane in payload.group.lane],
        [lane.sign for lane in payload.group.lane],
        payload.group.exponent,
        bool(payload.last),
        bool(ctx.get(dut.saturated_group)),
        ctx.get(dut.saturated_elements),
        bool(ctx.get(dut.nonfinite_group)),
    )


def simulate(dut, bench):
    """Run a bench on a clocked unit."""
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@attrs.frozen(kw_only=True)
class Tensor:
    """Groups of numbers as bits, with the settings of their conversion."""

    bits: np.ndarray
    bias: int
    chunks: int
    words: np.ndarray
    lasts: list[bool]


def random_tensor(shape, rng, bias, chunks, groups):
    """Random numbers around a bias, with random words, in rows of random length."""
    return Tensor(
        bits=random_bits(rng, groups, shape.lanes, bias),
        bias=bias,
        chunks=chunks,
        words=rng.integers(0, 2**shape.random, (groups, shape.lanes)),
        lasts=(rng.random(groups) < 0.2).tolist(),
    )


def tensor_of(shape, groups, bias, chunks, words=0):
    """Groups of bits in one row, all with one random word."""
    bits = np.array(groups, np.uint32).reshape(-1, shape.lanes)
    lasts = [False] * (len(bits) - 1) + [True]
    return Tensor(bits=bits, bias=bias, chunks=chunks, words=np.full(bits.shape, words), lasts=lasts)


@attrs.define
class Seen:
    """Outputs of a converter, and the cycles in which it used words and sent groups."""

    taken: list[int] = attrs.Factory(list)
    received: list[int] = attrs.Factory(list)
    rows: list[bool] = attrs.Factory(list)
    groups: list[Group] = attrs.Factory(list)
    cycle: int = 0


async def flow(ctx, dut, seen, inputs, words, groups, pauses):
    """Send inputs, provide a random word per step, and collect a number of groups."""
    inputs, words, due = list(inputs), list(words), len(seen.groups) + groups
    offering, idle = False, 0
    while (len(seen.groups) < due or inputs) and idle < 300:
        idle += 1
        offering = bool(inputs) and (offering or not next(pauses))
        ctx.set(dut.i.valid, offering)
        if inputs:
            ctx.set(dut.i.payload.as_value(), inputs[0])
        if words:
            ctx.set(dut.random, words[0])
        ctx.set(dut.o.ready, not next(pauses))
        if offering and ctx.get(dut.i.ready):
            inputs.pop(0)
            offering = False
            seen.taken.append(seen.cycle)
            idle = 0
        if dut.params.stochastic and ctx.get(dut.step):
            words.pop(0)
            seen.rows.append(bool(ctx.get(dut.row)))
        if ctx.get(dut.o.valid) and ctx.get(dut.o.ready):
            seen.received.append(seen.cycle)
            seen.groups.append(seen_group(ctx, dut))
            idle = 0
        await ctx.tick()
        seen.cycle += 1
    ctx.set(dut.i.valid, 0)
    assert len(seen.groups) == due, f"{due - len(seen.groups)} groups are missing"
    assert not words, f"{len(words)} random words were not used"


def check(dut, tensors, pauses, inputs_of, words_of):
    """Send tensors one after the other, and compare every group and its flags with the golden model."""
    shape, seen = dut.params, Seen()

    async def bench(ctx):
        bad = False
        for tensor in tensors:
            ctx.set(dut.bias, tensor.bias)
            ctx.set(dut.chunks, tensor.chunks)
            await ctx.tick()  # the window's outputs are registered
            before = len(seen.groups)
            words = words_of(tensor) if shape.stochastic else []
            await flow(ctx, dut, seen, inputs_of(tensor), words, len(tensor.bits), pauses)
            due = model(shape, tensor.bits, tensor.bias, tensor.chunks, tensor.words, tensor.lasts)
            for n, group in enumerate(due):
                where = tensor.bias, tensor.chunks, n, [f"{number:08x}" for number in tensor.bits[n]]
                assert seen.groups[before + n] == group, where
            bad = bad or any(group.bad for group in due)
            assert ctx.get(dut.nonfinite) == bad

    simulate(dut, bench)
    return seen


def random_pauses(rng, share):
    """Pauses in this share of the cycles."""
    while True:
        yield rng.random() < share
