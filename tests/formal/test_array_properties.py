"""Proofs about the array's control, for any behavior of its neighbors."""

import pytest
from amaranth.hdl import Array, Assert, Assume, Cat, Module, Mux, ResetSignal, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from lowtide.array import differentiator
from lowtide.array.collector import Collector
from lowtide.array.differentiator import Differentiators
from lowtide.array.feeder import Feeder
from lowtide.units.stream.delay import delay, delayed


class RestartsAreApart(wiring.Component):
    """Restarts are ``spacing`` cycles apart, need a free result slot, and end a tile; both sides stay in step."""

    def __init__(self, spacing, restarts):
        self.spacing, self.restarts = spacing, restarts
        inputs = ("room", "a_valid", "b_valid", "a_last", "b_last")
        super().__init__({name: In(1) for name in inputs})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Feeder(self.spacing, self.restarts)
        m.d.comb += [getattr(dut, name).eq(getattr(self, name)) for name in self.signature.members]
        take = ~dut.idle
        since = Signal(range(self.spacing + 1), init=self.spacing)  # cycles since a restart, saturated
        m.d.sync += since.eq(Mux(dut.restart, 1, Mux(since == self.spacing, since, since + 1)))
        begun = Signal()  # a beat was accepted
        m.d.sync += begun.eq(begun | take)
        m.d.comb += [
            Assert(~dut.restart | (since == self.spacing)),
            Assert(~dut.restart | self.room),
            Assert(dut.finished == (take & self.a_last)),
            Assert(dut.finished == (dut.restart & (begun | take))),
            Assert((dut.a_ready & self.a_valid) == take),
            Assert((dut.b_ready & self.b_valid) == take),
        ]
        return m


@pytest.mark.parametrize(("spacing", "restarts"), [(2, 1), (6, 1), (5, 2)])
def test_restarts_are_apart(prove, spacing, restarts):
    prove(RestartsAreApart(spacing, restarts), depth=16)


class DifferencesAreTheSumsOfTiles(wiring.Component):
    """For any running sums before, and tiles at any distance, a column's differences are the sums of the tile."""

    def __init__(self, rows, columns, width, block):
        self.rows, self.columns, self.width, self.block = rows, columns, width, block
        super().__init__({"start": In(1), "tile": In(rows * columns * width)})

    def elaborate(self, platform):
        m = Module()
        rows, width, half = self.rows, self.width, (self.width + 1) // 2
        m.submodules.dut = dut = Differentiators(rows, self.columns, half, self.block)
        wait = Signal(range(2 * rows))  # cycles until the next tile may start
        m.d.sync += wait.eq(Mux(self.start, 2 * rows - 1, Mux(wait.any(), wait - 1, 0)))
        m.d.comb += [Assume(~self.start | ~wait.any()), Assume(~ResetSignal()), dut.start.eq(self.start)]
        # One cycle after its start a tile is added, and one cycle later its half words leave, row 0 first.
        arrives = delayed(m, self.start)
        position, leaves, tiles = Signal(range(2 * rows)), Signal(), Signal(2)
        with m.If(arrives):
            m.d.sync += [position.eq(0), leaves.eq(1), tiles.eq(Mux(tiles == 2, 2, tiles + 1))]
        with m.Else():
            m.d.sync += [position.eq(position + 1), leaves.eq(leaves & (position != 2 * rows - 1))]
        halves = []
        for column in range(self.columns):
            sent, expected = [], []
            for row in range(rows):
                added = self.tile.word_select(row * self.columns + column, width).as_signed()
                tile = Signal(signed(2 * half), name=f"tile_{row}_{column}")
                running = Signal(signed(width), name=f"running_{row}_{column}")
                extended = Signal(signed(2 * half), name=f"extended_{row}_{column}")
                m.d.comb += extended.eq(running)
                with m.If(arrives):
                    m.d.sync += [tile.eq(added), running.eq(running + added)]
                sent += [extended[:half], extended[half:]]
                expected += [tile[:half], tile[half:]]
            late = column // self.block
            halves.append(delayed(m, Array(sent)[position], late))
            difference = dut.o.word_select(column, half) ^ delayed(m, Array(expected)[position], late)
            used = Mux(delayed(m, position[0], late), (1 << width - half) - 1, (1 << half) - 1)  # bits of a sum
            m.d.comb += Assert(~delayed(m, leaves & (tiles == 2), late) | ((difference & used) == 0))
        m.d.comb += dut.i.eq(Cat(halves))
        return m


@pytest.mark.parametrize(
    ("rows", "columns", "width", "block"),
    [(1, 1, 4, 1), (2, 1, 3, 1), pytest.param(1, 3, 3, 2, marks=pytest.mark.slow)],
)
def test_differences_are_the_sums_of_tiles(prove, rows, columns, width, block):
    prove(DifferencesAreTheSumsOfTiles(rows, columns, width, block), depth=6 * rows + columns + 6)


def test_a_lost_borrow_is_found(prove, monkeypatch):
    monkeypatch.setattr(differentiator, "Mux", lambda *_: 0)
    with pytest.raises(AssertionError, match="failed assertion"):
        prove(DifferencesAreTheSumsOfTiles(1, 1, 4, 1), depth=13)


class PromisesAreKept(wiring.Component):
    """With tiles at the full rate and any sink, every row arrives once, in order, and complete."""

    def __init__(self, rows, columns, way, block):
        self.rows, self.columns, self.way, self.block = rows, columns, way, block
        super().__init__({"promise": In(1), "ready": In(1)})

    def elaborate(self, platform):
        m = Module()
        width, rows, columns = 4, self.rows, self.columns
        m.submodules.dut = dut = Collector(rows, columns, width, rows, self.block)
        m.submodules.way = way = delay(self.way, 1, reset_less=False)
        wait = Signal(range(2 * rows))  # cycles of a tile's half words
        m.d.sync += wait.eq(Mux(self.promise, 2 * rows - 1, Mux(wait.any(), wait - 1, 0)))
        m.d.comb += Assume(~self.promise | (dut.room & ~wait.any()))
        # Half words count up, so that each row is identified by its number.
        half = Signal(2)
        low = Signal()
        number = Signal(4)
        left = Signal(range(2 * rows + 1))
        coming = Signal()
        m.d.comb += [coming.eq(way.o | left.any()), half.eq(Mux(low, number[2:], number[:2]))]
        with m.If(coming):
            m.d.sync += [low.eq(~low), number.eq(number + low), left.eq(Mux(way.o, 2 * rows, left) - 1)]
        m.d.comb += [way.i.eq(self.promise), dut.reserve.eq(self.promise), dut.start.eq(way.o)]
        halves = Cat(delayed(m, half, column // self.block) for column in range(columns))
        m.d.comb += [dut.halves.eq(halves), dut.ready.eq(self.ready)]

        awaited = Signal(4)
        row = Signal(range(rows))
        with m.If(dut.valid & self.ready):
            m.d.sync += [awaited.eq(awaited + 1), row.eq(Mux(dut.last, 0, row + 1))]
        m.d.comb += [
            Assert(~dut.valid | (dut.data == awaited.replicate(columns))),
            Assert(~dut.valid | (dut.last == (row == rows - 1))),
        ]
        return m


@pytest.mark.parametrize(
    ("rows", "columns", "way", "block"),
    [
        (1, 1, 3, 1),
        pytest.param(2, 1, 3, 1, marks=pytest.mark.slow),
        pytest.param(2, 2, 3, 2, marks=pytest.mark.slow),
        pytest.param(2, 3, 3, 1, marks=pytest.mark.slow),
        pytest.param(2, 3, 3, 2, marks=pytest.mark.slow),
    ],
)
def test_promises_are_kept(prove, rows, columns, way, block):
    prove(PromisesAreKept(rows, columns, way, block), depth=18)
