"""Arrays of any type are converted exactly, or rejected by name in one line."""

import re
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

from lowtide_model import default_bias, improvement_of, quantize
from lowtide_model.arrays import floats
from lowtide_model.terms import quantize_integers

FEW_BITS = [
    ml_dtypes.bfloat16,
    ml_dtypes.float8_e3m4,
    ml_dtypes.float8_e4m3,
    ml_dtypes.float8_e4m3b11fnuz,
    ml_dtypes.float8_e4m3fn,
    ml_dtypes.float8_e4m3fnuz,
    ml_dtypes.float8_e5m2,
    ml_dtypes.float8_e5m2fnuz,
    ml_dtypes.float6_e2m3fn,
    ml_dtypes.float6_e3m2fn,
    ml_dtypes.float4_e2m1fn,
    ml_dtypes.int4,
    ml_dtypes.uint4,
    ml_dtypes.int2,
    ml_dtypes.uint2,
]
INTEGERS = ["i1", "u1", "<i2", ">i2", "<u2", ">u2", "<i4", ">i4", "<u4", ">u4", "<i8", ">i8", "<u8", ">u8"]
FLOATS = ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]
TAKEN = [np.dtype(kind) for kind in (*FEW_BITS, *INTEGERS, *FLOATS)]
REFUSED = [
    np.ones(3, np.longdouble),
    np.ones(3, np.complex64),
    np.ones(3, np.complex128),
    np.ones(3, bool),
    np.ones(3, object),
    np.array(["1", "2", "3"]),
    np.array([b"1", b"2", b"3"]),
    np.zeros(3, "m8[s]"),
    np.zeros(3, "M8[s]"),
    np.zeros(3, "V4"),
    np.zeros(3, [("a", "f4")]),
    ["1", "2"],
    [None, 1.0],
    [1.0, 2j],
    [True, 2.5],
    [[1.0, 2.0], [3.0]],
    [10**30, 0.5],
    {"a": 1.0},
    object(),
    None,
    "1.0",
]


def whole_range(dtype):
    """Numbers of a type: all of them up to 16 bits; for wider types, the limits and numbers between."""
    if dtype.itemsize <= 2:
        x = np.arange(2 ** (8 * dtype.itemsize), dtype=f"u{dtype.itemsize}")
        if dtype in FEW_BITS[-4:]:  # a byte has less bits than it could
            return np.arange(4).astype(dtype)
        if dtype in (np.dtype(kind) for kind in FEW_BITS if "4_" in kind.__name__ or "6_" in kind.__name__):
            x = x[: 16 if "4_" in dtype.name else 64]
        x = x.astype(x.dtype.newbyteorder(dtype.byteorder)) if dtype.byteorder in "<>" else x
        x = x.view(dtype)
        with np.errstate(invalid="ignore"):
            return x[np.isfinite(x.astype(np.float64))]
    rng = np.random.default_rng(1)
    if dtype.kind in "iu":
        return rng.integers(-(2**20) if dtype.kind == "i" else 0, 2**20, 999).astype(dtype)
    return rng.standard_normal(999).astype(dtype)


@pytest.mark.parametrize("dtype", TAKEN, ids=lambda dtype: dtype.str if dtype.kind != "V" else dtype.name)
def test_any_type_whose_values_float64_has(dtype):
    x = whole_range(dtype)
    plain = x.astype(np.float64)
    taken = floats("x", x)
    assert taken.dtype in (np.float32, np.float64)
    assert taken.dtype.isnative
    np.testing.assert_array_equal(taken.astype(np.float64), plain)
    ours, theirs = (quantize(each, mantissa=4, exponent=5, group=8) for each in (x, plain))
    np.testing.assert_array_equal(ours.signed, theirs.signed)
    np.testing.assert_array_equal(ours.codes, theirs.codes)
    assert ours.bias == theirs.bias == default_bias(x, exponent=5)
    np.testing.assert_array_equal(quantize_integers(x, 8).integers, quantize_integers(plain, 8).integers)
    settings = {"chunk": 2, "exponent": 3, "group": 8, "axis": 0}
    assert improvement_of(x, **settings) == improvement_of(plain, **settings)


@pytest.mark.parametrize("x", [[1, 2], [[1, 2.5], [3, 4]], (1.0, 2.0), [np.float32(1), 2], [np.arange(2), np.ones(2)]])
def test_lists_are_arrays(x):
    np.testing.assert_array_equal(
        quantize(x, mantissa=4).to_float(), quantize(np.array(x, np.float64), mantissa=4).to_float()
    )


@pytest.mark.parametrize("x", REFUSED, ids=lambda x: str(getattr(x, "dtype", type(x).__name__)).replace(" ", ""))
@pytest.mark.parametrize(
    "convert",
    [
        lambda x: quantize(x, mantissa=4),
        lambda x: default_bias(x, exponent=3),
        lambda x: quantize_integers(x, 8),
        lambda x: improvement_of(x, chunk=2, exponent=3, group=4, axis=-1),
    ],
    ids=["quantize", "default_bias", "quantize_integers", "improvement_of"],
)
def test_other_types_are_rejected_by_name(convert, x):
    with pytest.raises(ValueError, match=r"^x (at \(\d+,\) )?must be [^\n]+, not [^\n]+$"):
        convert(x)


def test_an_array_has_an_axis():
    with pytest.raises(ValueError, match=r"^x must be an array of one dimension or more, not np.float64\(1.0\)$"):
        quantize(1.0, mantissa=4)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
@pytest.mark.parametrize("value", [2**53, 2**53 + 2, 3 * 2**60, 2**62, 2**63 - 2**10, 2**53 - 1])
def test_long_integers_that_float64_represents_are_accepted(dtype, value):
    for number in (value, -value) if dtype is np.int64 else (value,):
        assert Fraction(float(floats("x", np.array([1, number], dtype))[1])) == number
        assert float(floats("x", [0.5, number])[1]) == number


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
@pytest.mark.parametrize("value", [2**53 + 1, 2**60 + 2**7, 2**63 - 1])
def test_long_integers_that_float64_cannot_represent_are_rejected(dtype, value):
    for number in (value, -value) if dtype is np.int64 else (value,):
        message = re.escape(f"x at (1,) must be exact in float64, not {number}")
        with pytest.raises(ValueError, match=f"^{message}$"):
            quantize(np.array([1, number], dtype), mantissa=4)
        with pytest.raises(ValueError, match=f"^{message}$"):
            quantize([0.5, number], mantissa=4)


def test_the_most_negative_integer_is_a_power_of_two():
    assert quantize(np.array([-(2**63), 0]), mantissa=4).to_float().tolist() == [-(2.0**63), 0]


@pytest.mark.parametrize("kind", [ml_dtypes.bfloat16, ml_dtypes.float8_e5m2, ">f4", ">f2"])
def test_nonfinite_numbers_are_detected_in_any_type(kind):
    x = np.array([1, np.nan, np.inf]).astype(kind)
    with pytest.raises(ValueError, match=r"^x at \(1,\) must be finite, not nan$"):
        quantize(x, mantissa=4)
    tensor = quantize(x, mantissa=4, nonfinite="saturate")
    assert tensor.nonfinite_elements == 2
