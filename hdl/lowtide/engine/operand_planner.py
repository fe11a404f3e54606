"""Operand planner: computes the buffer space of an operand, and checks that it fits."""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.engine.operand import LEAST_BIAS, MOST_BIAS, STOCHASTIC, OperandLayout
from lowtide.engine.params import EngineParams
from lowtide.formats.bfp import Bfp
from lowtide.formats.packed import PackedLayout
from lowtide.netlist import Unit
from lowtide.units.logic import at_most, mux

__all__ = ["OperandPlanner"]


class OperandPlanner(Unit):
    """Operand planner: counts panels and their words without a divider, one panel per cycle.

    Parameters
    ----------
    vectors : int
        Vectors per panel.
    bfp : Bfp
        Format of the groups.
    chunk : int
        Width of a chunk in bits.
    params : EngineParams
        Buffer depth and transpose depth.
    layout : OperandLayout
        Layout of the settings.

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
    groups : Out(range(params.buffer_depth + 1))
        Groups per vector. Valid while ``legal`` is high.
    size : Out(range(params.buffer_depth + 1))
        Words per panel. Valid while ``legal`` is high.
    panels : Out(range(params.buffer_depth + 1))
        Number of panels. Valid while ``legal`` is high.
    row : Out(range(most_row + 1))
        Words per vector of a packed operand. Valid while ``legal`` is high; only with ``params.packed_operands``.
    """

    def __init__(self, vectors: int, bfp: Bfp, chunk: int, params: EngineParams, layout: OperandLayout):
        self.vectors, self.bfp, self.params, self.most_chunks = vectors, bfp, params, bfp.mantissa // chunk
        self.module_name = (
            f"planner_{vectors}x{params.buffer_depth}_l{bfp.lanes}_c{self.most_chunks}_k{bfp.max_k}_t{params.transpose_depth}"
            f"_b{params.lfsr_bits}{'_p' if params.packed_operands else ''}"
        )
        self.row_sizes = [
            PackedLayout.of(bfp).words(chunks * chunk) if chunks else 0 for chunks in range(self.most_chunks + 1)
        ]
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
                **({"row": Out(range(self.most_row + 1))} if params.packed_operands else {}),
            }
        )

    @property
    def most_row(self) -> int:
        """Most words per vector of a packed operand."""
        return self._most_groups * self.row_sizes[-1]

    @property
    def _most_groups(self) -> int:
        return -(-self.bfp.max_k // self.bfp.lanes)

    def elaborate(self, platform):
        m = Module()
        settings, words = self.settings, self.params.buffer_depth
        packed = settings.packed if self.params.packed_operands else Const(0)
        most_groups = self._most_groups
        groups = Signal(range(most_groups + 1))
        size = Signal(range(most_groups * self.most_chunks + 1))
        sensible = Signal()
        counting = Signal()
        sizing = Signal()
        left = Signal.like(settings.vectors)
        total = Signal(range(2 * words + 1))
        m.d.comb += [
            groups.eq((settings.length + self.bfp.lanes - 1) >> (self.bfp.lanes - 1).bit_length()),
            sensible.eq(
                (settings.vectors != 0)
                & (settings.length != 0)
                & at_most(settings.length, self.bfp.max_k)
                & (settings.chunks != 0)
                & at_most(settings.chunks, self.most_chunks)
                & (~settings.transposed | at_most(settings.vectors, self.params.transpose_depth))
                & at_most(settings.rounding, STOCHASTIC)
                & ((settings.rounding != STOCHASTIC) | (settings.seed != 0))
                & ~(packed & (settings.transposed | settings.bias_auto))
                & (settings.bias_auto | ((settings.bias >= LEAST_BIAS) & (settings.bias <= MOST_BIAS)))
            ),
            self.busy.eq(sizing | counting),
        ]
        m.d.sync += size.eq(groups * settings.chunks)
        if self.params.packed_operands:
            group = mux([Const(n, range(self.row_sizes[-1] + 1)) for n in self.row_sizes], settings.chunks)
            m.d.sync += self.row.eq(groups * group)
        with m.If(counting):
            m.d.sync += [left.eq(left - self.vectors), self.panels.eq(self.panels + 1), total.eq(total + self.size)]
            with m.If((total + self.size > words) | at_most(left, self.vectors)):
                m.d.sync += [counting.eq(0), self.legal.eq(total + self.size <= words)]
        with m.If(sizing):
            m.d.sync += [sizing.eq(0), counting.eq(sensible & at_most(size, words)), self.size.eq(size)]
        with m.If(self.start):
            m.d.sync += [
                sizing.eq(1),
                self.legal.eq(0),
                left.eq(settings.vectors),
                self.panels.eq(0),
                total.eq(0),
                self.groups.eq(groups),
            ]
        return m
