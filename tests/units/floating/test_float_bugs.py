"""Bugs planted into the floating-point units: each is caught by the test that compares with the model."""

import pytest
from amaranth.hdl import Const, Module
from test_float_mac import cases, check

from lowtide.units.floating import adder
from lowtide.units.floating.float_rounder import FloatRounder
from lowtide.units.floating.mac import FloatMacParams
from lowtide.units.floating.sticky_shift import StickyShift


class WithoutSticky(StickyShift):
    """What falls off is forgotten."""

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o[1:].eq(self.i >> self.shift)
        return m


class OverlooksOnes(FloatRounder):
    """A one below the dropped bit is overlooked."""

    def elaborate(self, platform):
        self.inexact = Const(0, 1)
        return super().elaborate(platform)


class ShortShift(StickyShift):
    """The largest part of a shift is left out."""

    def elaborate(self, platform):
        self.shift = self.shift[:-1]
        self.places -= 1
        return super().elaborate(platform)


BUGS = {
    "no sticky bit": ("StickyShift", WithoutSticky),
    "shifts too short": ("StickyShift", ShortShift),
    "ones below are overlooked": ("FloatRounder", OverlooksOnes),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(monkeypatch, bug):
    monkeypatch.setattr(adder, *BUGS[bug])
    shape = FloatMacParams(operand="hfp8", sum="fp16")
    with pytest.raises(AssertionError, match="a, b, c: 0x"):
        check(shape, *cases(shape, 1, 1000))
