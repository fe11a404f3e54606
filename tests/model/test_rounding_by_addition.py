"""Conversion by integer additions in blocks, compared with fractions in float64, element by element."""

import numpy as np
import plain_bfp as plain
import plain_rounding
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lowtide.units.random.params import RandomSourceParams
from lowtide_model import GivenWords, Ideal, OneWord, Stochastic, grouping, quantize, reference, round_magnitude

nearby = st.builds(lambda f, t: np.ldexp(f, t), st.integers(-300, 300), st.integers(-12, 4))
special = st.sampled_from(
    [0.0, -0.0, 2.0**-149, -(2.0**-126), 2.0**-126 - 2.0**-149, 3.4028235e38, np.inf, -np.inf, np.nan]
)


@st.composite
def sources(draw, lanes):
    """One or two sources that serve the lanes of a group, with rows or without."""
    first = draw(st.integers(1, lanes))
    found = []
    for seed, count in ((5, first), (3, lanes - first)):
        if count:
            bits, width = draw(st.sampled_from([(5, 3), (7, 7), (24, 24)]))
            polarity = draw(st.sampled_from(["plain", "inverted", "time", "space"]))
            rows = draw(st.booleans())
            found.append((bits, width, polarity, count, rows, seed))
    width = min(width for _, width, *_ in found)
    return [
        RandomSourceParams(bits=bits, width=width, polarity=polarity, lanes=count, rows=rows, seed=seed)
        for bits, _, polarity, count, rows, seed in found
    ]


@st.composite
def roundings(draw, lanes):
    """A function that makes a rounding, since ideal rounding has a state."""
    kind = draw(st.sampled_from(["truncate", "nearest", "nearest_even", "stochastic", "word", "ideal"]))
    if kind == "stochastic":
        place = {"first_row": draw(st.integers(0, 40)), "first_step": draw(st.integers(0, 40))}
        found = Stochastic(mode=draw(st.sampled_from(["carry", "half_step"])), source=draw(sources(lanes)), **place)
        return lambda: found
    if kind == "word":
        bits = draw(st.integers(1, 32))
        word = draw(st.integers(0, 2**bits - 1))
        return lambda: OneWord(bits=bits, word=word)
    if kind == "ideal":
        return lambda: Ideal(np.random.default_rng(7))
    return lambda: kind


LAYOUTS = {
    "contiguous": lambda x: x,
    "Fortran": np.asfortranarray,
    "reversed": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "every second": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
}


@st.composite
def cases(draw):
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=9))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    x = draw(hnp.arrays(dtype, shape, elements=draw(st.sampled_from([nearby, nearby | special]))))
    lanes = draw(st.integers(1, 4))
    keywords = {
        "mantissa": draw(st.integers(1, 12)),
        "exponent": draw(st.integers(1, 5)),
        "group": lanes * draw(st.integers(1, 3)),
        "axis": draw(st.integers(0, len(shape) - 1)),
        "bias": draw(st.none() | st.integers(-20, 8) | st.integers(-170, 140) | st.sampled_from([-1000, 992])),
    }
    return LAYOUTS[draw(st.sampled_from([*LAYOUTS]))](x), keywords, draw(roundings(lanes))


@settings(plain.repeatable, max_examples=400)
@given(cases(), st.sampled_from([1, 8, 50, grouping.BLOCK]))
def test_all_numbers_layouts_and_blocks(case, block):
    x, keywords, make = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "BLOCK", block)
        tensor = quantize(x, rounding=make(), nonfinite="saturate", **keywords)
    signed, codes, bias, counts = plain_rounding.convert(x, rounding=make(), **keywords)
    np.testing.assert_array_equal(tensor.signed, signed)
    np.testing.assert_array_equal(tensor.codes, codes)
    assert tensor.bias == bias
    assert (tensor.saturated_groups, tensor.saturated_elements, tensor.nonfinite_elements) == counts


@pytest.mark.parametrize("mode", ["carry", "half_step"])
@pytest.mark.parametrize("r", [1, 2, 3, 5])
@pytest.mark.parametrize("m", [1, 2, 4])
def test_every_value_with_every_word(m, r, mode):
    """All values with seven bits below the point, of either sign, and all words."""
    k, random = np.meshgrid(np.arange(2 ** (m + 7)), np.arange(2**r), indexing="ij")
    wanted = round_magnitude(k, mode=mode, width=m, fraction=7, random=random, random_bits=r)
    for sign in (1, -1):
        x = np.stack([np.full(k.shape, 2.0 ** (m - 1)), sign * k / 2**7], axis=-1).astype(np.float32)
        given_words = np.stack([random * 0, random], axis=-1).reshape(-1, 2)
        rounding = GivenWords(mode=mode, bits=r, words=given_words)
        tensor = quantize(x, mantissa=m, exponent=1, group=2, bias=m - 1, rounding=rounding)
        np.testing.assert_array_equal(tensor.signed[..., 1], sign * wanted)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("rounding", ["nearest", reference(16), Stochastic(source=RandomSourceParams(lanes=8))])
def test_tensors_of_several_blocks(rounding, axis):
    x = np.random.default_rng(11).standard_normal((530, 700)).astype(np.float32)
    keywords = {"mantissa": 4, "exponent": 3, "group": 16, "axis": axis, "bias": None}
    tensor = quantize(x, rounding=rounding, **keywords)
    signed, codes, _, counts = plain_rounding.convert(x, rounding=rounding, **keywords)
    np.testing.assert_array_equal(tensor.signed, signed)
    np.testing.assert_array_equal(tensor.codes, codes)
    assert tensor.saturated_elements == counts[1] > 0
