"""Operand planner: computes the buffer space of an operand, and checks that it fits."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.engine.integer_layout import IntegerLayout
from lowtide.engine.operand import OperandLayout
from lowtide.netlist import Unit
from lowtide.units.logic import at_most

__all__ = ["OperandPlanner"]


class OperandPlanner(Unit):
    """Operand planner: counts panels and their words without a divider, one panel per cycle.

    Parameters
    ----------
    vectors : int
        Vectors per panel.
    words : int
        Words per bank of the buffer.
    layout : OperandLayout or IntegerLayout
        Layout of the settings.
    packed : bool
        Whether the operand may arrive packed.

    Members
    -------
    start : In(1)
        Pulses for one cycle to plan an operand.
    settings : In(layout)
        Settings of the operand; stable from ``start`` until ``busy`` is low.
    busy : Out(1)
        High while the planner counts.
    legal : Out(1)
        High when the settings are legal and the operand fits.
    groups : Out(range(words + 1))
        Groups per vector. Valid while ``legal`` is high.
    size : Out(range(words + 1))
        Words per panel. Valid while ``legal`` is high.
    panels : Out(range(words + 1))
        Number of panels. Valid while ``legal`` is high.
    row : Out(range(layout.most_row + 1))
        Words of the stream per vector of a packed operand. Valid while ``legal`` is high; only with ``packed``.
    """

    def __init__(self, vectors: int, words: int, layout: OperandLayout | IntegerLayout, packed: bool):
        self.vectors, self.words, self.layout, self.packed = vectors, words, layout, packed
        self.module_name = f"planner_{vectors}x{words}_{layout.name}"
        size = range(words + 1)
        super().__init__(
            {
                "start": In(1),
                "settings": In(layout),
                "busy": Out(1),
                "legal": Out(1),
                "groups": Out(size),
                "size": Out(size),
                "panels": Out(size),
                **({"row": Out(range(layout.most_row + 1))} if packed else {}),
            }
        )

    def elaborate(self, platform):
        m = Module()
        settings, words, layout = self.settings, self.words, self.layout
        most_groups = -(-layout.max_k // layout.lanes)
        groups = Signal(range(most_groups + 1))
        sensible = Signal()
        counting = Signal()
        sizing = Signal()
        left = Signal.like(settings.vectors)
        total = Signal(range(2 * words + 1))
        # The settings come from afar: registers follow their first adder.
        size = Signal(range(most_groups * layout.most_chunks + 1))
        m.d.comb += [
            size.eq(layout.words(settings, groups)),
            self.groups.eq(groups),
            self.busy.eq(sizing | counting),
        ]
        with m.If(counting):
            m.d.sync += [left.eq(left - self.vectors), self.panels.eq(self.panels + 1), total.eq(total + self.size)]
            with m.If((total + self.size > words) | at_most(left, self.vectors)):
                m.d.sync += [counting.eq(0), self.legal.eq(total + self.size <= words)]
        with m.If(sizing):
            m.d.sync += [sizing.eq(0), counting.eq(sensible & at_most(size, words)), self.size.eq(size)]
            if self.packed:
                m.d.sync += self.row.eq(layout.row(settings, groups))
        with m.If(self.start):
            m.d.sync += [
                sizing.eq(1),
                self.legal.eq(0),
                left.eq(settings.vectors),
                self.panels.eq(0),
                total.eq(0),
                groups.eq((settings.length + layout.lanes - 1) >> (layout.lanes - 1).bit_length()),
                sensible.eq(layout.accepts(settings)),
            ]
        return m
