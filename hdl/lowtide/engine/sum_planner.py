"""Sum planner: checks products that add to the sums on chip or keep their sums there."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.logic import at_most

__all__ = ["SumPlanner"]


class SumPlanner(Unit):
    """Sum planner: remembers the block of sums on chip, and checks that a product fits it.

    A product with ``keep`` defines the block: its panels, its scale, and the K of its sums. A product with ``add``
    must have equal panels and an equal scale, and the sums with this product at most ``max_k`` elements along K.
    Products without ``keep`` leave the block as it is, so it can be added again.

    Parameters
    ----------
    words : int
        Largest number of panels of an operand.
    length : int
        Largest K of a product.
    tiles : tuple of two int
        Panels of A and of B that fit into the sums on chip.
    max_k : int
        Largest K of a sum.

    Members
    -------
    add, keep : In(1)
        High if the product adds the sums on chip, and if its sums stay on chip. All inputs but ``take`` are stable for
        a cycle before ``legal`` is used.
    free : In(1)
        High if the scale of the product is not known: it only finds biases, or loads an operand with a bias found last.
    panels_a, panels_b : In(range(words + 1))
        Number of panels of A and of B.
    scale : In(signed(10))
        Exponent of the lowest bit of the product's accumulators.
    length : In(range(length + 1))
        K of the product.
    legal : Out(1)
        High if the product has neither ``add`` nor ``keep``, or fits the block.
    take : In(1)
        Pulses for one cycle when the product is accepted.
    """

    def __init__(self, words: int, length: int, tiles: tuple[int, int], max_k: int):
        self.words, self.length_most, self.tiles, self.max_k = words, length, tiles, max_k
        self.module_name = f"sum_planner_{words}_{length}_{tiles[0]}x{tiles[1]}_{max_k}"
        super().__init__(
            {
                "add": In(1),
                "keep": In(1),
                "free": In(1),
                "panels_a": In(range(words + 1)),
                "panels_b": In(range(words + 1)),
                "scale": In(signed(10)),
                "length": In(range(length + 1)),
                "legal": Out(1),
                "take": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        kept = Signal()  # there are sums
        kept_a = Signal(range(self.tiles[0] + 1))
        kept_b = Signal(range(self.tiles[1] + 1))
        kept_scale = Signal(signed(10))
        kept_k = Signal(range(self.max_k + 1))
        new_scale = Signal(signed(10))
        total = Signal(range(self.max_k + self.length_most + 1))
        fits = Signal()
        agrees = Signal()
        m.d.sync += [new_scale.eq(self.scale), total.eq(Mux(self.add, kept_k, 0) + self.length)]
        m.d.comb += [
            fits.eq(
                at_most(self.panels_a, self.tiles[0])
                & at_most(self.panels_b, self.tiles[1])
                & at_most(total, self.max_k)
            ),
            agrees.eq(kept & (self.panels_a == kept_a) & (self.panels_b == kept_b) & (new_scale == kept_scale)),
            self.legal.eq(~(self.add | self.keep) | (~self.free & fits & (~self.add | agrees))),
        ]
        with m.If(self.take & self.keep):
            m.d.sync += [
                kept.eq(1),
                kept_a.eq(self.panels_a),
                kept_b.eq(self.panels_b),
                kept_scale.eq(new_scale),
                kept_k.eq(total),
            ]
        return m
