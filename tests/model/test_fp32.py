"""Conversion to FP32 with one rounding, compared with exact fractions."""

import numpy as np
import plain_bfp as plain
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowtide_model import BfpTensor, dot, matmul, quantize, to_fp32


def operand(bias=0, mantissa=1):
    """An operand that contributes 2**(bias - (mantissa - 1)) to the scale."""
    zero = np.zeros(1, int)
    return BfpTensor(signed=zero, codes=zero, bias=bias, mantissa=mantissa, exponent=3, group=1, length=1, axis=0)


def check(acc, a, b):
    scale = plain.power(a.bias - (a.mantissa - 1) + b.bias - (b.mantissa - 1))
    wanted, overflow, underflow = plain.to_fp32(acc * scale)
    for given_as in (acc, np.array([acc], object)):
        result = to_fp32(given_as, a, b)
        assert result.values.dtype == np.float32
        assert result.values.tolist() in (wanted, [wanted])
        assert (result.overflows, result.underflows) == (overflow, underflow)
        assert not np.signbit(result.values[result.values == 0]).any()


# Few set bits near the 24th give ties and near ties.
sparse = st.lists(st.integers(0, 110), min_size=1, max_size=5).map(lambda bits: sum(1 << i for i in set(bits)))
dense = st.builds(
    lambda top, low, n: (top << n) + low, st.integers(2**23, 2**25), st.integers(-1, 1), st.integers(0, 80)
)
accumulators = st.builds(lambda n, sign: sign * n, sparse | dense | st.integers(0, 2**110), st.sampled_from([1, -1]))


@plain.repeatable
@given(accumulators, st.integers(-130, 120), st.integers(-130, 120), st.integers(1, 12), st.integers(1, 12))
def test_rounded_once_from_the_exact_fraction(acc, bias_a, bias_b, ma, mb):
    check(acc, operand(bias_a, ma), operand(bias_b, mb))


@plain.repeatable
@given(st.integers(-(2**63), 2**63 - 1) | accumulators.filter(lambda n: abs(n) < 2**63))
def test_int64_is_rounded_like_python_integers(acc):
    a, b = operand(-20, 4), operand(3, 2)
    native, python = to_fp32(np.array([acc], np.int64), a, b), to_fp32(np.array([acc], object), a, b)
    assert native.values.tolist() == python.values.tolist()
    check(acc, a, b)


@pytest.mark.parametrize("bits", range(25, 64))
def test_what_float64_would_round_twice(bits):
    """The value exceeds a tie by a bit that float64 drops; rounding the float64 again would round the tie to even."""
    tie = (1 << 24) + 1 << bits - 25
    check(tie + 1 if bits > 25 else tie, operand(), operand())
    check(tie, operand(), operand())
    check(3 * tie - 1, operand(), operand())


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("acc", "scale", "value", "counts"),
    [
        (2**24 - 1, 104, (2**24 - 1) * 2.0**104, (0, 0)),  # the largest number
        (2**26 - 3, 102, (2**24 - 1) * 2.0**104, (0, 0)),  # less than half a unit above
        (2**25 - 1, 103, np.inf, (1, 0)),  # half a unit above: ties to even
        (2**40, 88, np.inf, (1, 0)),
        (1, -126, 2.0**-126, (0, 0)),  # the smallest normal number
        (2**25 - 1, -151, 2.0**-126, (0, 0)),  # half a unit below: rounds up
        (2**26 - 3, -152, 0.0, (0, 1)),  # further below: rounds to a subnormal number, an underflow
        (2**24 - 1, -150, 0.0, (0, 1)),
        (1, -127, 0.0, (0, 1)),
        (0, 0, 0.0, (0, 0)),
    ],
)
def test_limits_of_the_range(sign, acc, scale, value, counts):
    result = to_fp32(np.array([sign * acc]), operand(scale), operand())
    assert result.values.tolist() == [sign * value]
    assert (result.overflows, result.underflows) == counts
    check(sign * acc, operand(scale), operand())


def test_far_beyond_the_range():
    assert to_fp32(-(1 << 5000), operand(1000), operand()).values == -np.inf
    assert to_fp32(1 << 5000, operand(-1000), operand(-1000, 12)).values == np.inf
    assert to_fp32(1, operand(-1000), operand(-1000, 12)).values == 0
    check(1 << 2010, operand(-1000), operand(-1000))
    check((1 << 2010) - 1, operand(-1000), operand(-1000))


def test_counts_add_up_over_the_array():
    acc = np.array([[0, 1, -1], [2**40, -(2**40), 2**62]])
    result = to_fp32(acc, operand(-130), operand())
    assert (result.overflows, result.underflows) == (0, 2)
    result = to_fp32(acc, operand(88), operand())
    assert (result.overflows, result.underflows) == (3, 0)
    assert result.values.shape == (2, 3)


def test_whole_product_is_the_rounded_exact_one():
    random = np.random.default_rng(1)
    a = quantize(random.standard_normal((9, 200), np.float32), mantissa=4)
    b = quantize(random.standard_normal((200, 7), np.float32), mantissa=4, axis=0)
    exact = a.to_float() @ b.to_float()  # exact in float64: 33 bits suffice
    np.testing.assert_array_equal(to_fp32(matmul(a, b), a, b).values, exact.astype(np.float32))


def test_dot_of_wide_formats_exceeds_int64():
    x = quantize(np.full(16, 1.875, np.float32), mantissa=4, exponent=5)
    acc = dot(x, x)
    assert acc == 16 * 15**2 * 4**31 > 2**63
    assert to_fp32(acc, x, x).values == 16 * 1.875**2


@pytest.mark.parametrize("acc", [np.ones(2), 1.5, np.array([1.5], object), np.array([True])])
def test_other_types_are_rejected(acc):
    with pytest.raises(ValueError, match="acc must be integers, not "):
        to_fp32(acc, operand(), operand())
