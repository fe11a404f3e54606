"""Chunks contain every bit, and the high chunk equals the truncated narrower format."""

import re

import numpy as np
import plain_bfp as plain
import pytest

from lowtide_model import chunks, quantize

DIVISIONS = [(m, w) for m in range(1, 13) for w in range(1, m + 1) if m % w == 0]


@pytest.fixture(scope="module")
def data():
    return np.random.default_rng(1).standard_normal((7, 50), np.float32)


@pytest.mark.parametrize(("m", "w"), DIVISIONS)
def test_chunks_equal_the_reference(data, m, w):
    tensor = quantize(data, mantissa=m, exponent=5)
    parts = chunks(tensor, w)
    assert len(parts) == m // w
    for row, group in np.ndindex(tensor.codes.shape):
        lanes = slice(16 * group, 16 * group + 16)
        wanted = plain.cut(tensor.signed[row, lanes].tolist(), int(tensor.codes[row, group]), m, w)
        for part, (code, signed) in zip(parts, wanted, strict=True):
            assert part.width == w
            assert part.codes[row, group] == code
            assert part.signed[row, lanes].tolist() == signed


@pytest.mark.parametrize(("m", "w"), DIVISIONS)
def test_chunks_sum_to_the_tensor(data, m, w):
    tensor = quantize(data, mantissa=m, exponent=5, axis=0)
    weigh = [part.signed.astype(int) << np.repeat(part.codes, 16, axis=-1) for part in chunks(tensor, w)]
    np.testing.assert_array_equal(sum(weigh), tensor.signed.astype(int) << np.repeat(tensor.codes, 16, axis=-1))


@pytest.mark.parametrize(("high", "low"), [(4, 2), (8, 4), (8, 2), (6, 2), (12, 3)])
def test_truncated_narrow_form_is_the_high_chunk_of_the_wide_form(data, high, low):
    wide, narrow = (quantize(data, mantissa=m, rounding="truncate") for m in (high, low))
    first = chunks(wide, low)[0]
    np.testing.assert_array_equal(first.signed, narrow.signed)
    np.testing.assert_array_equal(first.codes, narrow.codes + (high - low))
    assert narrow.bias == wide.bias


def test_nearest_narrow_form_is_not(data):
    wide, narrow = (quantize(data, mantissa=m) for m in (4, 2))
    assert np.any(chunks(wide, 2)[0].signed != narrow.signed)


@pytest.mark.parametrize("w", [0, 3, 5, 8, -1])
def test_a_width_that_does_not_divide_the_mantissa_is_rejected(data, w):
    message = f"w must be one of 1, 2, 4 (the divisors of the mantissa, 4), not {w}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        chunks(quantize(data, mantissa=4), w)
