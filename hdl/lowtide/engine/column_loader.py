"""Column loader: takes the scales and the offsets of the columns from the stream of addends."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.netlist import Unit

__all__ = ["ColumnLoader"]


class ColumnLoader(Unit):
    """Column loader: writes the scales and the offsets of a product into the memories of a `ColumnNormalizer`.

    The stream ``d`` of a product with scales begins with a scale per column of the tiles of a row of tiles, and then
    has an offset per column. Further addends pass to `PostOperations`. If ``last`` arrives too early, zeros replace the
    missing scales and offsets, and the further addends are a single beat of zeros with ``last``. If ``last`` does not
    arrive with the last beat, the unit drops all beats up to ``last``. It flags both faults.

    Parameters
    ----------
    beats : int
        Beats per row of a tile.
    numbers : int
        Numbers per beat.
    tiles : int
        Most tiles per row of tiles with scales, for which the memories have room.
    across : int
        Most tiles per row of tiles.
    passes : bool
        Whether further addends may follow.

    Members
    -------
    start : In(1)
        Pulses for one cycle to start a product with scales. Only while ``busy`` is low.
    more : In(1)
        High if further addends follow; steady from ``start`` until ``busy`` is low, as ``across``. Only with
        ``passes``.
    across : In(range(across + 1))
        Tiles per row of tiles.
    i : In(stream of fp32_beat(numbers))
        Addends; ``last`` is high with the last beat of a product that has any.
    o : Out(stream of fp32_beat(numbers))
        Further addends. Only with ``passes``.
    write : Out(2)
        Write enable of the memories: bit 0 for scales, bit 1 for offsets.
    address : Out(range(tiles * beats))
        Beat to write.
    data : Out(32 * numbers)
        Scales or offsets.
    loading : Out(1)
        High until all scales and offsets are written.
    busy : Out(1)
        High from the cycle after ``start`` until the scales and offsets have ended.
    too_short : Out(1)
        Pulses for one cycle when ``last`` arrives with a scale or an offset, too early.
    too_long : Out(1)
        Pulses for one cycle when ``last`` does not arrive with the last offset of a product without further addends.
    """

    def __init__(self, beats: int, numbers: int, tiles: int, across: int, passes: bool):
        self.beats, self.passes = beats, passes
        self.module_name = f"column_loader_{beats}_n{numbers}_t{tiles}_a{across}" + "_passes" * passes
        beat = fp32_beat(numbers)
        super().__init__(
            {
                "start": In(1),
                **({"more": In(1)} if passes else {}),
                "across": In(range(across + 1)),
                "i": In(stream.Signature(beat)),
                **({"o": Out(stream.Signature(beat))} if passes else {}),
                "write": Out(2),
                "address": Out(range(tiles * beats)),
                "data": Out(32 * numbers),
                "loading": Out(1),
                "busy": Out(1),
                "too_short": Out(1),
                "too_long": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        loading = Signal()
        offsets = Signal()  # the scales are complete
        filling = Signal()  # `last` has arrived
        dropping = Signal()
        beat = Signal(range(self.beats))
        tile = Signal.like(self.across)
        address = Signal.like(self.address)

        takes, tile_ends, part_ends, ends = Signal(), Signal(), Signal(), Signal()
        more = self.more if self.passes else Const(0)
        m.d.comb += [
            takes.eq(loading & (filling | self.i.valid)),
            tile_ends.eq(beat == self.beats - 1),
            part_ends.eq(tile_ends & (tile + 1 == self.across)),
            ends.eq(part_ends & offsets),
            self.write.eq(Cat(takes & ~offsets, takes & offsets)),
            self.address.eq(address),
            self.data.eq(Mux(filling, 0, self.i.payload.number.as_value())),
            self.loading.eq(loading),
            self.busy.eq(loading | dropping),
            self.too_short.eq(takes & ~filling & self.i.payload.last & (~ends | more)),
            self.too_long.eq(takes & ~filling & ~self.i.payload.last & ends & ~more),
            self.i.ready.eq((loading & ~filling) | dropping),
        ]
        with m.If(takes):
            m.d.sync += [
                filling.eq((filling | self.i.payload.last) & ~(ends & ~more)),
                dropping.eq(self.too_long),
                address.eq(Mux(part_ends, 0, address + 1)),
                beat.eq(Mux(tile_ends, 0, beat + 1)),
                tile.eq(Mux(part_ends, 0, tile + tile_ends)),
                offsets.eq(offsets ^ part_ends),
                loading.eq(~ends),
            ]
        with m.If(dropping & self.i.valid & self.i.payload.last):
            m.d.sync += dropping.eq(0)
        with m.If(self.start):
            m.d.sync += loading.eq(1)
        if self.passes:
            passing = Signal()
            m.d.comb += [
                passing.eq(~loading & ~dropping),
                self.o.valid.eq(passing & (filling | self.i.valid)),
                self.o.payload.eq(self.i.payload),
            ]
            with m.If(passing & filling):
                m.d.comb += [self.o.payload.number.eq(0), self.o.payload.last.eq(1)]
            with m.Elif(passing):
                m.d.comb += self.i.ready.eq(self.o.ready)
            with m.If(passing & filling & self.o.ready):
                m.d.sync += filling.eq(0)
        return m
