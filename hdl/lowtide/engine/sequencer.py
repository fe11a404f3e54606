"""Sequencer of the chunk pairs of a product, and the issuer of its beats."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.engine.tile_order import TileOrder
from lowtide.netlist import Unit, place

__all__ = ["Issuer", "Sequencer", "sides_layout"]


def sides_layout(words: int, most_chunks: int, banks: int = 2) -> data.StructLayout:
    """Return the layout of an operand of a run: panels, words per panel, chunks per group, bank, new or reused."""
    return data.StructLayout(
        {
            "panels": range(words + 1),
            "size": range(words + 1),
            "chunks": range(most_chunks + 1),
            "bank": range(banks),
            "new": 1,
        }
    )


class Sequencer(Unit):
    """Sequencer: generates the buffer addresses of each beat of a product, with tiles in the order of `TileOrder`.

    For each group along the reduction, a tile has one beat per pair of a chunk of A and a chunk of B; the chunk of B
    changes first. A tile starts once both of its panels are loaded. The next product follows the last tile without an
    idle cycle.

    Parameters
    ----------
    words : int
        Words per bank of a buffer.
    banks : int
        Banks of a buffer.
    chunks_a, chunks_b : int
        Maximum number of chunks per magnitude.
    tiles : tuple of two int
        Panels of A and of B of the largest product whose tiles are numbered for sums on chip; (0, 0) without sums.
    orders : bool
        Whether a port requests tiles in row order.

    Members
    -------
    i : In(stream of {"a": sides_layout(words, chunks_a, banks), "b": sides_layout(words, chunks_b, banks)})
        Products, each accepted with its last beat.
    row_order : In(1)
        High to visit the tiles of the product in row order, whatever is new. Only with ``orders``.
    loading_a, loading_b : In(range(banks))
        Bank into which an operand is being loaded, or was loaded last.
    loaded_a, loaded_b : In(range(words + 1))
        Number of complete panels in that bank. Other banks are complete.
    ready : In(1)
        High when the beat is accepted.
    valid : Out(1)
        High while the addresses of a beat are valid.
    bank_a, bank_b : Out(range(banks))
        Bank of the chunk of A and of B.
    address_a, address_b : Out(range(words))
        Address of the chunk of A and of B.
    last : Out(1)
        High with the last beat of a tile.
    ends : Out(1)
        High with the last beat of a product.
    waits : Out(1)
        High while the next panel of the current product is not loaded.
    tile_a, tile_b : Out(range(tiles[0])), Out(range(tiles[1]))
        Panels of the current tile; only with sums on chip.
    """

    def __init__(
        self,
        words: int,
        chunks_a: int,
        chunks_b: int,
        tiles: tuple[int, int] = (0, 0),
        orders: bool = False,
        banks: int = 2,
    ):
        self.words, self.tiles, self.orders, self.banks = words, tiles, orders, banks
        self.module_name = (
            f"sequencer_{words}_{chunks_a}_{chunks_b}"
            + ("_{}x{}".format(*tiles) if any(tiles) else "")
            + "_row_order" * orders
            + (f"_b{banks}" if banks > 2 else "")
        )
        sides = {"a": sides_layout(words, chunks_a, banks), "b": sides_layout(words, chunks_b, banks)}
        layout = data.StructLayout(sides)
        self._tiles = TileOrder(words)
        super().__init__(
            {
                "i": In(stream.Signature(layout)),
                **({"row_order": In(1)} if orders else {}),
                "loading_a": In(range(banks)),
                "loading_b": In(range(banks)),
                "loaded_a": In(range(words + 1)),
                "loaded_b": In(range(words + 1)),
                "ready": In(1),
                "valid": Out(1),
                "bank_a": Out(range(banks)),
                "bank_b": Out(range(banks)),
                "address_a": Out(range(words)),
                "address_b": Out(range(words)),
                "last": Out(1),
                "ends": Out(1),
                "waits": Out(1),
                **({"tile_a": Out(range(tiles[0])), "tile_b": Out(range(tiles[1]))} if any(tiles) else {}),
            }
        )

    def elaborate(self, platform):
        m = Module()
        a, b = self.i.payload.a, self.i.payload.b
        at_a = Signal(range(self.words))  # word of the panel
        at_b = Signal(range(self.words))
        group_b = Signal(range(self.words))
        chunk_a = Signal.like(a.chunks)
        chunk_b = Signal.like(b.chunks)
        available = Signal()
        moves = Signal()
        last_a = Signal()
        last_b = Signal()
        last = Signal()
        operands = {
            f"{field}_{name}": operand[field]
            for name, operand in (("a", a), ("b", b))
            for field in ("panels", "size", "new")
        }
        if self.orders:
            operands["new_b"] = b.new & ~self.row_order  # as if A alone were new, or neither
        tiles = place(m, platform, "tiles", self._tiles, **operands, next=moves & self.last)
        m.d.comb += [
            available.eq(
                ((a.bank != self.loading_a) | (self.loaded_a > tiles.panel_a))
                & ((b.bank != self.loading_b) | (self.loaded_b > tiles.panel_b))
            ),
            self.valid.eq(self.i.valid & available),
            self.waits.eq(self.i.valid & ~available),
            moves.eq(self.valid & self.ready),
            last_b.eq(chunk_b + 1 == b.chunks),
            last_a.eq(chunk_a + 1 == a.chunks),
            last.eq(at_a + 1 == a.size),  # the last word of A; `last_b` adds the last chunk of B
            self.last.eq(last & last_b),
            self.ends.eq(self.last & tiles.ends),
            self.i.ready.eq(moves & self.ends),
            self.bank_a.eq(a.bank),
            self.bank_b.eq(b.bank),
            self.address_a.eq(tiles.base_a + at_a),
            self.address_b.eq(tiles.base_b + at_b),
        ]
        if any(self.tiles):
            m.d.comb += [self.tile_a.eq(tiles.panel_a), self.tile_b.eq(tiles.panel_b)]
        with m.If(moves):
            m.d.sync += [at_b.eq(at_b + 1), chunk_b.eq(chunk_b + 1)]
            with m.If(last_b):
                # The next chunk of A combines with the same chunks of B, the next group with the next chunks.
                m.d.sync += [chunk_b.eq(0), at_b.eq(group_b), chunk_a.eq(chunk_a + 1), at_a.eq(at_a + 1)]
                with m.If(last_a):
                    m.d.sync += [chunk_a.eq(0), at_b.eq(at_b + 1), group_b.eq(at_b + 1)]
            with m.If(self.last):
                m.d.sync += [at_a.eq(0), at_b.eq(0), group_b.eq(0)]
        return m


class Issuer(Unit):
    """Issuer: tracks the words that the buffers read, and whether each is valid and ends a tile.

    Members
    -------
    i_valid : In(1)
        High while the addresses of a beat are valid.
    i_last : In(1)
        High with the last beat of a tile.
    i_ready : Out(1)
        High when the addresses are accepted; the buffers then read.
    room : In(1)
        High while one more tile may end.
    tile : Out(1)
        High when the accepted addresses end a tile.
    move : Out(1)
        Read enable of the buffers.
    o_valid : Out(1)
        High while the words of the buffers are valid, one cycle after their addresses.
    o_last : Out(1)
        High with the last beat of a tile.
    o_ready : In(1)
        High when the array accepts a beat.
    stalled : Out(1)
        High when the array does not accept a valid beat.
    taken : Out(1)
        High when the array accepts a beat.
    """

    def __init__(self):
        self.module_name = "issuer"
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i_ready": Out(1),
                "room": In(1),
                "tile": Out(1),
                "move": Out(1),
                "o_valid": Out(1),
                "o_last": Out(1),
                "o_ready": In(1),
                "stalled": Out(1),
                "taken": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        valid = Signal()
        last = Signal()
        m.d.comb += [
            self.move.eq(~valid | self.o_ready),
            self.i_ready.eq(self.move & self.room),
            self.tile.eq(self.i_valid & self.i_ready & self.i_last),
            self.o_valid.eq(valid),
            self.o_last.eq(last),
            self.stalled.eq(valid & ~self.o_ready),
            self.taken.eq(valid & self.o_ready),
        ]
        with m.If(self.move):
            m.d.sync += [valid.eq(self.i_valid & self.room), last.eq(self.i_last)]
        return m
