"""Floating-point MAC compared with its golden model, bit by bit."""

import random
import re
from itertools import product

import pytest
from float_words import answers, words

from fixtures.slow_cases import one_in
from lowtide.formats import IllegalValue
from lowtide.units.floating.mac import FloatMac, FloatMacParams
from lowtide_model.floating import float_mac

PAIRS = [
    ("bf16", "fp32"),
    ("fp16", "fp32"),
    ("fp32", "fp32"),
    ("hfp8", "fp16"),
    ("fp8_e4m3", "fp16"),
    ("fp8_e5m2", "fp16"),
    ("bf16", "bf16"),
    ("fp16", "fp16"),
    ("fp32", "fp16"),
    ("fp4_e2m1", "fp32"),
    ("fp6_e2m3", "bf16"),
    ("fp8_e4m3", "fp6_e2m3"),
]


def check(shape, a, b, c, unit=FloatMac):
    """Compare a unit with the model."""
    operand, form = shape.operand_format, shape.sum_format
    wanted = float_mac(a, b, c, operand, form).tolist()
    for *case, got, due in zip(a, b, c, answers(unit(shape), a, b, c), wanted, strict=True):
        assert got == due, f"a, b, c: {', '.join(map(hex, case))}"


def cases(shape, seed, count):
    """Factors, and addends near their products."""
    rng = random.Random(seed)
    operand, form = shape.operand_format, shape.sum_format
    middle = operand.bias << operand.fraction  # most exponents are inside the range
    a, b = (
        [
            rng.choice((rng.getrandbits(operand.width), middle ^ rng.getrandbits(operand.fraction + 2)))
            for _ in range(count)
        ]
        for _ in range(2)
    )
    return a, b, words(rng, float_mac(a, b, 0, operand, form).tolist(), form, count)


@pytest.mark.parametrize(("operand", "form"), one_in(2, PAIRS))
def test_sums_equal_the_golden_model(operand, form):
    shape = FloatMacParams(operand=operand, sum=form)
    check(shape, *cases(shape, 1, 400))


@pytest.mark.slow
@pytest.mark.parametrize("multiplier", ["booth", "inferred"])
@pytest.mark.parametrize(("operand", "form"), PAIRS)
def test_many_sums(operand, form, multiplier):
    shape = FloatMacParams(operand=operand, sum=form, multiplier=multiplier)
    check(shape, *cases(shape, 2, 20000))


def test_an_inferred_product_gives_equal_sums():
    shape = FloatMacParams(multiplier="inferred")
    check(shape, *cases(shape, 3, 500))


@pytest.mark.parametrize(
    ("operand", "form"),
    [
        ("fp4_e2m1", "fp4_e2m1"),
        pytest.param("fp4_e2m1", "fp6_e3m2", marks=pytest.mark.slow),
        pytest.param("fp4_e2m1", "fp6_e2m3", marks=pytest.mark.slow),
        pytest.param("fp4_e2m1", "hfp8", marks=pytest.mark.slow),
        pytest.param("fp6_e3m2", "fp6_e3m2", marks=pytest.mark.slow),
        pytest.param("fp6_e2m3", "fp6_e3m2", marks=pytest.mark.slow),
    ],
)
def test_every_sum_of_small_formats(operand, form):
    shape = FloatMacParams(operand=operand, sum=form)
    factors, numbers = range(2**shape.operand_format.width), range(2**shape.sum_format.width)
    a, b, c = map(list, zip(*product(factors, factors, numbers), strict=True))
    check(shape, a, b, c)


def test_fed_back_sums_interleave():
    shape = FloatMacParams(operand="hfp8", sum="fp16")
    dut, rng = FloatMac(shape), random.Random(4)
    a, b = ([rng.getrandbits(9) & 0x17F for _ in range(5 * dut.sum_latency)] for _ in range(2))
    sums = [0] * dut.sum_latency
    c = []
    for n, factors in enumerate(zip(a, b, strict=True)):
        c.append(sums[n % dut.sum_latency])
        sums[n % dut.sum_latency] = int(float_mac(*factors, c[-1], shape.operand_format, shape.sum_format))
    assert answers(FloatMac(shape), a, b, c)[-dut.sum_latency :] == sums


@pytest.mark.parametrize(
    ("operand", "form", "latency", "sum_latency"),
    [("bf16", "fp32", 12, 10), ("fp32", "fp32", 18, 10), ("hfp8", "fp16", 11, 9), ("fp16", "fp32", 12, 10)],
)
def test_latency_follows_the_formats(operand, form, latency, sum_latency):
    dut = FloatMac(FloatMacParams(operand=operand, sum=form))
    assert (dut.latency, dut.sum_latency) == (latency, sum_latency)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "operand",
            "int8",
            "operand must be one of fp32, bf16, fp16, hfp8, fp8_e4m3, fp8_e5m2, fp6_e3m2, fp6_e2m3, fp4_e2m1, "
            "not 'int8'",
        ),
        ("multiplier", "rows", "multiplier must be one of booth, inferred, not 'rows'"),
    ],
)
def test_an_illegal_value_names_the_legal_values(key, value, message):
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        FloatMacParams(**{key: value})
