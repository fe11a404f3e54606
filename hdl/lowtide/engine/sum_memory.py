"""Sum memory: exact sums of a block of results in block RAM, from which a long reduction is added up in passes."""

import attrs
from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.netlist import Unit
from lowtide.units.conversion.row_normalizer import MOST_ROW_BITS
from lowtide.units.stream.memories import memory_ports

__all__ = ["MOST_SUM_BITS", "SumMemory", "SumMemoryParams", "times"]

MOST_SUM_BITS = 1 << 24
"""Most bits of a memory: Amaranth writes its initial contents as one constant, in gigabytes of the host's memory."""


@attrs.frozen(kw_only=True)
class SumMemoryParams:
    """Parameters of a sum memory.

    Parameters
    ----------
    rows, columns : int
        Rows and columns of a tile.
    tiles : int
        Tiles whose sums the memory stores.
    width : int
        Bits of an accumulator.
    sum_width : int
        Bits of a sum, at least ``width``.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, a row is too wide, the memory is too large, or sums are narrower than
        accumulators.
    """

    rows: int = parameter(8, range(1, 513), "rows of a tile")
    columns: int = parameter(8, range(1, 513), "columns of a tile")
    tiles: int = parameter(256, range(1, 2**18 + 1), "tiles whose sums the memory stores")
    width: int = parameter(35, range(2, 129), "bits of an accumulator")
    sum_width: int = parameter(43, range(2, 129), "bits of a sum, at least the accumulator's")

    def __attrs_post_init__(self):
        if self.sum_width < self.width:
            raise IllegalValue("sum_width", f"{self.width} or more (the width of an accumulator)", self.sum_width)
        most = MOST_ROW_BITS // self.sum_width
        if self.columns > most:
            because = f"a row has at most {MOST_ROW_BITS:,} bits, {self.sum_width} per sum"
            raise IllegalValue("columns", f"from 1 to {most} ({because})", self.columns)
        because = f"a memory has at most {MOST_SUM_BITS:,} bits, {self.sum_width} per sum"
        most = MOST_SUM_BITS // (self.columns * self.sum_width)
        if self.rows > most:
            raise IllegalValue("rows", f"from 1 to {most} ({because})", self.rows)
        most //= self.rows
        if self.tiles > most:
            raise IllegalValue("tiles", f"from 1 to {most} ({because})", self.tiles)

    @property
    def layout_i(self) -> data.StructLayout:
        """Layout of a row of accumulators, as an array sends it."""
        return data.StructLayout({"data": self.columns * self.width, "last": 1})

    @property
    def layout_tile(self) -> data.StructLayout:
        """Layout of a tile: its place in the block, what happens to its sums, and its marks."""
        index = range(self.tiles)
        return data.StructLayout({"index": index, "add": 1, "keep": 1, "end": 1, "scale": signed(10)})

    @property
    def layout_o(self) -> data.StructLayout:
        """Layout of a row of sums with the marks of its tile."""
        return data.StructLayout({"data": self.columns * self.sum_width, "last": 1, "scale": signed(10)})


class SumMemory(Unit):
    """Sum memory: adds rows of accumulators to the sums that it stores, and stores or sends the new sums.

        sum = accumulator + (stored sum if ``add`` else 0)

    With ``keep``, the new sums are stored and not sent. Otherwise they are sent, and the stored sums stay. Without
    ``add`` and ``keep``, accumulators are sent as they are, sign-extended.

    The memory reads ahead, up to two rows, because a block RAM and an adder are too slow for one cycle. The first row
    of a product with ``add`` therefore waits until all earlier rows are stored. Within a product, every tile has its
    own ``index``, so no other row waits. The unit accepts a row every second cycle, the rate of an array, and no path
    leads from ``o.ready`` to ``i.ready`` or to the memory.

    Parameters
    ----------
    params : SumMemoryParams
        Shape of a tile, number of tiles, widths.

    Members
    -------
    tile : In(stream of params.layout_tile)
        Tiles, in the order of their rows. ``add`` and ``keep`` are equal for all tiles of a product, ``end`` is high
        with its last tile, and ``scale`` accompanies its rows. Accepted when the sums of its last row are read.
    i : In(stream of params.layout_i)
        Rows of signed accumulators, column 0 in the lowest bits. ``last`` marks the last row of a tile.
    o : Out(stream of params.layout_o)
        Rows of signed sums, ``latency`` cycles after their accumulators. ``last`` marks the last row of a product.
    kept : Out(1)
        Pulses for one cycle when the last row of a product with ``keep`` is stored.

    Attributes
    ----------
    latency : int
        Cycles from an accepted row of accumulators to its sums.
    """

    latency = 2

    def __init__(self, params: SumMemoryParams):
        self.params = params
        self.module_name = f"sum_memory_{params.rows}x{params.columns}x{params.width}_{params.tiles}x{params.sum_width}"
        super().__init__(
            {
                "tile": In(stream.Signature(params.layout_tile)),
                "i": In(stream.Signature(params.layout_i)),
                "o": Out(stream.Signature(params.layout_o)),
                "kept": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params, tile = self.params, self.tile.payload
        depth = params.tiles * params.rows
        row_bits = params.columns * params.sum_width
        write, read = memory_ports(m, "memory", row_bits, depth)
        # A row on its way: its sums are fetched, then wait for the accumulators, then are summed, then sent.
        layout = data.StructLayout({"address": range(depth), "add": 1, "keep": 1, "last": 1, "scale": signed(10)})
        row = Signal(range(params.rows))  # of the tile, to read next
        last = Signal()
        starts = Signal(init=1)  # the row is the first one of a product
        next_row = Signal(layout)
        reads = Signal()
        moves = Signal()
        full = [Signal(name=f"full_{n}") for n in range(4)]
        fetched = Signal(layout, reset_less=True)
        waiting = Signal(layout, reset_less=True)
        summed = Signal(layout, reset_less=True)
        stages = (fetched, waiting, summed)
        stored = Signal(row_bits, reset_less=True)
        sums = Signal(row_bits, reset_less=True)
        sent = Signal(params.layout_o, reset_less=True)
        keeping = Signal()  # a row on its way will be stored
        takes = Signal()
        leaves = Signal()
        m.d.comb += keeping.eq(Cat(valid & stage.keep for valid, stage in zip(full[:3], stages, strict=True)).any())
        m.d.comb += [
            last.eq(row == params.rows - 1),
            next_row.address.eq(times(tile.index, params.rows) + row),
            next_row.add.eq(tile.add),
            next_row.keep.eq(tile.keep),
            next_row.last.eq(last & tile.end),
            next_row.scale.eq(tile.scale),
            takes.eq(full[1] & self.i.valid & ~full[2]),
            leaves.eq(summed.keep | ~full[3] | self.o.ready),
            moves.eq(~full[0] | ~full[1]),
            reads.eq(self.tile.valid & moves & ~(tile.add & starts & keeping)),
            self.tile.ready.eq(reads & last),
            # Independent of the sink: a path from its `ready` to the memory or the array would be too long.
            self.i.ready.eq(full[1] & ~full[2]),
            read.addr.eq(next_row.address),
            read.en.eq(reads & tile.add),
        ]
        with m.If(reads):
            m.d.sync += [row.eq(Mux(last, 0, row + 1)), starts.eq(next_row.last)]
        with m.If(moves):
            m.d.sync += [full[0].eq(reads), fetched.eq(next_row)]
        with m.If(~full[1]):
            m.d.sync += [full[1].eq(full[0]), waiting.eq(fetched), stored.eq(Mux(fetched.add, read.data, 0))]
        with m.Elif(takes):
            m.d.sync += full[1].eq(0)
        with m.If(~full[2]):
            m.d.sync += [full[2].eq(takes), summed.eq(waiting)]
            for column in range(params.columns):
                accumulator = self.i.payload.data.word_select(column, params.width).as_signed()
                before = stored.word_select(column, params.sum_width).as_signed()
                m.d.sync += sums.word_select(column, params.sum_width).eq(accumulator + before)
        with m.Elif(leaves):
            m.d.sync += full[2].eq(0)
        with m.If(~full[3] | self.o.ready):
            m.d.sync += [
                full[3].eq(full[2] & ~summed.keep),
                sent.data.eq(sums),
                sent.last.eq(summed.last),
                sent.scale.eq(summed.scale),
            ]
        m.d.comb += [
            write.en.eq(full[2] & summed.keep),
            write.addr.eq(summed.address),
            write.data.eq(sums),
            self.kept.eq(write.en & summed.last),
            self.o.valid.eq(full[3]),
            self.o.payload.eq(sent),
        ]
        return m


def times(value: Value, factor: int) -> Value:
    """Return an unsigned value times a constant as a sum of shifted values, which takes no DSP block."""
    terms = [value << n for n in range(factor.bit_length()) if factor >> n & 1]
    return sum(terms[1:], terms[0])
