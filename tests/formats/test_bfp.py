"""Formats: what is legal, what is derived, and how a word is laid out."""

import re
from math import lcm

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowtide.formats import Bfp, IllegalValue
from lowtide.formats.bfp import CHUNKS, aligner_step


@st.composite
def formats(draw):
    """Any legal format."""
    chunk_a = draw(st.sampled_from(CHUNKS))
    chunk_b = draw(st.sampled_from([w for w in CHUNKS if lcm(chunk_a, w) <= 12]))
    multiples = [m for m in range(1, 13) if m % chunk_a == 0 and m % chunk_b == 0]
    bfp = Bfp(
        lanes=draw(st.sampled_from([4, 8, 16, 32, 64])),
        chunk_a=chunk_a,
        chunk_b=chunk_b,
        mantissa=draw(st.sampled_from(multiples)),
        exponent=draw(st.integers(1, 5)),
        max_k=draw(st.integers(1, 2**20)),
        multiplier=draw(st.sampled_from(["logic", "inferred", "ecp5"])),
    )
    fits = bfp.dot_product + aligner_step(bfp.max_shift) <= 19
    return attrs.evolve(bfp, aligner=draw(st.sampled_from(["logic", "ecp5"]))) if fits else bfp


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lanes": 12}, "lanes must be one of 4, 8, 16, 32, 64, not 12"),
        ({"lanes": 16.0}, "lanes must be one of 4, 8, 16, 32, 64, not 16.0"),
        ({"chunk_a": 0}, "chunk_a must be one of 1, 2, 3, 4, 6, 8, not 0"),
        ({"chunk_b": 5}, "chunk_b must be one of 1, 2, 3, 4, 6, 8, not 5"),
        (
            {"chunk_a": 8, "chunk_b": 3},
            "chunk_b must be one of 1, 2, 4, 8 (mantissa is at most 12, a multiple of chunk_b and chunk_a = 8), not 3",
        ),
        (
            {"lanes": 4, "multiplier": "ecp5", "dsp_lanes": "half"},
            "dsp_lanes must be all (half of lanes = 4 is less than four), not 'half'",
        ),
        ({"multiplier": "dsp"}, "multiplier must be one of logic, inferred, ecp5, not 'dsp'"),
        ({"aligner": "dsp"}, "aligner must be one of logic, ecp5, not 'dsp'"),
        (
            {"mantissa": 8, "aligner": "ecp5"},
            "aligner must be logic (a dot product of 9 bits, shifted by up to 26, exceeds a DSP block), not 'ecp5'",
        ),
        (
            {"lanes": 16, "chunk_a": 8, "chunk_b": 8, "mantissa": 8, "exponent": 1, "aligner": "ecp5"},
            "aligner must be logic (a dot product of 21 bits, shifted by up to 2, exceeds a DSP block), not 'ecp5'",
        ),
        ({"mantissa": 13}, "mantissa must be from 1 to 12, not 13"),
        (
            {"mantissa": 5},
            "mantissa must be a multiple of chunk_a = 2 and chunk_b = 2: one of 2, 4, 6, 8, 10, 12, not 5",
        ),
        (
            {"mantissa": 4, "chunk_a": 3},
            "mantissa must be a multiple of chunk_a = 3 and chunk_b = 2: one of 6, 12, not 4",
        ),
        (
            {"exponent": 8},
            "exponent must be from 1 to 5 (the exact accumulator nearly doubles with each bit), not 8",
        ),
        ({"exponent": True}, "not True"),
        ({"max_k": 0}, "max_k must be from 1 to 1048576, not 0"),
    ],
)
def test_illegal_values_are_named_with_the_legal_ones(settings, message):
    with pytest.raises(IllegalValue, match=re.escape(message)):
        Bfp(**settings)


@pytest.mark.parametrize(("exponent", "bits"), [(3, 35), (4, 51), (5, 83)])
def test_accumulator_of_the_4_bit_formats(exponent, bits):
    assert Bfp(exponent=exponent).accumulator == bits


@given(formats())
def test_accumulator_width_is_minimal(bfp):
    # The longest reduction, every element at the largest magnitude and the largest code.
    largest = bfp.max_k * ((2**bfp.mantissa - 1) << (2**bfp.exponent - 1)) ** 2
    assert -(2 ** (bfp.accumulator - 1)) <= -largest < largest < 2 ** (bfp.accumulator - 1)
    assert largest >= 2 ** (bfp.accumulator - 2)


@given(formats())
def test_dot_product_width_is_minimal(bfp):
    largest = bfp.lanes * (2**bfp.chunk_a - 1) * (2**bfp.chunk_b - 1)
    assert 2 ** (bfp.dot_product - 2) <= largest < 2 ** (bfp.dot_product - 1)


@given(formats())
def test_largest_exponent_code(bfp):
    for chunk, code, layout in (
        (bfp.chunk_a, bfp.max_code_a, bfp.layout_a),
        (bfp.chunk_b, bfp.max_code_b, bfp.layout_b),
    ):
        below = bfp.mantissa // chunk - 1
        assert code == 2**bfp.exponent - 1 + chunk * below
        assert layout.size == bfp.lanes * (chunk + 1) + code.bit_length()
        assert layout.lanes == bfp.lanes


def test_layout_of_a_chunk():
    word = Bfp(lanes=4).layout_a.const({"lane": [{"magnitude": 2, "sign": 1}], "exponent": 9})
    assert word.as_bits() == 0b1001_000_000_000_110


def test_formats_are_frozen():
    with pytest.raises(AttributeError):
        Bfp().lanes = 4  # pyright: ignore[reportAttributeAccessIssue]
