"""Sequencer: the beats of a product, tile by tile, as addresses into the buffers of both operands."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.engine.tile_order import TileOrder
from lowtide.netlist import Unit, place

__all__ = ["Sequencer", "sides_layout"]


def sides_layout(words: int, most_chunks: int) -> data.StructLayout:
    """What is to be known of an operand: panels, words of each, chunks of a group, bank, and whether it is new."""
    return data.StructLayout(
        {
            "panels": range(words + 1),
            "size": range(words + 1),
            "chunks": range(most_chunks + 1),
            "bank": 1,
            "new": 1,
        }
    )


class Sequencer(Unit):
    """Walks over the beats of each tile of a product, tiles in the order of `TileOrder`.

    For each group along the reduction a tile has a beat for every pair of a chunk of A and a chunk of B, those of B
    changing first. A tile begins once both of its panels are loaded; the next product follows the last tile of this one
    without a cycle between.

    Parameters
    ----------
    words : int
        Words of a buffer.
    chunks_a, chunks_b : int
        Most chunks of a magnitude.

    Members
    -------
    i : In(stream of {a: sides_layout, b: sides_layout})
        Products. One is taken in the cycle in which its last beat is.
    loading_a, loading_b : In(1)
        Bank into which an operand is loaded, or was last.
    loaded_a, loaded_b : In(range(words + 1))
        Panels that are complete in it. In the other bank all of them are.
    ready : In(1)
        The beat is taken, if there is one.
    valid : Out(1)
        There is a beat.
    bank_a, bank_b, address_a, address_b : Out
        Where its chunks are.
    last, ends : Out(1)
        It is the last of its tile; of its product.
    waits : Out(1)
        There is a product, and its next panel is not loaded yet.
    """

    def __init__(self, words: int, chunks_a: int, chunks_b: int):
        self.words = words
        self.module_name = f"sequencer_{words}_{chunks_a}_{chunks_b}"
        layout = data.StructLayout({"a": sides_layout(words, chunks_a), "b": sides_layout(words, chunks_b)})
        self._tiles = TileOrder(words)
        super().__init__(
            {
                "i": In(stream.Signature(layout)),
                "loading_a": In(1),
                "loading_b": In(1),
                "loaded_a": In(range(words + 1)),
                "loaded_b": In(range(words + 1)),
                "ready": In(1),
                "valid": Out(1),
                "bank_a": Out(1),
                "bank_b": Out(1),
                "address_a": Out(range(words)),
                "address_b": Out(range(words)),
                "last": Out(1),
                "ends": Out(1),
                "waits": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        a, b = self.i.payload.a, self.i.payload.b
        at_a = Signal(range(self.words))  # in the panel
        at_b = Signal(range(self.words))
        group_b = Signal(range(self.words))
        chunk_a = Signal.like(a.chunks)
        chunk_b = Signal.like(b.chunks)
        there = Signal()
        moves = Signal()
        last_a = Signal()
        last_b = Signal()
        last = Signal()
        operands = {
            f"{field}_{name}": operand[field]
            for name, operand in (("a", a), ("b", b))
            for field in ("panels", "size", "new")
        }
        tiles = place(m, platform, "tiles", self._tiles, **operands, next=moves & self.last)
        m.d.comb += [
            there.eq(
                ((a.bank != self.loading_a) | (self.loaded_a > tiles.panel_a))
                & ((b.bank != self.loading_b) | (self.loaded_b > tiles.panel_b))
            ),
            self.valid.eq(self.i.valid & there),
            self.waits.eq(self.i.valid & ~there),
            moves.eq(self.valid & self.ready),
            last_b.eq(chunk_b + 1 == b.chunks),
            last_a.eq(chunk_a + 1 == a.chunks),
            last.eq(at_a + 1 == a.size),  # the last word of A, met by the last chunk of B
            self.last.eq(last & last_b),
            self.ends.eq(self.last & tiles.ends),
            self.i.ready.eq(moves & self.ends),
            self.bank_a.eq(a.bank),
            self.bank_b.eq(b.bank),
            self.address_a.eq(tiles.base_a + at_a),
            self.address_b.eq(tiles.base_b + at_b),
        ]
        with m.If(moves):
            m.d.sync += [at_b.eq(at_b + 1), chunk_b.eq(chunk_b + 1)]
            with m.If(last_b):
                # The next chunk of A meets the same chunks of B; the next group the next ones.
                m.d.sync += [chunk_b.eq(0), at_b.eq(group_b), chunk_a.eq(chunk_a + 1), at_a.eq(at_a + 1)]
                with m.If(last_a):
                    m.d.sync += [chunk_a.eq(0), at_b.eq(at_b + 1), group_b.eq(at_b + 1)]
            with m.If(self.last):
                m.d.sync += [at_a.eq(0), at_b.eq(0), group_b.eq(0)]
        return m
