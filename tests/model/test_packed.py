"""Packed groups equal a bit-by-bit reference, and unpack to the tensor they were packed from."""

import re

import numpy as np
import pytest

from lowtide_model import pack, quantize, unpack

FORMATS = [(lanes, m, e) for lanes in (4, 8, 16, 32, 64) for m in (1, 2, 3, 4, 8, 12) for e in (1, 3, 5)]


def words_of(signed, code, mantissa, exponent):
    """Words of one group, bit by bit."""
    lanes = len(signed)
    bits = [int(x < 0) for x in signed]
    bits += [code >> n & 1 for n in range(exponent)]
    bits += [0] * (-len(bits) % lanes)
    bits += [abs(x) >> n & 1 for n in range(mantissa) for x in signed]
    bits += [0] * (-len(bits) % 32)
    return [sum(bit << n for n, bit in enumerate(bits[at : at + 32])) for at in range(0, len(bits), 32)]


@pytest.mark.parametrize(("lanes", "m", "e"), FORMATS)
def test_words_equal_the_reference_and_unpack(lanes, m, e):
    x = np.random.default_rng(lanes * m + e).standard_normal((3, 70))
    tensor = quantize(x, mantissa=m, exponent=e, group=lanes)
    words = pack(tensor)
    assert words.dtype == np.uint32
    for row, group in np.ndindex(tensor.codes.shape):
        signed = tensor.signed[row, lanes * group : lanes * group + lanes].tolist()
        assert words[row, group].tolist() == words_of(signed, int(tensor.codes[row, group]), m, e)
    again = unpack(words, mantissa=m, exponent=e, group=lanes, bias=tensor.bias, length=70)
    np.testing.assert_array_equal(again.signed, tensor.signed)
    np.testing.assert_array_equal(again.codes, tensor.codes)
    assert (again.bias, again.axis, again.shape) == (tensor.bias, tensor.axis, tensor.shape)


@pytest.mark.parametrize(("m", "bits"), [(2, 64), (4, 96), (8, 160)])
def test_size_of_sixteen_elements(m, bits):
    tensor = quantize(np.ones((1, 16)), mantissa=m, exponent=3)
    assert pack(tensor).shape == (1, 1, bits // 32)


def test_axis_and_dimensions():
    x = np.random.default_rng(1).standard_normal((2, 20, 3))
    tensor = quantize(x, mantissa=4, axis=1)
    words = pack(tensor)
    assert words.shape == (2, 3, 2, 3)
    again = unpack(words, mantissa=4, bias=tensor.bias, length=20, axis=1)
    np.testing.assert_array_equal(again.to_float(), tensor.to_float())
    assert again.shape == x.shape


def test_negative_zero_is_zero():
    words = np.zeros((1, 1, 2), np.uint32)
    words[..., 0] = 0xFFFF
    assert not unpack(words, mantissa=2, bias=0, length=16).signed.any()


@pytest.mark.parametrize(
    ("words", "options", "message"),
    [
        (np.zeros((1, 2, 2), np.uint32), {"length": 16}, "length must be from 17 to 32 (2 groups of 16), not 16"),
        (np.zeros((1, 1, 3), np.uint32), {"length": 16}, "words must have shape (..., groups, 2), not"),
        (np.zeros(2, np.uint32), {"length": 16}, "words must have shape (..., groups, 2), not"),
        (np.full((1, 1, 2), 1 << 19), {"length": 16}, "words must be zero in the unused bits of each group"),
        (np.full((1, 1, 2), -1), {"length": 16}, "words at (0, 0, 0) must be from 0 to 4294967295, not -1"),
        (np.array([[[0, 1 << 31]]]), {"length": 15}, "words must be zero beyond element 15, the length"),
        (np.zeros((1, 1, 2)), {"length": 16}, "words must be integers, not float64"),
        (np.zeros((1, 1, 2), np.uint32), {"length": -1}, "length must be"),
        (np.zeros((1, 1, 2), np.uint32), {"length": 16, "axis": 2}, "axis must be"),
    ],
)
def test_illegal_words_are_refused(words, options, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        unpack(words, mantissa=2, bias=0, **options)
