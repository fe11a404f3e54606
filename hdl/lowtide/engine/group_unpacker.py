"""Group unpacker: takes packed groups from the beats of an operand."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.formats.packed import WORD, PackedLayout
from lowtide.netlist import Unit
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.logic import mux

__all__ = ["GroupUnpacker"]


class GroupUnpacker(Unit):
    """Group unpacker: takes packed groups from beats of words, each vector from a new beat.

    Groups lie in a vector without gaps, so a group may begin at any word of a beat. In each cycle the unit moves up to
    ``step`` words of one beat into the registers of the group. ``step`` is the size of a group of one chunk, rounded
    up to a power of two, or a beat if a beat is smaller. So a group takes as many cycles as it has chunks, or fewer,
    unless the beats are too small.

    Parameters
    ----------
    params : ConverterParams
        Format of the groups. The rounding is ignored.
    numbers : int
        Words per beat.
    groups : int
        Maximum number of groups per vector.

    Members
    -------
    start : In(1)
        Pulses for one cycle before the first beat of an operand.
    chunks : In(range(params.max_chunks + 1))
        Chunks per magnitude, from 1 to ``max_chunks``; steady from ``start`` to the last group.
    groups : In(range(groups + 1))
        Groups per vector, at least 1; steady from ``start`` to the last group.
    i : In(stream of fp32_beat(numbers))
        Words of a `PackedLayout`, as bits of FP32 numbers. ``last`` is ignored.
    padding : In(1)
        High if the words of the beat count as zero.
    o : Out(stream of params.layout_o)
        Groups, with magnitudes in the low ``chunks * w`` bits; the bits above them are undefined. ``last`` is high with
        the last group of a vector.
    """

    def __init__(self, params: ConverterParams, numbers: int, groups: int):
        self.params, self.numbers = params, numbers
        self.layout = PackedLayout(lanes=params.lanes, exponent=params.exponent)
        self.step = min(1 << (self.layout.words(params.chunk) - 1).bit_length(), numbers)
        self.module_name = (
            f"group_unpacker_l{params.lanes}_m{params.mantissa}_w{params.chunk}_e{params.exponent}_n{numbers}_g{groups}"
        )
        super().__init__(
            {
                "start": In(1),
                "chunks": In(range(params.max_chunks + 1)),
                "groups": In(range(groups + 1)),
                "i": In(stream.Signature(fp32_beat(numbers))),
                "padding": In(1),
                "o": Out(stream.Signature(params.layout_o)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params, layout = self.params, self.layout
        sizes = [layout.words(chunks * params.chunk) for chunks in range(self.params.max_chunks + 1)]
        size = Signal(range(sizes[-1] + 1))  # words of a group
        taken = Signal(range(sizes[-1] + 1))  # words of the group in its registers
        at = Signal(range(self.numbers))  # next word of the beat
        left = Signal.like(self.groups)  # remaining groups of the vector, including this one
        full = Signal()

        accepts = Signal()
        moves = Signal()
        count = Signal(range(self.step + 1))
        next_taken = Signal.like(taken)
        next_at = Signal(range(self.numbers + 1))
        group_ends = Signal()
        vector_ends = Signal()
        beat_ends = Signal()
        m.d.comb += [
            size.eq(mux([Const(n, len(size)) for n in sizes], self.chunks)),
            count.eq(least(self.step, least(self.numbers - at, size - taken))),
            next_taken.eq(taken + count),
            next_at.eq(at + count),
            accepts.eq(~full | self.o.ready),
            moves.eq(self.i.valid & accepts),
            group_ends.eq(next_taken == size),
            vector_ends.eq(group_ends & (left == 1)),
            beat_ends.eq((next_at == self.numbers) | vector_ends),
            self.i.ready.eq(accepts & beat_ends),
            self.o.valid.eq(full),
        ]
        with m.If(accepts):
            m.d.sync += full.eq(self.i.valid & group_ends)
        with m.If(moves):
            m.d.sync += [
                taken.eq(Mux(group_ends, 0, next_taken)),
                at.eq(Mux(beat_ends, 0, next_at)),
                self.o.payload.last.eq(vector_ends),
            ]
            with m.If(group_ends):
                m.d.sync += left.eq(Mux(left == 1, self.groups, left - 1))
        with m.If(self.start):
            m.d.sync += [full.eq(0), taken.eq(0), at.eq(0), left.eq(self.groups)]

        # A cycle may write words beyond `count`, and words of a beat that is not valid: later words replace them, or
        # they lie above the magnitudes.
        # Word n of the group is always loaded from source n % step.
        beat = [number.as_value() for number in self.i.payload.number]
        sources = []
        for n in range(self.step):
            index = Signal(range(self.numbers), name=f"index_{n}")
            m.d.comb += index.eq(at + (n - taken) % self.step)
            sources.append(mux(beat, index))
        bits = []
        for n in range(sizes[-1]):
            word = Signal(WORD, name=f"word_{n}", reset_less=True)
            reached = taken <= n if n < self.step else (taken <= n) & (taken > n - self.step)
            load = Signal(name=f"load_{n}")
            m.d.comb += load.eq(accepts & reached)
            with m.If(load):
                m.d.sync += word.eq(sources[n % self.step])
            with m.If(load & self.padding):  # apart from the load, so that it becomes the reset of the flip-flops
                m.d.sync += word.eq(0)
            bits += list(word)
        group = self.o.payload.group
        m.d.comb += group.exponent.eq(Cat(bits[layout.code_at : layout.code_at + params.exponent]))
        for n, lane in enumerate(group.lane):
            planes = bits[layout.magnitudes_at + n :: params.lanes][: params.mantissa]
            m.d.comb += [lane.sign.eq(bits[n]), lane.magnitude.eq(Cat(planes))]
        return m


def least(x: ValueLike, y: ValueLike) -> Value:
    """Return the smaller of two unsigned values."""
    return Mux(Value.cast(x) < y, x, y)
