"""Planner: what an operand comes to in the buffers, and whether it fits."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.engine.operand import LEAST_BIAS, MOST_BIAS, STOCHASTIC, OperandLayout
from lowtide.engine.params import EngineParams
from lowtide.formats.bfp import Bfp
from lowtide.netlist import Unit
from lowtide.units.arithmetic.logic import at_most

__all__ = ["OperandPlanner"]


class OperandPlanner(Unit):
    """Counts panels, and words of them, without a divider: a panel a cycle.

    Parameters
    ----------
    lines : int
        Lines of a panel.
    bfp : Bfp
        Format of the groups.
    chunk : int
        Bits of a chunk.
    params : EngineParams
        Words of a buffer, longest run across.
    layout : OperandLayout
        Of the settings.

    Members
    -------
    start : In(1)
        Plan an operand.
    settings : In(layout)
        The operand; steady from ``start`` on until it is no longer ``busy``.
    busy : Out(1)
        It counts.
    legal : Out(1)
        The operand fits, and its settings are legal.
    groups, size, panels : Out(range(words + 1))
        Groups of a line, words of a panel, panels; if it is legal.
    """

    def __init__(self, lines: int, bfp: Bfp, chunk: int, params: EngineParams, layout: OperandLayout):
        self.lines, self.bfp, self.params, self.most_chunks = lines, bfp, params, bfp.mantissa // chunk
        self.module_name = (
            f"planner_{lines}x{params.buffer_depth}_l{bfp.lanes}_c{self.most_chunks}_k{bfp.max_k}_t{params.transpose_depth}"
            f"_b{params.lfsr_bits}"
        )
        words = range(params.buffer_depth + 1)
        super().__init__(
            {
                "start": In(1),
                "settings": In(layout),
                "busy": Out(1),
                "legal": Out(1),
                "groups": Out(words),
                "size": Out(words),
                "panels": Out(words),
            }
        )

    def elaborate(self, platform):
        m = Module()
        settings, words = self.settings, self.params.buffer_depth
        most_groups = -(-self.bfp.max_k // self.bfp.lanes)
        groups = Signal(range(most_groups + 1))
        size = Signal(range(most_groups * self.most_chunks + 1))
        sensible = Signal()
        counting = Signal()
        sizing = Signal()
        left = Signal.like(settings.lines)
        total = Signal(range(2 * words + 1))
        m.d.comb += [
            groups.eq((settings.length + self.bfp.lanes - 1) >> (self.bfp.lanes - 1).bit_length()),
            sensible.eq(
                (settings.lines != 0)
                & (settings.length != 0)
                & at_most(settings.length, self.bfp.max_k)
                & (settings.chunks != 0)
                & at_most(settings.chunks, self.most_chunks)
                & (~settings.transposed | at_most(settings.lines, self.params.transpose_depth))
                & at_most(settings.rounding, STOCHASTIC)
                & ((settings.rounding != STOCHASTIC) | (settings.seed != 0))
                & (settings.bias_auto | ((settings.bias >= LEAST_BIAS) & (settings.bias <= MOST_BIAS)))
            ),
            self.busy.eq(sizing | counting),
        ]
        m.d.sync += size.eq(groups * settings.chunks)
        with m.If(counting):
            m.d.sync += [left.eq(left - self.lines), self.panels.eq(self.panels + 1), total.eq(total + self.size)]
            with m.If((total + self.size > words) | at_most(left, self.lines)):
                m.d.sync += [counting.eq(0), self.legal.eq(total + self.size <= words)]
        with m.If(sizing):
            m.d.sync += [sizing.eq(0), counting.eq(sensible & at_most(size, words)), self.size.eq(size)]
        with m.If(self.start):
            m.d.sync += [
                sizing.eq(1),
                self.legal.eq(0),
                left.eq(settings.lines),
                self.panels.eq(0),
                total.eq(0),
                self.groups.eq(groups),
            ]
        return m
