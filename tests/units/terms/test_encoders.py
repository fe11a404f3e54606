"""Encoders compared with their model for every magnitude, and digits converted back to integers."""

import random
import re

import numpy as np
import pytest
from amaranth.sim import Simulator

from lowtide.formats import IllegalValue
from lowtide.units.terms.digit_value import DigitValue, DigitValueParams
from lowtide.units.terms.encoder import Encoder, EncoderParams
from lowtide.units.terms.serial_hese import SerialHese
from lowtide_model.terms import encode, value_of

ENCODINGS = ["binary", "booth", "hese"]


def planes(digits):
    """Rows of digits as two bit masks each: which are terms, and which are negative."""
    weights = 1 << np.arange(digits.shape[-1])
    return list(zip(((digits != 0) @ weights).tolist(), ((digits < 0) @ weights).tolist(), strict=True))


def simulate(dut, bench, clock=False):
    simulator = Simulator(dut)
    if clock:
        simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def check(width, encoding):
    """Compare an encoder with the model for every magnitude."""
    dut = Encoder(EncoderParams(width=width, encoding=encoding))

    async def bench(ctx):
        for n, (nonzero, negative) in enumerate(planes(encode(np.arange(2**width), width, encoding))):
            ctx.set(dut.n, n)
            assert (ctx.get(dut.nonzero), ctx.get(dut.negative) & nonzero) == (nonzero, negative), n

    simulate(dut, bench)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 8, 11, 12])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_magnitude(encoding, width):
    check(width, encoding)


@pytest.mark.slow
@pytest.mark.parametrize("width", range(1, 17))
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_magnitude_of_every_width(encoding, width):
    check(width, encoding)


@pytest.mark.parametrize("width", [1, 4, 16])
def test_serial_digits_with_pauses_and_aborted_values(width):
    dut, rng = SerialHese(), random.Random(width)
    values = [rng.getrandbits(width) for _ in range(60)] + [2**width - 1, 0]

    async def bench(ctx):
        for n, digits in zip(values, encode(values, width).tolist(), strict=True):
            for i, digit in enumerate(digits):
                while rng.random() < 0.3:
                    ctx.set(dut.enable, 0)
                    ctx.set(dut.first, rng.getrandbits(1))
                    ctx.set(dut.bits, rng.getrandbits(2))
                    await ctx.tick()
                ctx.set(dut.enable, 1)
                ctx.set(dut.first, i == 0)
                ctx.set(dut.bits, n >> i & 3)
                assert (ctx.get(dut.nonzero) and (-1) ** ctx.get(dut.negative)) == digit, (n, i)
                await ctx.tick()
                if digits[i + 1 :] and rng.random() < 0.01:
                    break  # an aborted value has no effect on the next

    simulate(dut, bench, clock=True)


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_value_of_all_digits(digits):
    dut = DigitValue(DigitValueParams(digits=digits))

    async def bench(ctx):
        for word in range(2 ** (2 * digits + 1)):
            nonzero, negative, sign = word % 2**digits, word >> digits & 2**digits - 1, word >> 2 * digits
            signs = [(-1) ** (negative >> i & 1) * (nonzero >> i & 1) for i in range(digits)]
            ctx.set(dut.nonzero, nonzero)
            ctx.set(dut.negative, negative)
            ctx.set(dut.sign, sign)
            assert ctx.get(dut.o) == (-1) ** sign * int(value_of(np.array(signs))), (nonzero, negative, sign)

    simulate(dut, bench)


@pytest.mark.parametrize(
    ("shape", "keywords", "message"),
    [
        (EncoderParams, {"width": 0}, "width must be from 1 to 16, not 0"),
        (EncoderParams, {"width": 17}, "width must be from 1 to 16, not 17"),
        (EncoderParams, {"encoding": "naf"}, "encoding must be one of binary, booth, hese, not 'naf'"),
        (DigitValueParams, {"digits": 18}, "digits must be from 1 to 17, not 18"),
    ],
)
def test_illegal_shapes_name_the_legal_values(shape, keywords, message):
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        shape(**keywords)


def test_parameters_determine_the_name():
    assert Encoder(EncoderParams()).module_name == "encoder_hese_8"
    assert DigitValue(DigitValueParams()).module_name == "digit_value_8"
