"""Planted bugs of the floating-point units: the comparison with the model catches each."""

import pytest
from amaranth.hdl import Const, Module
from test_float_mac import cases, check

from lowtide.units.floating import adder
from lowtide.units.floating.float_rounder import FloatRounder
from lowtide.units.floating.mac import FloatMacParams
from lowtide.units.floating.sticky_shift import StickyShift


class WithoutSticky(StickyShift):
    """The sticky bit omits the bits shifted out."""

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o[1:].eq(self.i >> self.shift)
        return m


class OverlooksOnes(FloatRounder):
    """The rounder ignores ones below the dropped bit."""

    def elaborate(self, platform):
        self.inexact = Const(0, 1)
        return super().elaborate(platform)


class ShortShift(StickyShift):
    """The shifter omits the largest part of a shift."""

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
