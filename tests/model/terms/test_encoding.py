"""Encodings, compared with the definitions for every magnitude of small widths."""

import re

import numpy as np
import pytest
from plain_terms import ENCODE, fewest_terms

from lowtide.formats.terms import Terms
from lowtide_model.terms import digits_of, encode, value_of

ENCODINGS = sorted(ENCODE)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 12])
def test_digits_are_those_of_the_definition(width, encoding):
    model = encode(np.arange(1 << width), width, encoding)
    for n, digits in enumerate(model.tolist()):
        plain = ENCODE[encoding](n)
        assert digits == (plain + [0] * (width + 1))[: width + 1]
        assert not any(plain[width + 1 :])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_digits_spell_the_value(encoding):
    n = np.arange(1 << 16)
    np.testing.assert_array_equal(value_of(encode(n, 16, encoding)), n)


def test_no_two_neighbors_and_no_encoding_has_fewer():
    digits = encode(np.arange(1 << 12), 12)
    assert not np.any((digits[:, :-1] != 0) & (digits[:, 1:] != 0))
    assert np.count_nonzero(digits[:256], axis=-1).tolist() == fewest_terms(256, 9)


@pytest.mark.parametrize(("encoding", "mean"), [("binary", 1024), ("booth", 896), ("hese", 796)])
def test_terms_of_all_bytes(encoding, mean):
    assert np.count_nonzero(encode(np.arange(256), 8, encoding)) == mean


@pytest.mark.parametrize("width", range(2, 17))
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_signed_values_fit_what_the_format_says(encoding, width):
    values = np.arange(-(1 << width - 1), 1 << width - 1)
    terms = Terms(width=width, encoding=encoding, group=1, budget=1, data_terms=1)
    digits = digits_of(values, width, encoding)
    assert digits.shape[-1] == terms.digits
    assert np.count_nonzero(digits, axis=-1).max() == terms.most_terms
    np.testing.assert_array_equal(value_of(digits), values)
    # Any number of largest terms, as kept by term revealing.
    left = np.cumsum((digits.astype(np.int64) << np.arange(terms.digits))[..., ::-1], axis=-1)
    assert np.abs(left).max() == terms.max_magnitude


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([3, 256], 8), "magnitude at (1,) must be from 0 to 255, not 256"),
        (([[3], [-1]], 8), "magnitude at (1, 0) must be from 0 to 255, not -1"),
        (([1.0], 8), "magnitude must be integers, not float64"),
        (([1], 17), "width must be from 1 to 16, not 17"),
        (([1], 8, "csd"), "encoding must be one of binary, booth, hese, not 'csd'"),
    ],
)
def test_illegal_magnitudes_are_rejected(arguments, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        encode(*arguments)


def test_illegal_integers_are_rejected():
    with pytest.raises(ValueError, match=re.escape("value at (1,) must be from -128 to 127, not 128")):
        digits_of([-128, 128], 8)
    with pytest.raises(ValueError, match=re.escape("width must be from 2 to 16, not 1")):
        digits_of([0], 1)
