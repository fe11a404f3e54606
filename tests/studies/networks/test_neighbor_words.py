"""Words of neighbors, against the rule element by element."""

import struct

import numpy as np
import pytest

from lowtide.formats import IllegalValue
from lowtide_model import quantize
from lowtide_studies.networks.roundings import Neighbor


def fraction_field(value):
    return struct.unpack("<I", struct.pack("<f", value))[0] & 0x7FFFFF


@pytest.mark.parametrize("alternating", [False, True])
@pytest.mark.parametrize("leading", [False, True])
@pytest.mark.parametrize(("axis", "shape"), [(1, (5, 48)), (0, (32, 7)), (1, (3, 20))])
@pytest.mark.parametrize("bits", [1, 3])
def test_each_element_is_rounded_by_the_next(alternating, leading, axis, shape, bits):
    random = np.random.default_rng([axis, bits])
    x = random.standard_normal(shape).astype(np.float32)
    x[random.random(shape) < 0.3] = 0
    rounding = Neighbor(bits=bits, leading=leading, alternating=alternating)
    found = quantize(x, mantissa=4, exponent=5, axis=axis, rounding=rounding)
    exact = quantize(x, mantissa=4, exponent=5, axis=axis)  # for its codes
    data = np.moveaxis(x, axis, -1)
    padded = np.pad(data, [(0, 0), (0, -data.shape[1] % 16)])
    for row, column in np.ndindex(padded.shape):
        group, lane = divmod(column, 16)
        field = fraction_field(padded[row, group * 16 + (lane + 1) % 16])
        word = field >> 23 - bits if leading else field % 2**bits
        if alternating and (lane + group + row) % 2:
            word = 2**bits - 1 - word
        scaled = abs(float(padded[row, column])) * 2.0 ** (3 - int(exact.codes[row, group]) - exact.bias)
        fraction = int(scaled % 1 * 2 ** (bits + 1))
        up = fraction + 2 * word + 1 >= 2 ** (bits + 1)
        assert abs(found.signed[row, column]) == min(int(scaled) + up, 15)


def test_illegal_bits_name_the_legal_ones():
    with pytest.raises(IllegalValue, match="bits must be from 1 to 22, not 23"):
        Neighbor(bits=23)


def test_two_neighbors_are_mixed():
    """As the model of the source does it: the second one's bits backwards."""
    x = np.array([[1, 1.125, 1.25, 1.5]], np.float32)  # fractions 000, 001, 010, 100
    words = Neighbor(neighbors=2).words(x[:, :, np.newaxis])[0, :, 0]
    np.testing.assert_array_equal(words, [0b001 ^ 0b010, 0b010 ^ 0b001, 0b100 ^ 0b000, 0b000 ^ 0b100])
