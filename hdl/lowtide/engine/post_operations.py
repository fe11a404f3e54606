"""Post operations: column bias, ReLU and residual, added to the FP32 results of a product."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.netlist import Unit, place
from lowtide.units.floating.fp32_adder import Fp32Adder
from lowtide.units.stream.delay import delayed
from lowtide.units.stream.memories import memory_ports

__all__ = ["PostLayout", "PostOperations"]


class PostLayout(data.StructLayout):
    """Operations after a product.

    Members
    -------
    add_bias : 1 bit
        1: add a number per column.
    relu : 2 bits
        Bit 0: ReLU before the residual is added. Bit 1: ReLU at the end.
    residual : 1 bit
        1: add a matrix of the size of the product.
    """

    def __init__(self):
        super().__init__({"add_bias": 1, "relu": 2, "residual": 1})


class PostOperations(Unit):
    """Post operations: adds a column bias, applies ReLU, adds a residual, and applies ReLU, each only if selected.

    Results arrive tile by tile, in row order. Each sum is rounded once, see `Fp32Adder`. An operation that is not
    selected adds +0, which changes no result of a product.

    The stream ``d`` has the addends of a product, and ``last`` with its last beat: first the column bias, a number per
    column of the tiles of a row of tiles, which a memory stores; then the residual, in the order of the results and
    with their padding. Addends of columns beyond N must be zero. Addends of rows beyond M are ignored. If ``last``
    arrives too early, zeros replace the missing addends. If it does not arrive with the last beat, the unit drops all
    beats up to ``last``. It flags both faults.

    The stages advance together, whenever the last stage is empty or its beat is accepted. The stages before the sum
    with the residual also wait for the residual. A product starts after the results of the product before have left.

    Parameters
    ----------
    rows, columns : int
        Rows and columns of a tile.
    numbers : int
        Numbers per beat, a divisor of ``columns``.
    tiles : int
        Most tiles per row of tiles with a column bias, for which the memory has room.
    across : int
        Most tiles per row of tiles.
    vectors : int
        Most rows of a product.

    Members
    -------
    start : In(1)
        Pulses for one cycle to start a product. Only while ``busy`` is low.
    settings : In(PostLayout())
        Operations; steady from ``start`` until ``busy`` is low, as ``across`` and ``vectors``.
    across : In(range(across + 1))
        Tiles per row of tiles.
    vectors : In(range(vectors + 1))
        Rows of the product.
    d : In(stream of fp32_beat(numbers))
        Addends; ``last`` is high with the last beat of a product that has any.
    i : In(stream of fp32_beat(numbers))
        Results, column 0 of a row first; ``last`` is high with the last beat of a product.
    o : Out(stream of fp32_beat(numbers))
        Results after the operations, ``latency`` cycles later if nothing stalls.
    busy : Out(1)
        High from the cycle after ``start`` until the last beat is accepted on ``o``, and ``d`` has ended.
    too_short : Out(1)
        Pulses for one cycle when ``d`` ends too early.
    too_long : Out(1)
        Pulses for one cycle when ``d`` does not end with its last beat.
    """

    def __init__(self, rows: int, columns: int, numbers: int, tiles: int, across: int, vectors: int):
        self.rows, self.beats, self.numbers, self.tiles = rows, columns // numbers, numbers, tiles
        self.module_name = f"post_operations_{rows}x{columns}_n{numbers}_t{tiles}_a{across}_v{vectors}"
        beat = fp32_beat(numbers)
        super().__init__(
            {
                "start": In(1),
                "settings": In(PostLayout()),
                "across": In(range(across + 1)),
                "vectors": In(range(vectors + 1)),
                "d": In(stream.Signature(beat)),
                "i": In(stream.Signature(beat)),
                "o": Out(stream.Signature(beat)),
                "busy": Out(1),
                "too_short": Out(1),
                "too_long": Out(1),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from a beat accepted on ``i`` to the beat on ``o``, if nothing stalls."""
        return 1 + 2 * Fp32Adder().latency

    def elaborate(self, platform):
        m = Module()
        settings, adder = self.settings, Fp32Adder().latency
        move = Signal()
        running = Signal()  # beats of the product are still to arrive
        loading = Signal()  # the column bias is still to arrive
        taking = Signal()
        filling = Signal()
        dropping = Signal()

        accepts = Signal()
        m.d.comb += [self.i.ready.eq(move & running & ~loading), accepts.eq(self.i.valid & self.i.ready)]
        free = Signal()  # the second half of the stages advances
        early, present = self._follow(m, accepts, move, 1 + adder)
        adds = Signal()  # a beat is in the middle and needs its residual
        given = Signal()
        m.d.comb += [
            adds.eq(present & settings.residual),
            free.eq(~self.o.valid | self.o.ready),
            given.eq(filling | (taking & self.d.valid)),
            move.eq(free & (~adds | given)),
        ]
        late, present = self._follow(m, present & move, free, adder)

        loads = Signal()  # a beat of the column bias is written
        m.d.comb += loads.eq(loading & given)
        address, inside, bias_ends = self._position(m, loading, loads, accepts)
        write, read = memory_ports(m, "bias", 32 * self.numbers, self.tiles * self.beats)
        addends = self.d.payload.number
        m.d.comb += [
            write.en.eq(loads),
            write.addr.eq(address),
            write.data.eq(Mux(filling, 0, addends.as_value())),
            read.en.eq(move),
            read.addr.eq(address),
        ]

        inside = delayed(m, inside, enable=move)
        has_bias = inside & settings.add_bias
        has_residual = delayed(m, inside, adder, enable=move) & settings.residual & ~filling
        for n in range(self.numbers):
            biased = place(
                m,
                platform,
                f"bias_adder_{n}",
                Fp32Adder(),
                enable=move,
                relu=settings.relu[0],
                x=delayed(m, self.i.payload.number[n].as_value(), enable=move),
                y=_if(has_bias, read.data.word_select(n, 32)),
            )
            total = place(
                m,
                platform,
                f"residual_adder_{n}",
                Fp32Adder(),
                enable=free,
                relu=settings.relu[1],
                x=biased.o,
                y=_if(has_residual, addends[n].as_value()),
            )
            m.d.comb += self.o.payload.number[n].eq(total.o)
        last = delayed(m, self.i.payload.last, 1 + adder, enable=move)
        m.d.comb += [
            self.o.payload.last.eq(delayed(m, last, adder, enable=free)),
            self.o.valid.eq(present),
        ]

        takes = Signal()  # a beat of `d` is used, or a zero in its place
        ends = Signal()
        m.d.comb += [
            takes.eq(loads | (adds & move)),
            ends.eq(Mux(loading, bias_ends & ~settings.residual, last)),
            self.d.ready.eq((taking & (loading | (adds & free))) | dropping),
            self.too_short.eq(taking & takes & self.d.payload.last & ~ends),
            self.too_long.eq(taking & takes & ~self.d.payload.last & ends),
            self.busy.eq(running | Cat(early, late).any() | dropping),
        ]
        with m.If(accepts & self.i.payload.last):
            m.d.sync += running.eq(0)
        with m.If(loads & bias_ends):
            m.d.sync += loading.eq(0)
        with m.If(takes):
            m.d.sync += Cat(taking, filling).eq(Mux(ends, 0, Mux(filling | self.d.payload.last, 0b10, 0b01)))
            m.d.sync += dropping.eq(self.too_long)
        with m.If(dropping & self.d.valid & self.d.payload.last):
            m.d.sync += dropping.eq(0)
        with m.If(self.start):
            m.d.sync += [
                running.eq(1),
                loading.eq(settings.add_bias),
                taking.eq(settings.add_bias | settings.residual),
            ]
        return m

    def _follow(self, m: Module, enters: Value, enable: Value, stages: int) -> tuple[list[Value], Value]:
        """Return whether each of some stages has a beat, and whether the last one has."""
        valid = []
        for _ in range(stages):
            there = Signal(name="there")
            with m.If(enable):
                m.d.sync += there.eq(enters)
            valid.append(there)
            enters = there
        return valid, enters

    def _position(self, m: Module, loading: Value, loads: Value, accepts: Value) -> tuple[Value, Value, Value]:
        """Follow the beats of the column bias, and then of the results.

        Returns the address of the beat's column bias, whether its row is a row of the product, and whether the column
        bias ends with it.
        """
        beat = Signal(range(self.beats))
        row = Signal(range(self.rows))
        tile = Signal.like(self.across)
        address = Signal(range(self.tiles * self.beats))
        base = Signal.like(address)  # of the tile
        left = Signal.like(self.vectors)  # rows from this row of tiles on
        row_ends = Signal()
        tile_ends = Signal()
        tiles_end = Signal()
        m.d.comb += [
            row_ends.eq(beat == self.beats - 1),
            tile_ends.eq(row_ends & (loading | (row == self.rows - 1))),
            tiles_end.eq(tile_ends & (tile + 1 == self.across)),
        ]
        with m.If(loads | accepts):
            m.d.sync += [beat.eq(beat + 1), address.eq(address + 1)]
            with m.If(row_ends):
                m.d.sync += [beat.eq(0), address.eq(base), row.eq(row + 1)]
            with m.If(tile_ends):
                m.d.sync += [address.eq(address + 1), base.eq(address + 1), row.eq(0), tile.eq(tile + 1)]
            with m.If(tiles_end):
                m.d.sync += [address.eq(0), base.eq(0), tile.eq(0)]
                with m.If(~loading):
                    m.d.sync += left.eq(left - self.rows)
        with m.If(self.start):
            m.d.sync += [
                left.eq(self.vectors),
                *(register.eq(0) for register in (beat, row, tile, address, base)),
            ]
        return address, row < left, tiles_end


def _if(selected: Value, word: Value) -> Value:
    """Return an FP32 word, or a word that counts as +0: the fraction does not matter where the exponent is zero."""
    return Cat(word[:23], word[23:] & selected.replicate(9))
