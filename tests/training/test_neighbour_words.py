"""Words of neighbours, against the rule element by element."""

import struct

import numpy as np
import pytest

from lowtide.formats import IllegalValue
from lowtide_sim.golden import quantise
from lowtide_sim.training.neighbour import Neighbour


def fraction_field(value):
    return struct.unpack("<I", struct.pack("<f", value))[0] & 0x7FFFFF


@pytest.mark.parametrize("alternating", [False, True])
@pytest.mark.parametrize(("axis", "shape"), [(1, (5, 48)), (0, (32, 7)), (1, (3, 20))])
@pytest.mark.parametrize("bits", [1, 3])
def test_each_element_is_rounded_by_the_next(alternating, axis, shape, bits):
    random = np.random.default_rng([axis, bits])
    x = random.standard_normal(shape).astype(np.float32)
    x[random.random(shape) < 0.3] = 0
    found = quantise(x, mantissa=4, exponent=5, axis=axis, rounding=Neighbour(bits=bits, alternating=alternating))
    exact = quantise(x, mantissa=4, exponent=5, axis=axis)  # for its codes
    data = np.moveaxis(x, axis, -1)
    padded = np.pad(data, [(0, 0), (0, -data.shape[1] % 16)])
    for row, column in np.ndindex(padded.shape):
        group, lane = divmod(column, 16)
        word = fraction_field(padded[row, group * 16 + (lane + 1) % 16]) >> 23 - bits
        if alternating and (lane + group + row) % 2:
            word = 2**bits - 1 - word
        scaled = abs(float(padded[row, column])) * 2.0 ** (3 - int(exact.codes[row, group]) - exact.bias)
        fraction = int(scaled % 1 * 2 ** (bits + 1))
        up = fraction + 2 * word + 1 >= 2 ** (bits + 1)
        assert abs(found.signed[row, column]) == min(int(scaled) + up, 15)


def test_illegal_bits_name_the_legal_ones():
    with pytest.raises(IllegalValue, match="bits must be from 1 to 22, not 23"):
        Neighbour(bits=23)
