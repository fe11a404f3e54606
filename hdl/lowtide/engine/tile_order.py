"""Tile order: visits each tile of a product as soon as its operands can be loaded."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["TileOrder"]


class TileOrder(Unit):
    """Tile order: visits the tiles of a product in steps, one step per loaded panel.

    A tile combines a panel of A and a panel of B. Step s visits the tiles whose later panel is panel s. The order
    within a step depends on which operands are new:

        both operands:    column s of tiles, down to row s - 1; then row s, up to column s
        B alone:          column s
        A alone, or none: row s

    Row by row, two new operands would need all of B before the second row could start.

    Parameters
    ----------
    words : int
        Words per bank of a buffer.

    Members
    -------
    panels_a, panels_b : In(range(words + 1))
        Number of panels of an operand; stable during a product.
    size_a, size_b : In(range(words + 1))
        Words per panel of an operand; stable during a product.
    new_a, new_b : In(1)
        High if the operand is loaded for this product; stable during a product.
    next : In(1)
        Pulses for one cycle when the tile is complete.
    panel_a, panel_b : Out(range(words + 1))
        Panels of the tile.
    base_a, base_b : Out(range(words))
        First word of each panel.
    ends : Out(1)
        High with the last tile of a product; the first tile of the next product follows.
    """

    def __init__(self, words: int):
        self.words = words
        self.module_name = f"tile_order_{words}"
        super().__init__(
            {
                **{name: In(range(words + 1)) for name in ("panels_a", "panels_b", "size_a", "size_b")},
                "new_a": In(1),
                "new_b": In(1),
                "next": In(1),
                "panel_a": Out(range(words + 1)),
                "panel_b": Out(range(words + 1)),
                "base_a": Out(range(words)),
                "base_b": Out(range(words)),
                "ends": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        step = Signal.like(self.panel_a)
        step_a = Signal.like(self.base_a)  # first words of the panels of the step
        step_b = Signal.like(self.base_b)
        down = Signal()  # with both operands new: the step is in its column
        both = Signal()
        in_column = Signal()
        end_a = Signal()
        end_b = Signal()
        more_a = Signal()  # the next step has a row
        more_b = Signal()  # the next step has a column
        step_ends = Signal()
        m.d.comb += [
            both.eq(self.new_a & self.new_b),
            in_column.eq(self.new_b & (~self.new_a | down)),
            end_a.eq(self.panel_a + 1 == self.panels_a),
            end_b.eq(self.panel_b + 1 == self.panels_b),
            more_a.eq((self.new_a | ~self.new_b) & (step + 1 < self.panels_a)),
            more_b.eq(self.new_b & (step + 1 < self.panels_b)),
            step_ends.eq(Mux(in_column, end_a, end_b | (both & (self.panel_b == step)))),
            self.ends.eq(step_ends & ~more_a & ~more_b),
        ]
        with m.If(self.next):
            with m.If(step_ends):
                m.d.sync += [
                    step.eq(step + 1),
                    step_a.eq(step_a + self.size_a),
                    step_b.eq(step_b + self.size_b),
                    down.eq(more_b),
                    # A column begins at the top, a row at the left.
                    self.panel_a.eq(Mux(more_b, 0, step + 1)),
                    self.base_a.eq(Mux(more_b, 0, step_a + self.size_a)),
                    self.panel_b.eq(Mux(more_b, step + 1, 0)),
                    self.base_b.eq(Mux(more_b, step_b + self.size_b, 0)),
                ]
            with m.Elif(in_column):
                m.d.sync += [self.panel_a.eq(self.panel_a + 1), self.base_a.eq(self.base_a + self.size_a)]
                with m.If(both & (self.panel_a + 1 == step)):
                    m.d.sync += [down.eq(0), self.panel_b.eq(0), self.base_b.eq(0)]
            with m.Else():
                m.d.sync += [self.panel_b.eq(self.panel_b + 1), self.base_b.eq(self.base_b + self.size_b)]
            with m.If(self.ends):
                m.d.sync += [
                    register.eq(0)
                    for register in (step, step_a, step_b, down, self.panel_a, self.panel_b, self.base_a, self.base_b)
                ]
        return m
