"""Planted bugs of the rounder: the test with every fraction and word catches each."""

import pytest
from amaranth.hdl import C, Cat, Mux
from test_rounder import check

from lowtide.units.rounding.params import RounderParams
from lowtide.units.rounding.rounder import Rounder

SHAPES = {
    "carry": RounderParams(mode="carry", width=2, fraction=3, random=3),
    "half_step": RounderParams(mode="half_step", width=2, fraction=5, random=3),
    "long": RounderParams(mode="half_step", width=2, fraction=7, random=5),
    "nearest": RounderParams(mode="nearest", width=2, fraction=3),
    "nearest_even": RounderParams(mode="nearest_even", width=2, fraction=3),
}


class Counting(Rounder):
    """Rounder whose result is the integer plus its decision."""

    def _result(self, integer, fraction):
        return integer + self.up


def deciding(decision):
    """Rounder with another decision, a function of the fraction's top bits, the bit below them, and the word."""

    class Mutant(Counting):
        def _decision(self, m, integer, fraction):
            r = self.params.random
            padded = Cat(C(0, 1), fraction)  # a bit below, even without a fraction
            return decision(fraction[-r:], padded[-r - 1], self.random, r)

    return Mutant


class TiesUp(Rounder):
    """Ties away from zero."""

    def _decision(self, m, integer, fraction):
        return fraction[-1]


class TiesDown(Rounder):
    """Ties towards zero."""

    def _decision(self, m, integer, fraction):
        return fraction[-1] & fraction[:-1].any()


class TiesToEven(Rounder):
    """Ties to even."""

    def _decision(self, m, integer, fraction):
        return fraction[-1] & (fraction[:-1].any() | integer[0])


BUGS = {
    "greater instead of greater or equal": ("carry", deciding(lambda t, b, R, r: t + R > 2**r)),
    "a fraction of zero may go up": ("carry", deciding(lambda t, b, R, r: t + R >= 2**r - 1)),
    "the word is less than the fraction": ("carry", deciding(lambda t, b, R, r: t > R)),
    "the word is at most the fraction": ("carry", deciding(lambda t, b, R, r: t >= R)),
    "the word is inverted": ("carry", deciding(lambda t, b, R, r: t + ~R[:r] >= 2**r)),
    "the half step is dropped": ("half_step", deciding(lambda t, b, R, r: t + R >= 2**r)),
    "the half step is dropped from long words": ("long", deciding(lambda t, b, R, r: t + R >= 2**r)),
    "the half step is always a whole one": ("half_step", deciding(lambda t, b, R, r: t + R + 1 >= 2**r)),
    "the half step is added without the bit below": ("half_step", deciding(lambda t, b, R, r: t + R + ~b >= 2**r)),
    "bits are one too low": ("half_step", deciding(lambda t, b, R, r: Cat(b, t[:-1]) + R >= 2**r)),
    "bits are one too high": ("half_step", deciding(lambda t, b, R, r: t[1:] + R >= 2**r)),
    "the word is read backwards": ("carry", deciding(lambda t, b, R, r: t + R[::-1] >= 2**r)),
    "always up": ("carry", deciding(lambda t, b, R, r: Mux(t == 0, 0, 1))),
    "ties go up": ("nearest_even", TiesUp),
    "ties go down": ("nearest", TiesDown),
    "ties go to even": ("nearest", TiesToEven),
}


@pytest.mark.parametrize("name", SHAPES)
def test_without_a_bug_the_test_passes(name):
    check(SHAPES[name], range(4))


@pytest.mark.parametrize("bug", BUGS)
def test_every_value_and_word_catches(bug):
    name, mutant = BUGS[bug]
    with pytest.raises(AssertionError):
        check(SHAPES[name], range(4), mutant)


@pytest.mark.parametrize("name", SHAPES)
def test_every_value_and_word_catches_a_result_without_the_decision(name):
    class Deaf(Rounder):
        def _result(self, integer, fraction):
            return integer

    with pytest.raises(AssertionError):
        check(SHAPES[name], range(4), Deaf)


@pytest.mark.parametrize("name", SHAPES)
def test_every_value_and_word_catches_a_lost_carry(name):
    class Wrapping(Rounder):
        def _result(self, integer, fraction):
            return super()._result(integer, fraction)[: self.params.width]

    with pytest.raises(AssertionError):
        check(SHAPES[name], [3], Wrapping)
    check(SHAPES[name], [0, 1, 2], Wrapping)  # without a further error
