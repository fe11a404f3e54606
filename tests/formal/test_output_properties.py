"""Proofs about what follows a product, for any numbers and any stalls."""

from itertools import product

import pytest
from amaranth.hdl import Assert, Assume, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from lowtide.engine.group_assembler import GroupAssembler
from lowtide.units.floating.fp32_adder import Fp32Adder
from lowtide.units.stream.delay import delayed


class NoNegativeSum(wiring.Component):
    """With ReLU, no sum is below zero; a sum with the exponent field of infinities is an infinity or the one NaN."""

    def __init__(self):
        super().__init__({"enable": In(1), "x": In(32), "y": In(32)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Fp32Adder()
        relu = Signal()
        m.d.comb += [
            dut.enable.eq(self.enable),
            dut.relu.eq(relu),
            dut.x.as_value().eq(self.x),
            dut.y.as_value().eq(self.y),
        ]
        m.d.sync += relu.eq(relu)
        started = delayed(m, Const(1), 1, enable=self.enable)
        special = dut.o.exponent == 255
        m.d.comb += [
            Assert(~(started & relu & dut.o.sign)),
            Assert(~(started & special) | ~dut.o.fraction[:22].any()),
            Assert(~(started & special & dut.o.fraction[22]) | ~dut.o.sign),
        ]
        return m


def test_no_negative_sum(prove):
    prove(NoNegativeSum(), depth=14)


class EachNumberLeavesInItsPlace(wiring.Component):
    """One marked result, in any tile, row and column: it leaves in its place of its group, and nowhere else.

    All other results are zero, so that a result that is lost, doubled or overwritten, or whose place is wrong, shows.
    """

    def __init__(self, rows, columns, lanes, vectors, length):
        self.shape = rows, columns, lanes, vectors, length
        super().__init__(
            {
                "i_valid": In(1),
                "o_ready": In(1),
                "row": In(range(vectors)),
                "column": In(range(length)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        rows, columns, lanes, vectors, length = self.shape
        m.submodules.dut = dut = GroupAssembler(rows, columns, 1, lanes, vectors, length)
        began = Signal()
        m.d.sync += began.eq(1)
        the_row, the_column = (self._first(m, began, name) for name in ("row", "column"))
        m.d.comb += [
            Assume((the_row < vectors) & (the_column < length)),
            dut.start.eq(~began),
            dut.vectors.eq(vectors),
            dut.length.eq(length),
        ]
        # Place of the number at the input: row, column and tile of it.
        i_row, i_column, i_top, i_left = (Signal(6, name=f"i_{name}") for name in ("row", "column", "top", "left"))
        accepts = dut.i.valid & dut.i.ready
        here = (i_top + i_row == the_row) & (i_left + i_column == the_column)
        m.d.comb += [
            dut.i.valid.eq(self.i_valid & began & (i_top < vectors)),
            dut.i.payload.number[0].as_value().eq(here),
        ]
        with m.If(accepts):
            m.d.sync += i_column.eq(i_column + 1)
            with m.If(i_column == columns - 1):
                m.d.sync += [i_column.eq(0), i_row.eq(i_row + 1)]
                with m.If(i_row == rows - 1):
                    m.d.sync += [i_row.eq(0), i_left.eq(i_left + columns)]
                    with m.If(i_left + columns >= length):
                        m.d.sync += [i_left.eq(0), i_top.eq(i_top + rows)]
        # Place of the number at the output.
        o_row, o_lane, o_top, o_left = (Signal(6, name=f"o_{name}") for name in ("row", "lane", "top", "left"))
        takes = dut.o.valid & self.o_ready
        due = (o_top + o_row == the_row) & (o_left + o_lane == the_column)
        last_row = (o_row == rows - 1) | (o_top + o_row + 1 == vectors)
        m.d.comb += [
            dut.o.ready.eq(self.o_ready),
            Assert(~takes | (o_top < vectors)),
            Assert(~takes | (dut.o.payload.number.as_value() == due)),
            Assert(~takes | (dut.o.payload.group == (o_lane == lanes - 1))),
            Assert(~takes | (dut.o.payload.last == ((o_lane == lanes - 1) & last_row))),
        ]
        with m.If(takes):
            m.d.sync += o_lane.eq(o_lane + 1)
            with m.If(o_lane == lanes - 1):
                m.d.sync += [o_lane.eq(0), o_row.eq(o_row + 1)]
                with m.If(last_row):
                    m.d.sync += [o_row.eq(0), o_left.eq(o_left + lanes)]
                    with m.If(o_left + lanes >= length):
                        m.d.sync += [o_left.eq(0), o_top.eq(o_top + rows)]
        return m

    def _first(self, m, began, name):
        """Return the value of an input in the first cycle."""
        port = getattr(self, name)
        first = Signal.like(port, name=f"the_{name}")
        m.d.sync += first.eq(Mux(began, first, port))
        return Mux(began, first, port)


def results_of_tiles(rows, columns, lanes, vectors, length):
    """All sizes of a result up to ``vectors`` times ``length``, in tiles of ``rows`` times ``columns``."""
    return [
        pytest.param((rows, columns, lanes, *size), marks=pytest.mark.slow if rows * columns > 1 else ())
        for size in product(range(1, vectors + 1), range(1, length + 1))
    ]


@pytest.mark.parametrize(
    "shape", results_of_tiles(1, 1, 2, 2, 3) + results_of_tiles(2, 1, 2, 3, 3) + results_of_tiles(1, 3, 2, 2, 5)
)
def test_each_number_leaves_in_its_place(prove, shape):
    rows, columns, _, vectors, length = shape
    enter = rows * columns * -(-vectors // rows) * -(-length // columns)
    prove(EachNumberLeavesInItsPlace(*shape), depth=enter + 6)
