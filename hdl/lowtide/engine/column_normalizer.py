"""Column normalizer: converts rows of exact sums to FP32, with an offset and a scale per column."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import BIAS
from lowtide.netlist import Unit, place
from lowtide.units.conversion.normalizer import Normalizer, NormalizerParams
from lowtide.units.conversion.row_normalizer import RowNormalizerParams
from lowtide.units.conversion.scaled_normalizer import ScaledNormalizer
from lowtide.units.row_lanes import count_accepted
from lowtide.units.stream.delay import delayed
from lowtide.units.stream.memories import memory_ports
from lowtide.units.stream.width_converters import StreamDownsizer

__all__ = ["ColumnNormalizer"]

ONE = BIAS << 23
"""Word of the FP32 number 1."""


class ColumnNormalizer(Unit):
    """Column normalizer: a `RowNormalizer` of one product at a time, with an offset and a scale per column.

    A result is ``(sum + offset) * factor * 2**scale``, rounded once, see `ScaledNormalizer`. Two memories have the
    factors and the offsets of all columns of a product. The rows of a product with factors arrive tile by tile, in row
    order. Rows beyond M, whose sums are zero, have no offset: their results are +0. Without ``tiles``, the unit has no
    memories, and a result is ``sum * 2**scale``.

    Parameters
    ----------
    params : RowNormalizerParams
        Columns, width, normalizers.
    rows : int
        Rows of a tile.
    tiles : int
        Most tiles per row of tiles of a product with factors, for which the memories have room; 0 without factors.
    across : int
        Most tiles per row of tiles.
    vectors : int
        Most rows of a product.

    Members
    -------
    i : In(stream of {"data": columns * width, "last": 1})
        Rows of signed sums, column 0 in the lowest bits. ``last`` is user-defined and passes through.
    scale : In(signed(10))
        Exponent of the lowest bit of a sum. Steady while a row is offered.
    odd : In(1)
        Rounds to odd while high, see `Fp32Rounder`; steady while a product is in the unit, as ``scaled`` and
        ``across``.
    scaled : In(1)
        High to use the factors and offsets; otherwise 1 and 0. Only with ``tiles``.
    across : In(range(across + 1))
        Tiles per row of tiles. Only with ``tiles``.
    vectors : In(range(vectors + 1))
        Rows of the product; sampled with ``start``. Only with ``tiles``.
    start : In(1)
        Pulses for one cycle before the first row of a product. Only with ``tiles``.
    write : In(2)
        Write enable of the memories: bit 0 for factors, bit 1 for offsets. Only with ``tiles``.
    address : In(range(tiles * params.beats))
        Beat to write: the columns of a row of tiles follow each other. Only with ``tiles``.
    data : In(32 * params.normalizers)
        Factors, or offsets in their lowest ``offset_bits`` bits. Only with ``tiles``.
    o : Out(stream of {"lane": ArrayLayout(FP32, params.normalizers), "row": 1, "last": 1})
        Beats of numbers. The first beat of a row follows ``latency`` cycles after the row is offered if nothing stalls.
        ``row`` marks the last beat of a row.
    clear : In(1)
        Resets the counts.
    overflows, underflows : Out(params.counter_bits)
        Results accepted since reset or ``clear`` that were infinite, or zero from a nonzero product.

    Attributes
    ----------
    latency : int
        Cycles from an offered row to its first beat.
    settings : tuple of str
        Names of the ports of settings, factors and offsets.
    """

    def __init__(self, params: RowNormalizerParams, rows: int, tiles: int, across: int, vectors: int):
        self.params, self.rows, self.tiles = params, rows, tiles
        self._downsizer = StreamDownsizer(params.columns, params.width, params.normalizers)
        core = NormalizerParams(width=params.width)
        self._lanes = [
            ScaledNormalizer(core) if tiles else Normalizer(core, rounds_to_odd=True) for _ in range(params.normalizers)
        ]
        self.latency = self._downsizer.latency + self._lanes[0].latency
        self.module_name = (
            f"column_normalizer_{rows}x{params.columns}x{params.width}_n{params.normalizers}_c{params.counter_bits}"
            + (f"_t{tiles}_a{across}_v{vectors}" if tiles else "")
        )
        scaling = {
            "scaled": In(1),
            "across": In(range(across + 1)),
            "vectors": In(range(vectors + 1)),
            "write": In(2),
            "address": In(range(tiles * params.beats)),
            "data": In(32 * params.normalizers),
        }
        self.settings = "odd", *(scaling if tiles else ())
        super().__init__(
            {
                "i": In(stream.Signature(params.layout_i)),
                "scale": In(signed(10)),
                "odd": In(1),
                **(scaling | {"start": In(1)} if tiles else {}),
                "o": Out(stream.Signature(params.layout_o)),
                "clear": In(1),
                "overflows": Out(params.counter_bits),
                "underflows": Out(params.counter_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        downsizer, lanes = self._downsizer, self._lanes
        # The lanes run in lockstep: the handshake and the mark of the first are valid for all.
        first = lanes[0]
        move = first.i.ready
        place(m, platform, "downsizer", downsizer, enable=move, i=self.i)
        scale = delayed(m, self.scale, downsizer.latency, enable=move)
        columns = self._columns(m, move) if self.tiles else [{}] * len(lanes)
        for n, (lane, its) in enumerate(zip(lanes, columns, strict=True)):
            place(
                m,
                platform,
                f"normalizer_{n}",
                lane,
                i__payload=Cat(downsizer.words.word_select(n, downsizer.width), downsizer.last),
                i__valid=downsizer.valid,
                o=self.o,
                scale=scale,
                odd=self.odd,
                **its,
            )
            m.d.comb += self.o.payload.lane[n].eq(lane.o.payload.data)
        m.d.comb += [
            self.i.ready.eq(downsizer.i.ready),
            self.o.valid.eq(first.o.valid),
            self.o.payload.row.eq(delayed(m, downsizer.row, first.latency, enable=move)),
            self.o.payload.last.eq(first.o.payload.last),
        ]
        for kind in ("overflow", "underflow"):
            events = (getattr(lane, kind) for lane in lanes)
            count_accepted(m, platform, self, f"{kind}s", events, self.params.counter_bits)
        return m

    def _columns(self, m: Module, move: Value) -> list[dict[str, Value]]:
        """Read the factor and the offset of each lane of the beat that the lanes accept."""
        lanes, bits = len(self._lanes), self._lanes[0].offset_bits
        at, inside = self._position(m, move)
        adds = delayed(m, inside & self.scaled, enable=move)
        read = []
        for n, (name, width) in enumerate((("factors", 32), ("offsets", bits))):
            write, port = memory_ports(m, name, width * lanes, self.tiles * self.params.beats)
            m.d.comb += [
                write.en.eq(self.write[n]),
                write.addr.eq(self.address),
                write.data.eq(Cat(self.data.word_select(lane, 32)[:width] for lane in range(lanes))),
                port.en.eq(move),
                port.addr.eq(at),
            ]
            read.append([port.data.word_select(lane, width) for lane in range(lanes)])
        return [
            {
                "factor": Mux(self.scaled, factor, Const(ONE, 32)),
                "offset": Mux(adds, offset, 0).as_signed(),
            }
            for factor, offset in zip(*read, strict=True)
        ]

    def _position(self, m: Module, move: Value) -> tuple[Value, Value]:
        """Follow the beats of a product.

        Returns the place of the beat's columns in the memories, and whether its row is a row of the product.
        """
        row = Signal(range(self.rows))
        tile = Signal.like(self.across)
        address = Signal.like(self.address)
        base = Signal.like(address)  # of the tile
        left = Signal.like(self.vectors)  # rows from this row of tiles on
        row_ends = self._downsizer.row
        tile_ends = Signal()
        m.d.comb += tile_ends.eq(row_ends & (row == self.rows - 1))
        with m.If(move & self._downsizer.valid):
            m.d.sync += address.eq(address + 1)
            with m.If(row_ends):
                m.d.sync += [address.eq(base), row.eq(row + 1)]
            with m.If(tile_ends):
                m.d.sync += [address.eq(address + 1), base.eq(address + 1), row.eq(0), tile.eq(tile + 1)]
                with m.If(tile + 1 == self.across):
                    m.d.sync += [address.eq(0), base.eq(0), tile.eq(0), left.eq(left - self.rows)]
        with m.If(self.start):
            m.d.sync += left.eq(self.vectors)
        return address, row < left
