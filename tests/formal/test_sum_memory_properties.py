"""Proofs about the sum memory, for any products that a dispatcher lets through and any stalls."""

import pytest
from amaranth.hdl import Array, Assert, Assume, Module, Mux, ResetSignal, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from fixtures.slow_cases import one_in
from lowtide.engine.sum_memory import SumMemory, SumMemoryParams

TILES = 4  # offered tiles whose rows have not all arrived; the unit reads at most two rows ahead


class EachRowHasTheSumsBeforeIt(wiring.Component):
    """At any place, a row adds the sum that the last kept row before it left there, in the order of arrival.

    A kept row never leaves; every other row leaves once, with its sum, its scale and the mark of its product's end.
    The tiles of a product are alike, and each has its own index.
    """

    def __init__(self, rows, tiles):
        self.params = SumMemoryParams(rows=rows, columns=1, tiles=tiles, width=2, sum_width=3)
        super().__init__(
            {
                "tile": In(self.params.layout_tile),
                "place": In(range(rows * tiles)),
                "data": In(2),
                **{name: In(1) for name in ("tile_valid", "valid", "ready")},
            }
        )

    def elaborate(self, platform):
        m = Module()
        params, tile = self.params, self.tile
        m.submodules.dut = dut = SumMemory(params)
        started, place = Signal(), Signal.like(self.place)  # the followed place is any constant
        m.d.sync += started.eq(1)
        with m.If(~started):
            m.d.sync += place.eq(self.place)
        m.d.comb += [
            Assume(self.place < params.rows * params.tiles),
            Assume(started | (~self.tile_valid & ~self.valid)),
            Assume(~ResetSignal()),  # after which the dispatcher adds no sums of before
        ]
        offered = self._offer(m, dut)

        # Tiles in the order of their offers, and where rows are in them.
        waiting = [Signal(tile.shape(), name=f"waiting_{n}") for n in range(TILES)]
        pushes, pops = Signal(range(TILES)), Signal(range(TILES))
        with m.If(offered):
            m.d.sync += [Array(word.as_value() for word in waiting)[pushes].eq(tile.as_value()), pushes.eq(pushes + 1)]
        current = data.View(tile.shape(), Signal(len(tile.as_value()), name="current"))
        m.d.comb += current.as_value().eq(Array(word.as_value() for word in waiting)[pops])
        row, last, taken = Signal(range(params.rows)), Signal(), Signal()
        m.d.comb += [
            dut.i.valid.eq(self.valid),
            dut.i.payload.data.eq(self.data),
            dut.i.payload.last.eq(last),
            last.eq(row == params.rows - 1),
            taken.eq(self.valid & dut.i.ready),
            Assert(~taken | (pushes != pops)),
        ]
        with m.If(taken):
            m.d.sync += [row.eq(Mux(last, 0, row + 1)), pops.eq(pops + last)]

        # The plain model: the sum at the place, and the row that must leave next.
        here, kept, total = Signal(), Signal(3), Signal(3)
        m.d.comb += [
            here.eq(current.index * params.rows + row == place),
            total.eq(self.data.as_signed() + Mux(current.add, kept, 0).as_signed()),
        ]
        with m.If(taken & here & current.keep):
            m.d.sync += kept.eq(total)
        layout = data.StructLayout({"here": 1, "sum": 3, "end": 1, "scale": signed(10)})
        summed, sent = Signal(layout), Signal(layout)
        due = [Signal(name=f"due_{n}") for n in range(2)]  # whether that row leaves
        ends, moves = Signal(), Signal()
        m.d.comb += moves.eq(~due[1] | self.ready)
        m.d.sync += [due[0].eq((taken & ~current.keep) | (due[0] & ~moves)), ends.eq(0)]
        with m.If(taken):
            m.d.sync += [
                summed.here.eq(here),
                summed.sum.eq(total),
                summed.end.eq(last & current.end),
                summed.scale.eq(current.scale),
                ends.eq(current.keep & last & current.end),
            ]
        with m.If(moves):
            m.d.sync += [due[1].eq(due[0]), sent.as_value().eq(summed.as_value())]
        m.d.comb += [
            dut.o.ready.eq(self.ready),
            Assert(~taken | ~due[0]),
            Assert(dut.o.valid == due[1]),
            Assert(~due[1] | ((dut.o.payload.last == sent.end) & (dut.o.payload.scale == sent.scale))),
            Assert(~(due[1] & sent.here) | (dut.o.payload.data == sent.sum)),
            Assert(dut.kept == ends),
        ]
        return m

    def _offer(self, m, dut):
        """Offer tiles as a dispatcher sends them; return whether a tile is offered for the first time."""
        params, tile = self.params, self.tile
        before, waits, inside = Signal(len(tile.as_value())), Signal(), Signal()
        add, keep, accepted, offered = Signal(), Signal(), Signal(), Signal()
        seen = Signal(params.tiles)  # indices of the product's tiles
        m.d.comb += [
            dut.tile.valid.eq(self.tile_valid),
            dut.tile.payload.eq(tile),
            accepted.eq(self.tile_valid & dut.tile.ready),
            offered.eq(self.tile_valid & ~waits),
            Assume(~waits | (self.tile_valid & (before == tile.as_value()))),
            Assume(tile.index < params.tiles),
            Assume(~inside | ((tile.add == add) & (tile.keep == keep))),
            Assume(~self.tile_valid | ~seen.bit_select(tile.index, 1).any()),
        ]
        m.d.sync += [before.eq(tile.as_value()), waits.eq(self.tile_valid & ~accepted)]
        with m.If(accepted):
            m.d.sync += [inside.eq(~tile.end), add.eq(tile.add), keep.eq(tile.keep)]
            m.d.sync += seen.eq(Mux(tile.end, 0, seen | (1 << tile.index)))
        return offered


@pytest.mark.parametrize(
    ("rows", "tiles", "depth"),
    one_in(3, [(1, 1, 11), (2, 1, 11), (1, 2, 12)]),
)
def test_each_row_has_the_sums_before_it(prove, rows, tiles, depth):
    prove(EachRowHasTheSumsBeforeIt(rows, tiles), depth=depth)
