"""BFP tensors: exact values, and validation of their contents."""

import re
from fractions import Fraction

import attrs
import numpy as np
import plain_bfp as plain
import pytest

from lowtide_model import BfpTensor, quantize


def tensor(**changes):
    keywords = {"signed": np.array([3, -1, 0, 2]), "codes": np.array([5, 0]), "bias": -4}
    return BfpTensor(**{**keywords, "mantissa": 2, "exponent": 3, "group": 2, "length": 4, "axis": 0, **changes})


def test_values_are_the_formula():
    assert tensor().to_float().tolist() == [3.0, -1.0, 0.0, 2 * 2.0**-5]


@pytest.mark.parametrize("bias", [-1000, -157, 120, 992])
@pytest.mark.parametrize("m", [1, 4, 12])
def test_values_are_exact_at_every_code(m, bias):
    codes = np.arange(32)
    full = tensor(signed=np.full(32, 2**m - 1), codes=codes, bias=bias, mantissa=m, exponent=5, group=1, length=32)
    wanted = [(2**m - 1) * plain.power(int(E) + bias - (m - 1)) for E in codes]
    assert [Fraction(value) for value in full.to_float().tolist()] == wanted


def test_quantizing_the_values_again_changes_nothing():
    x = np.random.default_rng(1).standard_normal((3, 40, 5), np.float32)
    for axis in range(3):
        once = quantize(x, mantissa=4, axis=axis)
        again = quantize(once.to_float(), mantissa=4, axis=axis, bias=once.bias)
        np.testing.assert_array_equal(again.to_float(), once.to_float())
        np.testing.assert_array_equal(again.signed, once.signed)


def test_error_is_at_most_half_a_unit_inside_the_window():
    x = np.random.default_rng(2).standard_normal((8, 64), np.float32)
    t = quantize(x, mantissa=4)
    units = np.exp2(np.repeat(t.codes, 16, axis=-1) + float(t.bias - 3))
    free = np.abs(t.signed) < 15  # not saturated
    assert np.all((np.abs(t.to_float() - x) <= units / 2)[free])


def test_tensor_is_frozen():
    t = quantize(np.ones(4, np.float32), mantissa=4)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        t.bias = 3  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ValueError, match="read-only"):
        t.signed[0] = 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"signed": np.array([3, -1, 0, 4])}, "signed at (3,) must be from -3 to 3, not 4"),
        ({"signed": np.array([3, -4, 0, 0])}, "signed at (1,) must be from -3 to 3, not -4"),
        ({"signed": np.zeros(4)}, "signed must be integers, not float64"),
        ({"codes": np.array([5, 8])}, "codes at (1,) must be from 0 to 7, not 8"),
        ({"codes": np.array([5])}, "codes must have shape (2,), one per group, not (1,)"),
        ({"length": 5}, "signed must end in 3 groups of 2 for a length of 5, not have shape (4,)"),
        ({"axis": 1}, "axis must be from 0 to 0, not 1"),
        ({"bias": 1017}, "bias must be from -1000 to 1016, not 1017"),
        ({"mantissa": 13}, "mantissa must be from 1 to 12, not 13"),
    ],
)
def test_illegal_contents_are_named(changes, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        tensor(**changes)
