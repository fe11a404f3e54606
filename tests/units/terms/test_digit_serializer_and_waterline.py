"""Digit serializer and waterline compared with the model, with stalls and with settings that change between groups."""

import random
import re

import numpy as np
import pytest
from amaranth.sim import Simulator

from lowtide.formats import IllegalValue
from lowtide.units.terms.digit_plane import DigitPlaneLayout
from lowtide.units.terms.digit_serializer import DigitSerializer, SerializerParams
from lowtide.units.terms.waterline import Waterline, WaterlineParams
from lowtide_model.terms import receding_water

STALLS = [0.0, 0.4]


def flow(dut, words, due, share, seed=1):
    """Send words, each with values of other ports, and stall both sides in this share of the cycles.

    Returns the cycles in which words were taken, and in which the expected words arrived.
    """
    rng, taken, received = random.Random(seed), [], []

    async def bench(ctx):
        waiting, offering, cycle = list(words), False, 0
        while len(received) < len(due) or waiting:
            assert cycle < 20 * (len(words) + len(due)) + 100, f"{len(due) - len(received)} words are missing"
            offering = bool(waiting) and (offering or rng.random() >= share)
            ctx.set(dut.i.valid, offering)
            if offering:
                payload, ports = waiting[0]
                ctx.set(dut.i.payload.as_value(), payload)
                for name, value in ports.items():
                    ctx.set(getattr(dut, name), value)
            ctx.set(dut.o.ready, rng.random() >= share)
            if offering and ctx.get(dut.i.ready):
                waiting.pop(0)
                offering = False
                taken.append(cycle)
            if ctx.get(dut.o.valid) and ctx.get(dut.o.ready):
                assert ctx.get(dut.o.payload.as_value()) == due[len(received)], len(received)
                received.append(cycle)
            await ctx.tick()
            cycle += 1

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return taken, received


def bits(values):
    """Bits as an integer, the first bit the lowest."""
    return sum(int(bit != 0) << n for n, bit in enumerate(values))


def lines_of(digits, signs):
    """Digit planes of a group of digits, values by exponents; signs of zero digits are as given."""
    exponents = digits.shape[1]
    layout = DigitPlaneLayout(len(digits))
    return [
        layout.const(
            {
                "nonzero": bits(digits[:, exponent]),
                "negative": bits(signs[:, exponent]),
                "first": exponent == exponents - 1,
                "last": exponent == 0,
            }
        )
        .as_value()
        .value
        for exponent in reversed(range(exponents))
    ]


@pytest.mark.parametrize("share", STALLS)
@pytest.mark.parametrize(("digits", "lanes"), [(1, 1), (1, 3), (8, 1), (9, 8), (17, 2), (3, 64)])
def test_groups_become_digit_planes(digits, lanes, share):
    shape, rng = SerializerParams(digits=digits, lanes=lanes), np.random.default_rng(lanes)
    words, due = [], []
    for _ in range(12):
        ones, signs = rng.integers(0, 2, (2, lanes, digits))
        words.append((bits(ones.ravel()) | bits(signs.ravel()) << lanes * digits, {}))
        due += lines_of(ones, signs)
    taken, received = flow(DigitSerializer(shape), words, due, share)
    if not share:
        assert received == list(range(DigitSerializer.latency, len(due) + DigitSerializer.latency))
        assert taken == list(range(digits - 1, len(due), digits))


@pytest.mark.parametrize("share", STALLS)
@pytest.mark.parametrize(
    ("group", "budget"), [(1, 1), (1, 9), (2, 3), (3, 5), (4, 8), (8, 16), (13, 40), (33, 60), (64, 128), (64, 1024)]
)
def test_planes_keep_the_largest_terms(group, budget, share):
    rng, dut = np.random.default_rng(group), Waterline(WaterlineParams(group=group, budget=budget))
    words, due = [], []
    for n in range(25):
        digits = (rng.random((group, rng.integers(1, 10))) < rng.choice([0, 0.1, 0.5, 0.9, 1])).astype(np.int8)
        signs = rng.integers(0, 2, digits.shape)
        k, g = (int(rng.choice([0, most, rng.integers(0, most + 1)])) for most in (budget, group))
        g = group if n % 3 else g
        for first, line in enumerate(lines_of(digits, signs)):
            # After the first plane, the settings are ignored.
            ports = {"budget": rng.integers(0, budget + 1), "group": rng.integers(0, group + 1)}
            words.append(
                (line, {name: int(value) for name, value in ports.items()} if first else {"budget": k, "group": g})
            )
        kept = receding_water(digits * (np.arange(group) < g)[:, np.newaxis], k, group)
        due += lines_of(kept, signs)
    taken, received = flow(dut, words, due, share)
    if not share:
        assert taken == list(range(len(due)))
        assert received == list(range(dut.latency, len(due) + dut.latency))


@pytest.mark.parametrize(
    ("shape", "keywords", "message"),
    [
        (SerializerParams, {"digits": 18}, "digits must be from 1 to 17, not 18"),
        (SerializerParams, {"lanes": 0}, "lanes must be from 1 to 64, not 0"),
        (WaterlineParams, {"group": 65}, "group must be from 1 to 64, not 65"),
        (WaterlineParams, {"budget": 1025}, "budget must be from 1 to 1024, not 1025"),
    ],
)
def test_illegal_shapes_name_the_legal_values(shape, keywords, message):
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        shape(**keywords)


def test_parameters_determine_the_name():
    assert DigitSerializer(SerializerParams()).module_name == "digit_serializer_8x8"
    assert Waterline(WaterlineParams()).module_name == "waterline_8_k16"
