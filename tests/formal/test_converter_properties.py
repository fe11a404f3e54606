"""Proofs about the converters: ranges of a group's fields; stalls neither lose, duplicate nor reorder groups."""

import pytest
from amaranth.hdl import Assert, Assume, Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from lowtide.units.conversion.chunker import Chunker
from lowtide.units.conversion.converter import BfpConverter
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.conversion.serial_converter import SerialBfpConverter

pytestmark = pytest.mark.slow  # some take the solver minutes; `make formal` runs them


class GroupsAreInRange(wiring.Component):
    """For any group after power-up, magnitudes, signs and code are in range, and truncation is tight.

    Tight: the largest element of a group that lies in the window, and is no infinity, has its highest bit set.
    """

    def __init__(self, shape, bias):
        self.shape = shape
        self.dut = BfpConverter(shape)
        ports = {"numbers": In(32 * shape.lanes), "chunks": In(self.dut.chunks.shape()), "random": In(64)}
        super().__init__(ports | ({"bias": In(signed(9))} if bias is None else {}))
        self.fixed = bias

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        shape = self.shape
        now = Signal(range(32))
        numbers, chunks = Signal.like(self.numbers), Signal.like(self.chunks)
        bias = Signal(signed(9))
        m.d.sync += now.eq(now + 1)
        with m.If(now == 0):
            m.d.sync += [numbers.eq(self.numbers), chunks.eq(self.chunks)]
            m.d.sync += bias.eq(self.bias if self.fixed is None else self.fixed)
        m.d.comb += [
            Assume((chunks >= 1) & (chunks <= shape.max_chunks) | (now == 0)),
            dut.bias.eq(bias),
            dut.chunks.eq(chunks),
            dut.i.payload.lane.eq(numbers),
            dut.i.valid.eq(now == 3),
            dut.o.ready.eq(1),
        ]
        if shape.stochastic:
            m.d.comb += dut.random.eq(self.random)

        group = dut.o.payload.group
        fields = [numbers.word_select(n, 32)[23:31] for n in range(shape.lanes)]
        special = Cat(field.all() for field in fields).any()
        # The code's window in exponent fields. A field of 0 counts as zero; a field of 255 needs no special case.
        counted = [Mux(field.all() & numbers.word_select(n, 32)[:23].any(), 0, field) for n, field in enumerate(fields)]
        largest = Const(0, 8)
        for field in counted:
            chosen = Signal(8)
            m.d.comb += chosen.eq(Mux(field > largest, field, largest))
            largest = chosen
        offset = Signal(signed(12))
        m.d.comb += offset.eq(largest - (bias + 127))
        within = Signal()
        m.d.comb += within.eq((largest != 0) & (offset >= 0) & (offset <= shape.max_code))
        code = Mux((largest == 0) | (offset < 0), 0, Mux(offset > shape.max_code, shape.max_code, offset))
        bits = Signal(range(shape.mantissa + 1))
        m.d.comb += bits.eq(chunks * shape.chunk)
        highest = Cat((lane.magnitude >> (bits - 1)[:4]) & 1 for lane in group.lane).any()
        with m.If(dut.o.valid):
            m.d.comb += [
                Assert(now == 3 + dut.latency),
                Assert(group.exponent == code),
                Assert(dut.saturated_group == ((largest != 0) & (offset > shape.max_code))),
                Assert(dut.nonfinite_group == special),
                Assert(dut.nonfinite == special),
                *(Assert((lane.magnitude >> bits) == 0) for lane in group.lane),
                *(Assert((lane.magnitude != 0) | ~lane.sign) for lane in group.lane),
            ]
            if shape.rounding == "truncate":
                m.d.comb += Assert(~within | highest)
        with m.Elif(now == 3 + dut.latency):
            m.d.comb += Assert(0)
        return m


@pytest.mark.parametrize("rounding", ["truncate", "nearest", "nearest_even", "carry"])
def test_groups_are_in_range(prove, rounding):
    shape = ConverterParams(lanes=2, rounding=rounding, random=2)
    prove(GroupsAreInRange(shape, None), depth=BfpConverter(shape).latency + 6)


class GroupsKeepTheirOrder(wiring.Component):
    """With any stalls, groups identified by an increasing code and ``last`` arrive once, in order, and completely."""

    def __init__(self, dut):
        self.dut = dut
        super().__init__({"valid": In(1), "ready": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        serial = isinstance(dut, SerialBfpConverter)
        words = dut.params.lanes if serial else 1
        sent, received, word, end = Signal(4), Signal(4), Signal(range(words)), Signal()
        # A power of two in the first lane determines the code; the other lanes have smaller numbers.
        numbers = [Cat(Const(0, 23), (sent[0] + 127)[:8], Const(0, 1))] + [Const(1 << 23, 32)] * (dut.params.lanes - 1)
        offered = Signal()
        begun = Signal()  # the window changes a cycle late
        m.d.sync += begun.eq(1)
        m.d.comb += [
            end.eq(word == words - 1),
            dut.chunks.eq(1),
            dut.i.valid.eq((self.valid & begun) | offered),
            dut.i.payload.eq(Cat(Mux(word == 0, numbers[0], numbers[-1]) if serial else Cat(numbers), sent[1] & end)),
            dut.o.ready.eq(self.ready),
        ]
        m.d.sync += offered.eq(dut.i.valid & ~dut.i.ready)
        with m.If(dut.i.valid & dut.i.ready):
            m.d.sync += [word.eq(Mux(end, 0, word + 1)), sent.eq(sent + end)]
        with m.If(dut.o.valid & dut.o.ready):
            m.d.sync += received.eq(received + 1)

        quiet = Signal(range(dut.latency + 3))  # cycles without input while the output may transfer
        with m.If((dut.i.valid & dut.i.ready) | ~self.ready):
            m.d.sync += quiet.eq(0)
        with m.Elif(quiet != dut.latency + 2):
            m.d.sync += quiet.eq(quiet + 1)
        m.d.comb += [
            Assert(~dut.o.valid | (dut.o.payload.group.exponent == received[0])),
            Assert(~dut.o.valid | (dut.o.payload.last == received[1])),
            Assert((quiet < dut.latency + 1) | ((sent == received) & ~dut.o.valid)),
        ]
        waiting = Signal()
        payload = Signal.like(dut.o.payload.as_value())
        m.d.sync += [waiting.eq(dut.o.valid & ~self.ready), payload.eq(dut.o.payload)]
        m.d.comb += Assert(~waiting | (dut.o.valid & (dut.o.payload.as_value() == payload)))
        return m


@pytest.mark.parametrize(("kind", "lanes"), [(BfpConverter, 1), (SerialBfpConverter, 1), (SerialBfpConverter, 2)])
def test_groups_keep_their_order(prove, kind, lanes):
    dut = kind(ConverterParams(lanes=lanes, mantissa=1, chunk=1, exponent=1, rounding="truncate"))
    prove(GroupsKeepTheirOrder(dut), depth=dut.latency + 8)


class ChunksAreTheGroup(wiring.Component):
    """For any groups and stalls, the chunks together equal the group, and only the last chunks accept it."""

    def __init__(self, shape, parallel):
        self.shape = shape
        self.dut = Chunker(shape, parallel)
        super().__init__(
            {
                "group": In(shape.layout_o),
                "chunks": In(self.dut.chunks.shape()),
                "valid": In(1),
                "ready": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        shape = self.shape
        chunks = Signal.like(self.chunks)
        group = Signal.like(self.group)
        offered, started = Signal(), Signal()
        m.d.sync += started.eq(1)
        with m.If(~started):
            m.d.sync += chunks.eq(self.chunks)
        with m.If(~offered):
            m.d.sync += group.eq(self.group)
        now = Mux(offered, group.as_value(), self.group.as_value())
        m.d.comb += [
            Assume(~started | ((chunks >= 1) & (chunks <= shape.max_chunks))),
            dut.chunks.eq(chunks),
            dut.i.payload.eq(now),
            dut.i.valid.eq(started & (self.valid | offered)),
            dut.o.ready.eq(self.ready),
        ]
        m.d.sync += offered.eq(dut.i.valid & ~dut.i.ready)

        sent = Signal(range(shape.max_chunks + 1))  # chunks of this group that were sent
        high = [Signal(shape.mantissa, name=f"high_{n}") for n in range(shape.lanes)]
        moves = dut.o.valid & self.ready
        final = Signal()
        count, whole = dut.o.payload.count, dut.i.payload.group
        m.d.comb += [
            final.eq(sent + count == chunks),
            Assert(dut.o.valid == dut.i.valid),
            Assert(~moves | (dut.i.ready == final)),
            Assert(~dut.o.valid | ((count >= 1) & (sent + count <= chunks))),
            Assert(~dut.o.valid | final | (count == dut.parallel)),
            Assert(~dut.o.valid | (dut.o.payload.last == (dut.i.payload.last & final))),
        ]
        for lane in range(shape.lanes):
            so_far = high[lane]
            for n, chunk in enumerate(dut.o.payload.chunk):
                there = dut.o.valid & (n < count)
                so_far = Mux(n < count, so_far << shape.chunk | chunk.lane[lane].magnitude, so_far)
                m.d.comb += Assert(~there | (chunk.lane[lane].sign == whole.lane[lane].sign))
            m.d.comb += [
                Assume(whole.lane[lane].magnitude >> shape.chunk * chunks == 0),
                Assert(~(dut.o.valid & final) | (so_far == whole.lane[lane].magnitude)),
            ]
            with m.If(moves):
                m.d.sync += high[lane].eq(Mux(final, 0, so_far))
        for n, chunk in enumerate(dut.o.payload.chunk):
            code = whole.exponent + shape.chunk * (chunks - 1 - sent - n)
            m.d.comb += Assert(~(dut.o.valid & (n < count)) | (chunk.exponent == code))
        with m.If(moves):
            m.d.sync += sent.eq(Mux(final, 0, sent + count))
        return m


@pytest.mark.parametrize("parallel", [1, 2, 4])
@pytest.mark.parametrize("mantissa", [2, 6])
def test_chunks_are_the_group(prove, mantissa, parallel):
    prove(ChunksAreTheGroup(ConverterParams(lanes=2, mantissa=mantissa), parallel), depth=9)
