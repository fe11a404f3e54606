"""Products, compared with sums over chunk pairs in Python integers, and with float64 where exact."""

import re

import numpy as np
import plain_bfp as plain
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowtide.formats import Bfp
from lowtide_model import BfpTensor, dot, matmul, quantize

FORMATS = [(m, e) for m in range(1, 13) for e in range(1, 6)]


def random_tensor(random, shape, *, m, e, group=16, axis=-1, codes=None):
    """A tensor with uniformly distributed magnitudes and codes; ``codes`` limits the range of codes."""
    axis %= len(shape)
    others = [length for i, length in enumerate(shape) if i != axis]
    groups = -(-shape[axis] // group)
    signed = random.integers(-(2**m) + 1, 2**m, (*others, groups * group), np.int16)
    signed[..., shape[axis] :] = 0
    low, high = codes or (0, 2**e - 1)
    return BfpTensor(
        signed=signed,
        codes=random.integers(low, high, (*others, groups), np.uint8, endpoint=True),
        bias=0,
        mantissa=m,
        exponent=e,
        group=group,
        length=shape[axis],
        axis=axis,
    )


def integers(tensor):
    """The operand as Python integers, with its axis in its original position."""
    weights = np.repeat(tensor.codes, tensor.group, axis=-1).astype(object)
    whole = tensor.signed.astype(object) << weights
    return np.moveaxis(whole[..., : tensor.length], -1, tensor.axis)


def divisors(m):
    return [w for w in range(1, m + 1) if m % w == 0]


@st.composite
def vectors(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    K, group, e = draw(st.integers(1, 40)), draw(st.integers(1, 20)), draw(st.integers(1, 5))
    ma, mb = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    codes = draw(st.none() | st.integers(0, 2**e - 1).map(lambda low: (low, 2**e - 1)))
    a = random_tensor(random, (K,), m=ma, e=e, group=group, codes=codes)
    b = random_tensor(random, (K,), m=mb, e=draw(st.integers(1, 5)), group=group)
    return a, b, draw(st.sampled_from(divisors(ma))), draw(st.sampled_from(divisors(mb)))


@plain.repeatable
@given(vectors())
def test_dot_is_the_sum_over_chunk_pairs(case):
    a, b, wa, wb = case
    assert dot(a, b) == plain.dot_by_chunks(a, b, wa, wb)


@pytest.mark.parametrize(("m", "e"), FORMATS)
@pytest.mark.parametrize("K", [1, 16, 37])
def test_matmul_is_exact_in_every_format(m, e, K):
    random = np.random.default_rng([m, e, K])
    a = random_tensor(random, (3, K), m=m, e=e)
    b = random_tensor(random, (K, 4), m=m, e=e, axis=0)
    np.testing.assert_array_equal(matmul(a, b), integers(a) @ integers(b))


@pytest.mark.parametrize(("m", "e"), FORMATS)
def test_largest_sums_are_exact(m, e):
    K = 37
    full = {"bias": 0, "mantissa": m, "exponent": e, "group": 1, "length": K, "axis": 0}
    a = BfpTensor(signed=np.full(K, 2**m - 1), codes=np.full(K, 2**e - 1), **full)
    b = BfpTensor(signed=np.full(K, 1 - 2**m), codes=np.full(K, 2**e - 1), **full)
    assert dot(a, b) == -K * (2**m - 1) ** 2 * 4 ** (2**e - 1)


@pytest.mark.parametrize("e", [4, 5])
@pytest.mark.parametrize("m", [1, 2, 4, 8, 12])
def test_the_last_bit_survives_next_to_the_largest(m, e):
    """The sum of a product of the largest values and a product of the smallest values is exact on every path."""
    top = 2**e - 1
    for code in range(top + 1):
        full = {"bias": 0, "mantissa": m, "exponent": e, "group": 1, "length": 2, "axis": 0}
        a = BfpTensor(signed=np.array([2**m - 1, 1]), codes=np.array([code, 0]), **full)
        b = BfpTensor(signed=np.array([2**m - 1, 1]), codes=np.array([top, 0]), **full)
        assert dot(a, b) == ((2**m - 1) ** 2 << code + top) + 1


@pytest.mark.parametrize(("m", "K"), [(1, 2**20), (8, 257), (8, 259), (11, 3), (11, 5), (12, 1), (12, 3)])
@pytest.mark.parametrize("group", [1, 16])
def test_largest_sums_either_side_of_the_limit_of_float32(m, K, group):
    groups = -(-K // group)
    full = {"bias": 0, "mantissa": m, "exponent": 1, "group": group, "length": K, "axis": 0}
    signed = np.where(np.arange(groups * group) < K, 2**m - 1, 0)
    a = BfpTensor(signed=signed, codes=np.zeros(groups, int), **full)
    assert dot(a, a) == K * (2**m - 1) ** 2


@pytest.mark.parametrize("terms", [2**24 - 1, 2**24, 2**24 + 1])
def test_sums_about_the_limit_of_float32_are_exact(terms):
    """The dot product of a row of ones exceeds 2**24, above which float32 lacks odd integers."""
    rest = terms - 4095 * 4096
    signed = np.array([4095] * 4096 + [1] * rest)
    ones = np.ones(signed.size, int)
    full = {"bias": 0, "mantissa": 12, "exponent": 1, "group": 1, "length": signed.size, "axis": 0}
    codes = np.zeros(signed.size, int)
    a, b = (BfpTensor(signed=values, codes=codes, **full) for values in (signed, ones))
    assert dot(a, b) == terms


@pytest.mark.parametrize("ma", [2, 4, 8])
@pytest.mark.parametrize("mb", [2, 4, 8])
@pytest.mark.parametrize("rounding", ["truncate", "nearest", "nearest_even"])
def test_float64_agrees_where_it_is_exact(ma, mb, rounding):
    random = np.random.default_rng([ma, mb])
    a = quantize(random.standard_normal((33, 100), np.float32), mantissa=ma, rounding=rounding)
    b = quantize(random.standard_normal((100, 20), np.float32), mantissa=mb, axis=0, rounding=rounding)
    value = matmul(a, b) * 2.0 ** (a.bias - (ma - 1) + b.bias - (mb - 1))
    np.testing.assert_array_equal(value, a.to_float() @ b.to_float())


@pytest.mark.parametrize("e", [2, 3, 4, 5])
def test_large_matrices_equal_python_integers(e):
    """The matrices are large enough that BLAS uses blocked sums and several threads."""
    random = np.random.default_rng(e)
    a = random_tensor(random, (65, 1500), m=4, e=e)
    b = random_tensor(random, (1500, 70), m=8, e=e, axis=0)
    acc = matmul(a, b)
    left, right = integers(a), integers(b)
    for row in (0, 31, 64):
        np.testing.assert_array_equal(acc[row], left[row] @ right)


def test_narrow_codes_far_up_the_window_are_exact():
    random = np.random.default_rng(8)
    a = random_tensor(random, (20, 64), m=2, e=5, codes=(28, 31))
    b = random_tensor(random, (64, 20), m=2, e=5, codes=(0, 2), axis=0)
    np.testing.assert_array_equal(matmul(a, b), integers(a) @ integers(b))


def test_integers_are_python_ones_only_where_int64_could_overflow():
    random = np.random.default_rng(9)
    for e, dtype in ((3, np.int64), (4, np.int64), (5, object)):
        a = random_tensor(random, (2, 16), m=4, e=e, codes=(0, 0))
        b = random_tensor(random, (16, 2), m=4, e=e, codes=(0, 0), axis=0)
        assert matmul(a, b).dtype == dtype
    exact = integers(a) @ integers(b)
    assert all(type(value) is int for value in matmul(a, b).flat)
    np.testing.assert_array_equal(matmul(a, b), exact)


def test_zeros_multiply_to_zero():
    zero = quantize(np.zeros((3, 20), np.float32), mantissa=4)
    other = quantize(np.ones((20, 3), np.float32), mantissa=4, axis=0)
    assert not matmul(zero, other).any()


def test_groups_of_zeros_have_no_effect():
    x = np.zeros((2, 48), np.float32)
    x[:, 16:32] = 100
    a = quantize(x, mantissa=4)
    b = quantize(np.ones((48, 2), np.float32), mantissa=4, axis=0)
    np.testing.assert_array_equal(matmul(a, b), integers(a) @ integers(b))


def test_small_group_at_code_zero_is_kept():
    x = np.array([[1.0] * 16 + [2.0**-7 * 1.875] * 16], np.float32)
    a = quantize(x, mantissa=4)
    b = quantize(np.ones((32, 1), np.float32), mantissa=4, axis=0)
    assert a.codes.tolist() == [[7, 0]]
    assert matmul(a, b).tolist() == [[16 * 8 * 8 * (1 << 14) + 16 * 15 * 8 * (1 << 7)]]


def test_one_by_one():
    a = quantize(np.array([[3.0]], np.float32), mantissa=2)
    b = quantize(np.array([[-2.0]], np.float32), mantissa=2, axis=0)
    assert matmul(a, b).tolist() == [[-3 * 2 << 14]]


@pytest.mark.parametrize("shape_a", [(4, 0), (0, 4), (0, 0)])
def test_empty_products_have_their_shape(shape_a):
    a = quantize(np.ones(shape_a, np.float32), mantissa=4)
    b = quantize(np.ones((shape_a[1], 3), np.float32), mantissa=4, axis=0)
    acc = matmul(a, b)
    assert acc.shape == (shape_a[0], 3)
    assert not acc.any()


def test_leading_dimensions_broadcast():
    random = np.random.default_rng(5)
    a = random_tensor(random, (2, 1, 3, 20), m=4, e=3)
    b = random_tensor(random, (5, 20, 4), m=4, e=3, axis=-2)
    np.testing.assert_array_equal(matmul(a, b), np.matmul(integers(a), integers(b)))


def test_tails_of_k_multiply_as_if_padded():
    random = np.random.default_rng(6)
    x, y = random.standard_normal((3, 21), np.float32), random.standard_normal((21, 3), np.float32)
    short = matmul(quantize(x, mantissa=4), quantize(y, mantissa=4, axis=0))
    x, y = np.pad(x, [(0, 0), (0, 11)]), np.pad(y, [(0, 11), (0, 0)])
    np.testing.assert_array_equal(short, matmul(quantize(x, mantissa=4), quantize(y, mantissa=4, axis=0)))


def ones(*shape, axis=-1, m=4, e=3, group=16):
    return quantize(np.ones(shape, np.float32), mantissa=m, exponent=e, group=group, axis=axis)


@pytest.mark.parametrize(
    ("multiply", "a", "b", "message"),
    [
        (matmul, ones(3, 4), ones(5, 2, axis=0), "shapes (3, 4) and (5, 2) do not multiply"),
        # The same number of groups, so that only the true lengths differ.
        (matmul, ones(3, 4), ones(6, 2, axis=0), "shapes (3, 4) and (6, 2) do not multiply"),
        (matmul, ones(2, 3, 4), ones(5, 4, 2, axis=1), "shapes (2, 3, 4) and (5, 4, 2) do not multiply"),
        (
            matmul,
            ones(4),
            ones(4, 2, axis=0),
            "matmul needs two dimensions or more, not shapes (4,) and (4, 2); dot takes vectors",
        ),
        (
            matmul,
            ones(3, 4, axis=0),
            ones(4, 2, axis=0),
            "a must be grouped along axis -1 of its shape (3, 4), not along axis 0: quantize(a, axis=-1, ...)",
        ),
        (
            matmul,
            ones(3, 4),
            ones(4, 2),
            "b must be grouped along axis -2 of its shape (4, 2), not along axis 1: quantize(b, axis=-2, ...)",
        ),
        (
            matmul,
            ones(3, 4),
            ones(4, 2, axis=0, group=8),
            "groups of a and b must be equal, not 16 and 8, for shapes (3, 4) and (4, 2)",
        ),
        (dot, ones(3), ones(4), "dot needs two vectors of one length, not shapes (3,) and (4,)"),
        (dot, ones(3, 4), ones(3, 4), "dot needs two vectors of one length, not shapes (3, 4) and (3, 4)"),
        (
            dot,
            ones(2**20 + 1),
            ones(2**20 + 1),
            "K must be at most 1048576, the max_k, not 1048577, for shapes (1048577,) and (1048577,)",
        ),
    ],
)
def test_operands_that_do_not_multiply_are_rejected(multiply, a, b, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        multiply(a, b)


@pytest.mark.parametrize(
    ("a", "bfp", "message"),
    [
        (ones(65), Bfp(max_k=64), "K must be at most 64, the max_k, not 65, for shapes (65,) and (65,)"),
        (ones(4, m=8), Bfp(), "mantissa of a must be one of 2, 4 on this hardware, not 8"),
        (ones(4, m=3), Bfp(), "mantissa of a must be one of 2, 4 on this hardware, not 3"),
        (ones(4, e=4), Bfp(), "exponent of a must be at most 3 on this hardware, not 4"),
        (ones(4, group=8), Bfp(), "group of a must be a multiple of the 16 lanes of this hardware, not 8"),
    ],
)
def test_operands_that_exceed_the_hardware_are_rejected(a, bfp, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        dot(a, a, bfp=bfp)


def test_operands_that_fit_the_hardware_are_multiplied():
    a, b = ones(2, 64), ones(64, 2, axis=0, m=2)
    np.testing.assert_array_equal(matmul(a, b, bfp=Bfp(max_k=64)), matmul(a, b))


@pytest.mark.parametrize("m", [2, 4])
@pytest.mark.parametrize("e", [1, 3, 5])
def test_accumulator_of_the_hardware_holds_the_largest_sum(m, e):
    bfp = Bfp(mantissa=m, exponent=e, max_k=40)
    full = {"bias": 0, "mantissa": m, "exponent": e, "group": 16, "length": 40, "axis": 0}
    signed = np.where(np.arange(48) < 40, 2**m - 1, 0)
    a = BfpTensor(signed=signed, codes=np.full(3, 2**e - 1), **full)
    assert dot(a, a, bfp=bfp) == bfp.max_sum < 2 ** (bfp.accumulator - 1)
