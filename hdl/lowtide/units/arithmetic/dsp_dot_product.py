"""Dot product of two chunks of which all lanes, or half of them, multiply in DSP blocks."""

from functools import cached_property

import attrs
from amaranth.hdl import Cat, Const, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from lowtide.formats.bfp import Bfp
from lowtide.netlist.unit import place
from lowtide.units.arithmetic.adder_tree import AdderLevels, add, adder_tree
from lowtide.units.arithmetic.dot_product import DotProduct
from lowtide.units.arithmetic.ecp5_product import Ecp5Product
from lowtide.units.stream.delay import delayed

__all__ = ["DspDotProduct"]

FRACTION = 9
"""Bits below the magnitude in a factor of ``ecp5``: 18 bits less a sign and a magnitude of at most 8 bits."""


class DspDotProduct(wiring.Component):
    """Dot product: sums the signed products of all lanes of two chunks, exactly, with a multiplier for each DSP lane.

    ``o = sum_i (-1)**(a.sign_i ^ b.sign_i) * a.magnitude_i * b.magnitude_i``; the exponent codes are ignored.

    All lanes are DSP lanes, or the first half of them (``bfp.dsp_lanes``). A DSP lane with the sign ``s`` and
    the product ``p`` gives the word ``p ^ -s``, which is ``-p - 1`` if ``s`` is 1. An adder tree sums the words, and
    the carry inputs of its adders take the missing ones, ``s``. The tree has one adder fewer than words, so one carry
    remains:

    - half of the lanes are DSP lanes: the adder of the other half's `DotProduct` takes it;
    - all lanes are DSP lanes: lane 0 negates a magnitude before its multiplier and needs none.

    ============ ===============================================================================================
    ``inferred`` ``a.magnitude * b.magnitude``, which synthesis may map to a DSP block, XORed with ``s``
    ``ecp5``     `Ecp5Product` of ``x = (a.magnitude << 9) ^ -s`` and ``y = (b.magnitude << 9) + 1``, without its
                 lowest 18 bits: the block also negates, so half as many bits are XORed with ``s``
    ============ ===============================================================================================

    For ``ecp5``, with ``e = a.magnitude / 2**9 + s * (b.magnitude / 2**9 + 2**-18)``, ``x * y / 2**18`` is
    ``(-1)**s * (p + e)``. As ``0 <= e < 1``, and ``e > 0`` if ``s`` is 1, rounding down leaves ``p`` or ``-p - 1``.

    Parameters
    ----------
    bfp : Bfp
        Format of the operands; ``bfp.multiplier`` is ``inferred`` or ``ecp5``.

    Members
    -------
    a : In(bfp.layout_a)
        Chunk of A.
    b : In(bfp.layout_b)
        Chunk of B.
    o : Out(signed(bound.bit_length() + 1))
        Dot product, ``latency`` cycles later. The last adder's result is not registered: the user registers it.
    """

    a: data.View
    b: data.View

    def __init__(self, bfp: Bfp):
        self._bfp = bfp
        width = self.bound.bit_length() + 1
        super().__init__({"a": In(bfp.layout_a), "b": In(bfp.layout_b), "o": Out(signed(width))})

    @property
    def bfp(self) -> Bfp:
        """Format of the operands."""
        return self._bfp

    @property
    def bound(self) -> int:
        """Largest magnitude of the result."""
        return self.bfp.lanes * (2**self.bfp.chunk_a - 1) * (2**self.bfp.chunk_b - 1)

    @property
    def latency(self) -> int:
        """Cycles from ``a`` and ``b`` to ``o``."""
        return self._tree_latency if self._logic is None else max(self._tree_latency, self._logic.latency + 1)

    @property
    def levels(self) -> int:
        """Levels of adders behind the DSP blocks."""
        return self._tree_levels + 1

    @property
    def _tree_levels(self) -> int:
        """Levels of the tree of the DSP lanes, without the last adder."""
        return (self._dsp_lanes if self._logic else self._dsp_lanes // 2).bit_length() - 1

    @property
    def _tree_latency(self) -> int:
        """Cycles to the last adder: one for the products, and the registers of the tree."""
        return 1 + self._tree_levels // self.bfp.adder_levels

    @cached_property
    def _logic(self) -> DotProduct | None:
        """Dot product of the lanes that are not DSP lanes."""
        others = self.bfp.lanes - self._dsp_lanes
        return DotProduct(attrs.evolve(self.bfp, lanes=others, multiplier="logic", dsp_lanes="all")) if others else None

    @property
    def _dsp_lanes(self) -> int:
        return self.bfp.lanes // 2 if self.bfp.dsp_lanes == "half" else self.bfp.lanes

    def elaborate(self, platform):
        m = Module()
        signs = [self.a.lane[lane].sign ^ self.b.lane[lane].sign for lane in range(self._dsp_lanes)]
        word = self._ecp5_word if self.bfp.multiplier == "ecp5" else self._inferred_word
        words = [word(m, platform, lane, sign) for lane, sign in enumerate(signs)]
        carries = [delayed(m, sign) for sign in signs]
        levels = AdderLevels(m, self.bfp.adder_levels)
        if self._logic is None:
            half = len(words) // 2
            low, _ = adder_tree(levels, words[:half], carries[1:half])
            high, carry = adder_tree(levels, words[half:], carries[half:])
            m.d.comb += self.o.eq(add(low, high, carry))
        else:
            m.submodules.others = logic = self._logic
            m.d.comb += [
                logic.a.lane.eq(self.a.lane.as_value()[len(logic.a.lane.as_value()) :]),
                logic.b.lane.eq(self.b.lane.as_value()[len(logic.b.lane.as_value()) :]),
            ]
            total, carry = adder_tree(levels, words, carries)
            wait = self.latency - self._tree_latency
            others = delayed(m, logic.o, self.latency - logic.latency)
            m.d.comb += self.o.eq(add(delayed(m, total, wait), others, delayed(m, carry, wait)))
        return m

    def _inferred_word(self, m: Module, platform, lane: int, sign: Value) -> Value:
        a, b = self.a.lane[lane].magnitude, self.b.lane[lane].magnitude
        if lane == 0 and self._logic is None:
            return delayed(m, _negated_if(sign, a) * b)
        product, negative = delayed(m, a * b), delayed(m, sign)
        return _inverted_if(negative, product)

    def _ecp5_word(self, m: Module, platform, lane: int, sign: Value) -> Value:
        a, b = self.a.lane[lane].magnitude, self.b.lane[lane].magnitude
        zeros = Const(0, FRACTION)
        x, y = Signal(signed(18)), Signal(signed(18))
        if lane == 0 and self._logic is None:
            m.d.comb += [x.eq(Cat(zeros, _negated_if(sign, a)).as_signed()), y.eq(Cat(zeros, b))]
        else:
            m.d.comb += [x.eq(_inverted_if(sign, Cat(zeros, a))), y.eq(Cat(Const(1, FRACTION), b))]
        product = place(m, platform, f"lane_{lane}", Ecp5Product(), x=x, y=y)
        return product.o[2 * FRACTION :][: len(a) + len(b) + 1].as_signed()


def _inverted_if(negative: Value, magnitude: Value) -> Value:
    """Return ``magnitude``, or ``-magnitude - 1``, signed."""
    return Cat(magnitude ^ negative.replicate(len(magnitude)), negative).as_signed()


def _negated_if(negative: Value, magnitude: Value) -> Value:
    """Return ``magnitude`` or ``-magnitude``, signed: every bit above the lowest one is inverted.

    These few gates are faster than a carry chain.
    """
    inverted = [Const(0, 1)]
    for bit in magnitude:
        inverted.append(inverted[-1] | (negative & bit))
    return (Cat(magnitude, Const(0, 1)) ^ Cat(inverted)).as_signed()
