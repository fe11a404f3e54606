"""The floating-point model, compared with exact fractions, and with NumPy for normal results."""

import random
from itertools import product

import ml_dtypes
import numpy as np
import plain_float
import pytest

from lowtide.units.floating.format import FORMATS
from lowtide_model.floating import block_float_mac, float_mac, float_values

TYPES = {
    "fp32": np.float32,
    "fp16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "fp8_e4m3": ml_dtypes.float8_e4m3,
    "fp8_e5m2": ml_dtypes.float8_e5m2,
    "fp6_e3m2": ml_dtypes.float6_e3m2fn,
    "fp6_e2m3": ml_dtypes.float6_e2m3fn,
    "fp4_e2m1": ml_dtypes.float4_e2m1fn,
}
FINITE = ("fp6_e3m2", "fp6_e2m3", "fp4_e2m1")  # formats without infinities and NaNs in ml_dtypes too
EXACT = [("bf16", "fp32"), ("fp16", "fp32"), ("fp8_e4m3", "fp16"), ("fp8_e5m2", "fp16"), ("fp4_e2m1", "bf16")]


def as_type(words, name):
    """Words as numbers of their NumPy type."""
    size = np.dtype(TYPES[name]).itemsize
    return np.asarray(words).astype(f"u{size}").view(TYPES[name])


def near(rng, form, count):
    """Words with similar exponents, and random words."""
    around = [(form.bias + rng.randint(-3, 3) << form.fraction) + rng.getrandbits(form.fraction) for _ in range(count)]
    return [rng.choice((word | rng.getrandbits(1) << form.width - 1, rng.getrandbits(form.width))) for word in around]


@pytest.mark.parametrize("name", TYPES)
def test_normal_words_have_the_values_that_numpy_gives_them(name):
    form = FORMATS[name]
    words = np.arange(2**form.width) if form.width <= 16 else np.array(near(random.Random(1), form, 5000))
    field = words >> form.fraction & (2**form.exponent - 1)
    normal = (field > 0) & ((field < 2**form.exponent - 1) | (name in FINITE))
    assert normal.sum() > 5
    assert (float_values(words[normal], form) == as_type(words[normal], name).astype(float)).all()


@pytest.mark.parametrize("operand", FORMATS)
@pytest.mark.parametrize("form", FORMATS)
def test_sums_are_those_of_exact_fractions(operand, form):
    rng, operand, form = random.Random(f"{operand} {form}"), FORMATS[operand], FORMATS[form]
    a, b, c = (near(rng, f, 300) for f in (operand, operand, form))
    wanted = [plain_float.mac(*numbers, operand, form) for numbers in zip(a, b, c, strict=True)]
    assert float_mac(a, b, c, operand, form).tolist() == wanted


def test_every_sum_of_the_smallest_format():
    form = FORMATS["fp4_e2m1"]
    a, b, c = zip(*product(range(16), repeat=3), strict=True)
    wanted = [plain_float.mac(*numbers, form, form) for numbers in zip(a, b, c, strict=True)]
    assert float_mac(a, b, c, form, form).tolist() == wanted


@pytest.mark.parametrize(("operand", "form"), EXACT)
def test_normal_sums_of_exact_products_are_those_of_numpy(operand, form):
    """NumPy computes the exact product in double precision, and rounds the sum once."""
    rng = random.Random(2)
    a, b, c = (near(rng, FORMATS[name], 4000) for name in (operand, operand, form))
    _holds_where_normal(a, b, c, operand, form, lambda x, y, z: z + (x.astype(float) * y.astype(float)).astype(z.dtype))


@pytest.mark.parametrize("name", ["fp32", "fp16", "bf16"])
def test_normal_sums_of_rounded_products_are_those_of_numpy(name):
    rng = random.Random(3)
    a, b, c = (near(rng, FORMATS[name], 4000) for _ in range(3))
    _holds_where_normal(a, b, c, name, name, lambda x, y, z: z + x * y)


def _holds_where_normal(a, b, c, operand, form, oracle):
    with np.errstate(all="ignore"):
        x, y, z = as_type(a, operand), as_type(b, operand), as_type(c, form)
        result = oracle(x, y, z)
        smallest = 2.0 ** (1 - FORMATS[form].bias)
        exact = x.astype(float) * y.astype(float)
        normal = np.isfinite(result.astype(float))
        for number, bound in ((x, FORMATS[operand]), (y, FORMATS[operand]), (z, FORMATS[form])):
            normal &= np.abs(number.astype(float)) >= 2.0 ** (1 - bound.bias)
        for number in (result.astype(float), exact):
            normal &= np.abs(number) >= smallest
    assert normal.sum() > 500
    got = as_type(float_mac(a, b, c, FORMATS[operand], FORMATS[form]), form)
    assert (got[normal].astype(float) == result[normal].astype(float)).all()


@pytest.mark.parametrize("form", ["fp32", "fp16"])
def test_block_sums_are_those_of_exact_fractions(form):
    rng, form = random.Random(4), FORMATS[form]
    a, b = (np.array([[rng.randint(-7, 7) for _ in range(16)] for _ in range(500)]) for _ in range(2))
    exponents = [rng.choice((254 + rng.randint(-5, 5), rng.randint(0, 510))) for _ in a]
    c = near(rng, form, 500)
    wanted = [
        plain_float.block_mac(*numbers, 3, form) for numbers in zip(a.tolist(), b.tolist(), exponents, c, strict=True)
    ]
    assert block_float_mac(a, b, exponents, c, 3, form).tolist() == wanted


@pytest.mark.parametrize(
    ("a", "b", "c", "sum"),
    [
        (0x3F80, 0x3F80, 0xBF800000, 0x00000000),  # 1 * 1 - 1: sums cancel to +0
        (0x8000, 0x8000, 0x80000000, 0x00000000),  # zeros of any sign add to +0
        (0x807F, 0x3F80, 0x80000000, 0x00000000),  # a subnormal factor is zero
        (0x0000, 0x0000, 0x007FFFFF, 0x00000000),  # a subnormal number is zero
        (0x0080, 0x3F00, 0x00000000, 0x00000000),  # a subnormal product plus zero gives zero
        (0x0080, 0x3F00, 0x00800000, 0x00C00000),  # but a subnormal product adds to a normal number
        (0x7F80, 0x3F80, 0x00000000, 0x7F800000),  # exponents of all ones are ordinary
        (0x7FFF, 0x7FFF, 0x00000000, 0x7FFFFFFF),  # an overflow saturates at the largest number
        (0xFFFF, 0x7FFF, 0x7FFFFFFF, 0xFFFFFFFF),  # an overflow keeps its sign
        (0x7F80, 0x3380, 0x7FFFFFFF, 0x7FFFFFFF),  # a carry beyond the largest
        (0x8080, 0x0080, 0x00800000, 0x00800000),  # the smallest normal number minus a tiny product
    ],
)
def test_zeros_and_limits(a, b, c, sum):
    assert hex(int(float_mac(a, b, c, FORMATS["bf16"], FORMATS["fp32"]))) == hex(sum)
