"""Group unpacker: takes packed groups from the beats of an operand, and splits them into chunks."""

from functools import reduce
from operator import or_

import attrs
from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.beats import fp32_beat
from lowtide.formats.bfp import ChunksLayout
from lowtide.formats.packed import WORD, PackedLayout
from lowtide.netlist import Unit
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.logic import at_most

__all__ = ["GroupUnpacker", "UnpackerSteps"]


@attrs.frozen(kw_only=True)
class UnpackerSteps:
    """Steps in which a `GroupUnpacker` takes groups of one number of chunks from its beats.

    Parameters
    ----------
    chunks : int
        Chunks per magnitude.
    size : int
        Words of a group.
    numbers : int
        Words per beat.
    parallel : int
        Maximum number of chunks per cycle.
    """

    chunks: int
    size: int
    numbers: int
    parallel: int

    @property
    def groups(self) -> int:
        """Groups that leave at once: as many as a beat has, but at most ``parallel`` chunks."""
        return max(1, min(self.parallel // self.chunks, self.numbers // self.size))

    @property
    def words(self) -> int:
        """Words of the groups that leave at once."""
        return self.groups * self.size

    @property
    def parts(self) -> int:
        """Cycles in which the chunks of these groups leave."""
        return -(-self.chunks // self.parallel)

    def leaving(self, kept: int) -> int:
        """Return how many words leave if ``kept`` words are kept: all words of the groups, or none."""
        return self.words if kept + self.numbers >= self.words else 0

    def keeping(self, kept: int) -> int:
        """Return how many words are kept after a step that began with ``kept`` words."""
        beat = self.numbers if kept < self.words else 0
        return kept + beat - self.leaving(kept)

    @property
    def states(self) -> list[int]:
        """Every number of words that may be kept."""
        states = [0]
        while (kept := self.keeping(states[-1])) not in states:
            states.append(kept)
        return states

    def cycles(self, groups: int) -> list[int]:
        """Return the cycles from a vector's first beat until each of its groups has left."""
        cycle, kept, cycles = 0, 0, []
        while len(cycles) < groups:
            leaves = self.leaving(kept) > 0
            cycle += self.parts if leaves else 1
            kept = self.keeping(kept)
            cycles += [cycle] * min(self.groups * leaves, groups - len(cycles))
        return cycles


class GroupUnpacker(Unit):
    """Group unpacker: takes packed groups from beats of words, each vector from a new beat, and splits them.

    Groups lie in a vector without gaps, so a group may begin at any word of a beat. The unit keeps the words of a beat
    that belong to later groups. Each cycle, up to ``parallel`` chunks leave: all chunks of as many groups as a beat
    has, or a part of the chunks of one group.

    Parameters
    ----------
    params : ConverterParams
        Format of the groups. The rounding is ignored.
    numbers : int
        Words per beat.
    groups : int
        Maximum number of groups per vector.
    parallel : int
        Maximum number of chunks per cycle.

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
    o : Out(stream of ChunksLayout(params.layout_chunk, parallel))
        Chunks, the most significant of a group first. ``last`` is high with the last chunk of a vector.
    """

    def __init__(self, params: ConverterParams, numbers: int, groups: int, parallel: int = 1):
        self.params, self.numbers, self.parallel = params, numbers, parallel
        self.layout = PackedLayout(lanes=params.lanes, exponent=params.exponent)
        self.module_name = (
            f"group_unpacker_l{params.lanes}_m{params.mantissa}_w{params.chunk}_e{params.exponent}_n{numbers}_g{groups}"
            f"_p{parallel}"
        )
        super().__init__(
            {
                "start": In(1),
                "chunks": In(range(params.max_chunks + 1)),
                "groups": In(range(groups + 1)),
                "i": In(stream.Signature(fp32_beat(numbers))),
                "padding": In(1),
                "o": Out(stream.Signature(ChunksLayout(params.layout_chunk, parallel))),
            }
        )

    def steps(self, chunks: int) -> UnpackerSteps:
        """Return the steps for a number of chunks per magnitude."""
        size = self.layout.words(chunks * self.params.chunk)
        return UnpackerSteps(chunks=chunks, size=size, numbers=self.numbers, parallel=self.parallel)

    @property
    def _all_steps(self) -> list[UnpackerSteps]:
        return [self.steps(chunks) for chunks in range(1, self.params.max_chunks + 1)]

    def elaborate(self, platform):
        m = Module()
        every = self._all_steps
        kept = Signal(range(max(max(steps.states) for steps in every) + 1))  # words kept
        left = Signal.like(self.groups)  # remaining groups of the vector, including the groups of this step
        part = Signal(range(max(steps.parts for steps in every)))  # part of the chunks of a group
        full = Signal()

        words = Signal(range(max(steps.words for steps in every) + 1))  # words of this step's groups
        groups = Signal(range(max(steps.groups for steps in every) + 1))
        count = Signal.like(self.o.payload.count)
        last_part = Signal()
        last_groups = Signal()
        with m.Switch(self.chunks):
            for steps in every:
                with m.Case(steps.chunks):
                    m.d.comb += [
                        words.eq(steps.words),
                        groups.eq(steps.groups),
                        count.eq(min(steps.groups * steps.chunks, self.parallel)),
                        last_part.eq(part == steps.parts - 1),
                        last_groups.eq(at_most(left, steps.groups)),
                    ]
                    for fewer in range(1, steps.groups):
                        with m.If(left == fewer):
                            m.d.comb += [words.eq(fewer * steps.size), count.eq(fewer * steps.chunks)]
                    if steps.parts > 1:
                        with m.If(last_part):
                            m.d.comb += count.eq(steps.chunks - (steps.parts - 1) * self.parallel)
        accepts = Signal()
        uses_beat = Signal()
        steps_on = Signal()  # the words of this step are present
        leaves = Signal()  # the groups of this step are complete
        moves = Signal()
        ends = Signal()
        m.d.comb += [
            accepts.eq(~full | self.o.ready),
            uses_beat.eq(kept < words),
            steps_on.eq(accepts & (self.i.valid | ~uses_beat)),
            leaves.eq(~uses_beat | (kept + self.numbers >= words)),
            moves.eq(steps_on & (last_part | ~leaves)),
            ends.eq(leaves & last_groups),
            self.i.ready.eq(accepts & uses_beat & (last_part | ~leaves)),
            self.o.valid.eq(full),
        ]
        with m.If(accepts):
            m.d.sync += full.eq(steps_on & leaves)
        with m.If(steps_on):
            m.d.sync += part.eq(Mux(moves, 0, part + 1))
        with m.If(moves):
            m.d.sync += kept.eq(Mux(ends, 0, kept + Mux(uses_beat, self.numbers, 0) - Mux(leaves, words, 0)))
            with m.If(leaves):
                m.d.sync += left.eq(Mux(last_groups, self.groups, left - groups))
        with m.If(self.start):
            m.d.sync += [full.eq(0), kept.eq(0), part.eq(0), left.eq(self.groups)]

        # A cycle may write the chunks of a beat that is not valid, which later ones replace.
        chunks = self._chunks(m, Cat(self._words(m, kept, moves)), part)
        with m.If(accepts):
            m.d.sync += [
                self.o.payload.chunk.eq(chunks),
                self.o.payload.count.eq(count),
                self.o.payload.last.eq(ends & last_part),
            ]
        return m

    def _words(self, m: Module, kept: Signal, moves: Signal) -> list[Value]:
        """Keep the words of later groups; return the words of this step's groups, which begin with the kept ones."""
        every = self._all_steps
        here = Signal(1 << len(kept))  # one bit per number of kept words
        m.d.comb += here.eq(1 << kept)
        store = [
            Signal(WORD, name=f"word_{n}", reset_less=True) for n in range(max(max(steps.states) for steps in every))
        ]
        beat = [number.as_value() for number in self.i.payload.number]

        def word_at(offset: dict[tuple[int, int], int]) -> Value:
            """Return the word at an offset of the kept words and the beat; the offset depends on chunks and kept."""
            sources: dict[int, dict[tuple[bool, int], list[int]]] = {}
            for (chunks, words), place in offset.items():
                source = (place < words, place if place < words else place - words)
                sources.setdefault(words, {}).setdefault(source, []).append(chunks)
            picks: dict[tuple[bool, int], list[Value]] = {}
            for words, by_source in sources.items():
                for source, chunks in by_source.items():
                    pick = here[words]
                    if len(by_source) > 1:
                        pick &= Cat(self.chunks == n for n in chunks).any()
                    picks.setdefault(source, []).append(pick)
            terms = []
            for (old, n), pick in picks.items():
                # The bits of a padding beat are zero, which costs no further input of the look-up tables.
                at = reduce(or_, pick) if old else reduce(or_, pick) & ~self.padding
                terms.append((store[n] if old else beat[n]) & at.replicate(WORD))
            return reduce(or_, terms)

        states = [(steps, words) for steps in every for words in steps.states]
        for n, word in enumerate(store):
            later = {
                (steps.chunks, words): n + steps.leaving(words) for steps, words in states if n < steps.keeping(words)
            }
            with m.If(moves):
                m.d.sync += word.eq(word_at(later))
        step = []
        for n in range(max(steps.words for steps in every)):
            now = {(steps.chunks, words): n for steps, words in states if n < steps.leaving(words)}
            step.append(Signal(WORD, name=f"step_word_{n}"))
            m.d.comb += step[n].eq(word_at(now))
        return step

    def _chunks(self, m: Module, words: Value, part: Signal) -> Signal:
        """Split this step's groups into chunks."""
        params, layout = self.params, self.layout
        chunks = Signal.like(self.o.payload.chunk, name="chunks_now")
        with m.Switch(Cat(part, self.chunks)):
            for steps in self._all_steps:
                for n in range(steps.parts):
                    with m.Case(n | steps.chunks << len(part)):
                        for at in range(self.parallel):
                            group, index = divmod(n * self.parallel + at, steps.chunks)
                            if group >= steps.groups:
                                continue
                            below = steps.chunks - 1 - index
                            bits = words[group * steps.size * WORD :]
                            magnitudes = bits[layout.magnitudes_at + params.lanes * params.chunk * below :]
                            code = bits[layout.code_at :][: params.exponent]
                            m.d.comb += chunks[at].exponent.eq(code + params.chunk * below)
                            for lane, element in enumerate(chunks[at].lane):
                                planes = [magnitudes[lane + params.lanes * plane] for plane in range(params.chunk)]
                                m.d.comb += [element.sign.eq(bits[lane]), element.magnitude.eq(Cat(planes))]
        return chunks
