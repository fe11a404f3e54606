"""Proofs about the engine's control, for any behavior of streams, loaders and the array."""

from itertools import product
from math import prod

import pytest
from amaranth.hdl import Array, Assert, Assume, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from lowtide.engine.held_operands import HeldLayout, OperandSlots, PingPongBanks
from lowtide.engine.operand_framer import OperandFramer
from lowtide.engine.operand_writer import OperandWriter
from lowtide.engine.sequencer import Issuer, Sequencer
from lowtide.units.conversion.params import ChunkLayout


def steady(m, *inputs):
    """Assume that inputs keep the values of the first cycle."""
    begun = Signal()
    m.d.sync += begun.eq(1)
    for signal in inputs:
        before = Signal.like(signal)
        m.d.sync += before.eq(signal)
        m.d.comb += Assume(~begun | (before == signal))


class BanksAreApart(wiring.Component):
    """No operand is loaded into a bank that a product reads or has yet to read."""

    def __init__(self):
        super().__init__({"load": In(1), "begins": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = PingPongBanks()
        m.d.comb += [dut.load.eq(self.load), dut.begins.eq(self.begins), Assume(~self.load | dut.free)]
        waiting = Signal(2)  # loaded banks that no product has read yet
        reading = Signal(2)  # the bank that is read
        next_run = Signal()  # banks alternate
        m.d.comb += [Assume(~self.begins | Array(waiting)[next_run]), Assert(~waiting.all() | ~dut.free)]
        written, begun = Mux(self.load, Const(1, 2) << dut.write, 0), Mux(self.begins, Const(1, 2) << next_run, 0)
        m.d.sync += [
            waiting.eq((waiting & ~begun) | written),
            reading.eq(Mux(self.begins, begun, reading)),
            next_run.eq(next_run ^ self.begins),
        ]
        m.d.comb += [Assert(~(written & (waiting | reading)).any()), Assert(dut.loaded == ~dut.write)]
        return m


def test_banks_are_apart(prove):
    prove(BanksAreApart(), depth=12)


class SlotsAreNotOverwritten(wiring.Component):
    """No operand is loaded into a slot that a waiting or current run reads; a run has the operand loaded last there.

    Runs complete in order. The properties hold for one slot and one word of what is held, chosen by the prover.
    """

    SLOTS, RUNS = 4, 2

    def __init__(self):
        self.layout = HeldLayout(2, 1, 2, 2)
        slot = range(self.SLOTS)
        super().__init__(
            {
                **{name: In(slot) for name in ("slot", "chosen")},
                **{name: In(1) for name in ("load", "push", "over")},
                "operand": In(self.layout),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = OperandSlots(self.layout, self.SLOTS, self.RUNS)
        steady(m, self.chosen)
        runs, count = [Signal(range(self.SLOTS), name=f"run_{n}") for n in range(self.RUNS)], Signal(2)
        new_before = Signal.like(self.operand)
        slot_before = Signal.like(self.slot)
        m.d.sync += [new_before.eq(self.operand), slot_before.eq(self.slot)]
        m.d.comb += [
            *(getattr(dut, name).eq(getattr(self, name)) for name in ("slot", "load", "push", "over", "operand")),
            dut.over_slot.eq(runs[0]),
            Assume(~self.load | dut.free),
            Assume(~self.load | ~dut.storing),
            Assume(~(dut.storing & (self.operand != new_before))),
            Assume(~(dut.storing & (self.slot != slot_before))),  # of the product whose operand is loaded
            Assume(~self.push | ((count != self.RUNS) & dut.known & ~dut.storing & ~self.load)),
            Assume(~self.over | (count != 0)),
        ]
        # The runs, in order.
        after = [Mux(self.over, runs[1], runs[0]), runs[1]]
        left = count - self.over
        for n, (run, value) in enumerate(zip(runs, after, strict=True)):
            m.d.sync += run.eq(Mux(self.push & (left == n), self.slot, value))
        m.d.sync += count.eq(left + self.push)
        reads = Cat((count > n) & (run == self.slot) for n, run in enumerate(runs)).any()
        m.d.comb += [Assert(~self.load | ~reads), Assert(dut.free == ~reads)]
        # What is held of the chosen slot.
        known = Signal()
        held = Signal.like(self.operand)
        with m.If(self.load & (self.slot == self.chosen)):
            m.d.sync += [known.eq(1), held.eq(self.operand)]
        m.d.comb += [
            Assert((self.slot != self.chosen) | (dut.known == known)),
            Assert(~(known & (self.slot == self.chosen) & ~dut.storing) | (dut.held == held)),
            Assert(~(dut.storing & (slot_before == self.chosen)) | (dut.loading == self.chosen)),
        ]
        return m


def test_slots_are_not_overwritten(prove):
    prove(SlotsAreNotOverwritten(), depth=6)


class NoBeatIsLost(wiring.Component):
    """Beats leave in the order of reading, each once; a tile ends only if there is a free result slot."""

    def __init__(self):
        super().__init__({"i_valid": In(1), "i_last": In(1), "room": In(1), "o_ready": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = Issuer()
        m.d.comb += [getattr(dut, name).eq(getattr(self, name)) for name in self.signature.members]
        there = Signal()
        last = Signal()
        read = Signal()
        m.d.comb += [
            read.eq(self.i_valid & dut.i_ready),
            Assert(dut.o_valid == there),
            Assert(~there | (dut.o_last == last)),
            Assert(~(there & ~self.o_ready) | ~dut.move),  # the buffers' words stay while a beat waits
            Assert(~(there & ~self.o_ready) | ~read),
            Assert(~dut.tile | (self.room & self.i_last & read)),
            Assert(dut.taken == (there & self.o_ready)),
        ]
        with m.If(read):
            m.d.sync += [there.eq(1), last.eq(self.i_last)]
        with m.Elif(self.o_ready):
            m.d.sync += there.eq(0)
        return m


def test_no_beat_is_lost(prove):
    prove(NoBeatIsLost(), depth=12)


class AsManyNumbersAsThereShouldBe(wiring.Component):
    """For any stream, the framer outputs all rows with all beats, pads with zeros, and accepts exactly one operand."""

    def __init__(self, numbers, most):
        self.dut = OperandFramer(numbers, most)
        sizes = {name: In(range(most + 1)) for name in ("rows", "length")}
        super().__init__(sizes | {name: In(1) for name in ("start", "valid", "last", "ready")})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        steady(m, self.rows, self.length)
        m.d.comb += [
            Assume((self.rows != 0) & (self.length != 0)),
            Assume((self.rows <= dut.most) & (self.length <= dut.most)),
            Assume(~self.start | ~dut.busy),
            dut.start.eq(self.start),
            dut.rows.eq(self.rows),
            dut.length.eq(self.length),
            dut.i.valid.eq(self.valid),
            dut.i.payload.last.eq(self.last),
            dut.o.ready.eq(self.ready),
        ]
        m.d.comb += [number.exponent.eq(1) for number in dut.i.payload.number]
        given = Signal()
        taken = Signal()
        run = Signal(range(dut.most + 1))  # rows output
        at = Signal(range(dut.most + dut.numbers + 1))  # numbers of this row output
        over = Signal()  # the operand was accepted to its end
        m.d.comb += [given.eq(dut.o.valid & self.ready), taken.eq(self.valid & dut.i.ready)]
        with m.If(given):
            run_ends = at + dut.numbers >= self.length
            m.d.sync += [at.eq(Mux(run_ends, 0, at + dut.numbers)), run.eq(run + run_ends)]
            m.d.comb += [Assert(run < self.rows), Assert(dut.o.payload.last == run_ends)]
            m.d.comb += [
                Assert(~number.exponent.any() | (at + n < self.length)) for n, number in enumerate(dut.o.payload.number)
            ]
        with m.If(taken):
            m.d.comb += Assert(~over)
            m.d.sync += over.eq(self.last)
        with m.If(self.start):
            m.d.sync += [run.eq(0), at.eq(0), over.eq(0)]
        begun = Signal()
        m.d.sync += begun.eq(begun | self.start)
        m.d.comb += Assert(~begun | dut.busy | (over & (run == self.rows) & ~at.any()))
        return m


@pytest.mark.slow
def test_as_many_numbers_as_there_should_be(prove):
    prove(AsManyNumbersAsThereShouldBe(2, 3), depth=12)


class EachWordIsWrittenOnce(wiring.Component):
    """Any word of any vector's buffer is written once if its panel belongs to the operand, before its ``complete``.

    The word has the chunk of its place in the stream, or zero in a vector beyond the operand.
    """

    def __init__(self, lines, words, parallel):
        self.dut = OperandWriter(lines, ChunkLayout(1, 2, 2), words, words, parallel)
        # The last three locate the word.
        sizes = {name: In(range(words + 1)) for name in ("groups", "chunks", "panels", "panel", "group", "chunk")}
        super().__init__(
            sizes
            | {"count": In(range(lines * words + 1)), "line": In(range(lines)), "word": In(range(words))}
            | {"taken": In(range(parallel + 1)), "arriving": In(2 * parallel)}
            | {name: In(1) for name in ("start", "transposed", "valid")}
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        size = Signal.like(dut.size)
        m.d.comb += size.eq(self.groups * self.chunks)
        moving = ("start", "valid", "taken", "arriving")
        steady(m, *(getattr(self, name) for name in self.signature.members if name not in moving))
        m.d.comb += [
            Assume((self.groups != 0) & (self.chunks != 0) & (self.count != 0)),
            Assume((self.count <= self.panels * dut.vectors) & (self.count > (self.panels - 1) * dut.vectors)),
            Assume(self.panels * self.groups * self.chunks <= dut.words),
            Assume(self.line < dut.vectors),
            Assume(~self.start | ~dut.busy),
            dut.start.eq(self.start),
            dut.transposed.eq(self.transposed),
            dut.count.eq(self.count),
            dut.chunks.eq(self.chunks),
            dut.size.eq(size),
            dut.i.valid.eq(self.valid),
            dut.i.payload.count.eq(self.taken),
            *(
                dut.i.payload.chunk[n].lane[0].magnitude.eq(self.arriving.word_select(n, 2))
                for n in range(dut.parallel)
            ),
        ]
        begun = Signal()
        written = Signal()
        hit = Signal()
        inside = Signal()
        complete = Signal()  # the word's panel is complete
        slice_of = [self.word % dut.parallel == n for n in range(dut.parallel)]
        hits = [
            dut.slices[n] & slice_of[n] & (dut.address[n] == self.word // dut.parallel) for n in range(dut.parallel)
        ]
        m.d.comb += [
            hit.eq(Array(dut.write)[self.line] & Cat(hits).any()),
            inside.eq(self.word < self.panels * size),
            complete.eq(self.word < dut.panels * size),
        ]
        m.d.sync += [begun.eq(begun | self.start), written.eq(~self.start & (written | hit))]
        m.d.comb += [
            Assert(~hit | (inside & ~written)),
            Assert(~(begun & inside & complete) | written),
            Assert(~begun | dut.busy | (dut.panels.all() & (written == inside))),
        ]
        self._data(m, size, inside, hit)
        return m

    def _data(self, m, size, inside, hit):
        """Each cycle has chunks of one vector, or of one transposed group; a word has the chunk of its place."""
        dut = self.dut
        left = Signal.like(size)  # of the vector or group
        chunks = range(dut.vectors * dut.words**2 + 1)
        at, place = Signal(chunks), Signal(chunks)  # chunks that arrived, and before the word
        vector, taken, whole = Signal(range(dut.vectors * dut.words)), Signal.like(self.taken), Signal.like(size)
        m.d.comb += [
            whole.eq(Mux(self.transposed, self.chunks, size)),
            taken.eq(Mux(self.valid & dut.i.ready, self.taken, 0)),
            Assume(~(self.valid & dut.i.ready) | ((taken != 0) & (taken <= dut.parallel) & (taken <= left))),
            Assume(~(taken.any() & self.transposed) | (taken == dut.parallel) | (taken == left)),
            Assume((self.panel < self.panels) & (self.group < self.groups) & (self.chunk < self.chunks)),
            Assume(~inside | (self.word == self.panel * size + self.group * self.chunks + self.chunk)),
            vector.eq(self.panel * dut.vectors + self.line),
            place.eq(
                Mux(self.transposed, (self.group * self.count + vector) * self.chunks, vector * size)
                + Mux(self.transposed, 0, self.group * self.chunks)
                + self.chunk
            ),
        ]
        m.d.sync += [at.eq(at + taken), left.eq(Mux(left == taken, whole, left - taken))]
        with m.If(self.start):
            m.d.sync += [at.eq(0), left.eq(whole)]
        exists, arrives, wanted = Signal(), Signal(), Signal(2)
        data = Array(chunk.lane[0].magnitude for chunk in dut.data)[self.word % dut.parallel]
        m.d.comb += [
            exists.eq(vector < self.count),
            arrives.eq((at <= place) & (place < at + taken)),
            wanted.eq(self.arriving.word_select((place - at)[:2], 2)),
            Assert(~inside | ~exists | (hit == arrives)),
            Assert(~hit | (data == Mux(exists, wanted, 0))),
        ]


@pytest.mark.parametrize(
    ("words", "parallel", "depth"),
    [
        (2, 1, 10),
        pytest.param(2, 2, 10, marks=pytest.mark.slow),
        pytest.param(4, 2, 10, marks=pytest.mark.slow),
        pytest.param(4, 4, 9, marks=pytest.mark.slow),
    ],
)
def test_each_word_is_written_once(prove, words, parallel, depth):
    prove(EachWordIsWrittenOnce(2, words, parallel), depth)


class EachPairOfChunksMeetsOnce(wiring.Component):
    """In a product, any word of A and any word of B are paired once if they belong to one group, else never.

    The numbers of panels, groups and chunks are fixed: as inputs, the prover had not ended after nine minutes.
    """

    def __init__(self, words, groups, sizes):
        self.dut = Sequencer(words, 2, 2)
        self.groups, self.sizes = groups, sizes
        numbers = ("loaded", "panel", "group", "chunk")  # the last three locate the word
        flags = ("new", "bank", "loading")
        super().__init__(
            {f"{name}_{side}": In(range(words + 1)) for name in numbers for side in "ab"}
            | {f"{name}_{side}": In(1) for name in flags for side in "ab"}
            | {"valid": In(1), "ready": In(1)}
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        m.d.comb += [dut.i.valid.eq(self.valid), dut.ready.eq(self.ready)]
        hit, there, inside = zip(
            *(self._side(m, side, *size) for side, size in zip("ab", self.sizes, strict=True)), strict=True
        )
        met = Signal()
        meet = Signal()
        moves = Signal()
        m.d.comb += [
            moves.eq(dut.valid & self.ready),
            meet.eq(moves & Cat(hit).all()),
            Assert(~meet | (~met & (self.group_a == self.group_b))),
            Assert(~dut.valid | (self.valid & Cat(there).all() & Cat(inside).all())),
            Assert(dut.i.ready == (moves & dut.ends)),
            Assert(~dut.ends | dut.last),
        ]
        with m.If(moves):
            m.d.sync += met.eq(~dut.ends & (met | meet))
            with m.If(dut.ends):
                m.d.comb += Assert((met | meet) == (self.group_a == self.group_b))
        return m

    def _side(self, m, side, panels, chunks):
        """Whether a given word of an operand is read, and whether the read word is loaded and part of it."""
        dut, own = self.dut, {name.removesuffix(f"_{side}"): getattr(self, name) for name in self.signature.members}
        steady(m, *(own[name] for name in ("new", "panel", "group", "chunk")))
        size = self.groups * chunks
        address, operand = getattr(dut, f"address_{side}"), dut.i.payload[side]
        m.d.comb += [
            Assume((own["panel"] < panels) & (own["group"] < self.groups) & (own["chunk"] < chunks)),
            getattr(dut, f"loading_{side}").eq(own["loading"]),
            getattr(dut, f"loaded_{side}").eq(own["loaded"]),
            operand.size.eq(size),
            operand.panels.eq(panels),
            operand.chunks.eq(chunks),
            *(operand[name].eq(own[name]) for name in ("bank", "new")),
        ]
        word = own["panel"] * size + own["group"] * chunks + own["chunk"]
        there = (own["loading"] != own["bank"]) | (address < own["loaded"] * size)
        return address == word, there, address < panels * size


def products_that_fit(words):
    """All products whose operands fit into ``words`` words: groups, and panels and chunks of A and of B."""
    shapes = list(product(range(1, words + 1), (1, 2)))
    return [
        (words, groups, sizes)
        for groups in range(1, words + 1)
        for sizes in product([of for of in shapes if groups * prod(of) <= words], repeat=2)
    ]


LARGE = [(4, 1, ((4, 1), (2, 2))), (4, 1, ((2, 2), (4, 1))), (4, 2, ((2, 1), (1, 2))), (4, 2, ((1, 2), (2, 1)))]
"""Products that fill four words; all products of four words take 20 minutes."""


@pytest.mark.parametrize(
    ("words", "groups", "sizes"),
    products_that_fit(2) + [pytest.param(*case, marks=pytest.mark.slow) for case in products_that_fit(3) + LARGE],
)
def test_each_pair_of_chunks_meets_once(prove, words, groups, sizes):
    steps = groups * prod(map(prod, sizes))
    prove(EachPairOfChunksMeetsOnce(words, groups, sizes), depth=steps + 4)
