"""Proofs about rounders and random sources, for all inputs."""

import pytest
from amaranth.hdl import Assert, Assume, Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from lowtide.units.random.lfsr import Lfsr
from lowtide.units.random.params import RandomSourceParams
from lowtide.units.random.source import RandomSource
from lowtide.units.random.taps import TAPS
from lowtide.units.rounding.params import RounderParams
from lowtide.units.rounding.rounder import Rounder

pytestmark = pytest.mark.slow  # a second or two each, but many; `make formal` runs them, and CI

SHAPES = [
    RounderParams(mode="carry", fraction=3, random=3),
    RounderParams(mode="half_step", fraction=8, random=3),
    *(
        RounderParams(mode=mode, width=3, fraction=fraction)
        for mode in ("truncate", "nearest", "nearest_even")
        for fraction in (1, 9)
    ),
    *(
        RounderParams(mode=mode, width=width, fraction=fraction, random=random)
        for mode in ("carry", "half_step")
        for width, fraction, random in ((1, 12, 8), (3, 4, 7), (2, 24, 24), (24, 1, 1))
    ),
]


class ResultIsTheFormula(wiring.Component):
    """The result is the floor or the floor plus one, by the definition; a zero fraction gives the floor."""

    def __init__(self, shape):
        self.shape, self.dut = shape, Rounder(shape)
        super().__init__(
            {name: In(member.shape) for name, member in self.dut.signature.members.items() if member.flow == In}
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = self.dut
        D, r, width = self.shape.fraction, self.shape.random, self.shape.width
        t, floor = Signal(D), Signal(width)
        m.d.comb += [dut.value.eq(self.value), Cat(t, floor).eq(self.value)]
        up = {
            "truncate": 0,
            "nearest": 2 * t >= 2**D,
            "nearest_even": (2 * t > 2**D) | ((2 * t == 2**D) & floor[0]),
        }
        if self.shape.stochastic:
            m.d.comb += dut.random.eq(self.random)
            up["carry"] = ((t << r) >> D) + self.random >= 2**r
            up["half_step"] = ((t << (r + 1)) >> D) + 2 * self.random + 1 >= 2 ** (r + 1)
        m.d.comb += [
            Assert(dut.up == up[self.shape.mode]),
            Assert(dut.o == floor + dut.up),
            Assert((t != 0) | (dut.o == floor)),
        ]
        return m


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_result_is_the_formula(prove, shape):
    prove(ResultIsTheFormula(shape), depth=1)


class DecisionIsMonotone(wiring.Component):
    """A larger fraction or a larger word never changes rounding up into rounding down."""

    def __init__(self, shape):
        self.shape = shape
        super().__init__({name: In(bits) for name, bits in self._bits.items()})

    @property
    def _bits(self):
        D, r = self.shape.fraction, self.shape.random
        return {"integer": self.shape.width, "t": D, "t_more": D, "R": r, "R_more": r}

    def elaborate(self, platform):
        m = Module()
        m.submodules.less = less = Rounder(self.shape)
        m.submodules.more = more = Rounder(self.shape)
        m.d.comb += [
            less.value.eq(Cat(self.t, self.integer)),
            more.value.eq(Cat(self.t_more, self.integer)),
            Assume((self.t <= self.t_more) & (self.R_more >= self.R)),
            Assert(~less.up | more.up),
            Assert(less.o <= more.o),
        ]
        if self.shape.stochastic:
            m.d.comb += [less.random.eq(self.R), more.random.eq(self.R_more)]
        return m


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_decision_is_monotone(prove, shape):
    prove(DecisionIsMonotone(shape), depth=1)


class ComplementsDecideOpposite(wiring.Component):
    """If all fraction bits are evaluated, 1 minus the fraction and the inverse word give the opposite decision."""

    def __init__(self, shape):
        self.shape = shape
        super().__init__({"t": In(shape.fraction), "R": In(shape.random)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.one = one = Rounder(self.shape)
        m.submodules.other = other = Rounder(self.shape)
        rest = Signal(self.shape.fraction)
        m.d.comb += [
            rest.eq(-self.t),
            one.value.eq(self.t),
            one.random.eq(self.R),
            other.value.eq(rest),
            other.random.eq(~self.R),
            Assume(self.t != 0),
            Assert(one.up != other.up),
        ]
        return m


@pytest.mark.parametrize("bits", [1, 3, 4, 5, 24])
@pytest.mark.parametrize("mode", ["carry", "half_step"])
def test_complements_decide_opposite(prove, mode, bits):
    prove(ComplementsDecideOpposite(RounderParams(mode=mode, fraction=bits, random=bits)), depth=1)


class StepIsInvertible(wiring.Component):
    """Different states step to different states, and only the locked-up state steps to the locked-up state."""

    def __init__(self, lfsr, locked):
        self.lfsr, self.locked = lfsr, locked
        super().__init__({"one": In(lfsr.length), "other": In(lfsr.length)})

    def elaborate(self, platform):
        m = Module()
        after = []
        for state in (self.one, self.other):
            after.append(Signal(self.lfsr.length))
            m.d.comb += after[-1].eq(Cat(state[1:], self.lfsr.feedback(state)))
        m.d.comb += Assert((self.one == self.other) | (after[0] != after[1]))
        for state in self.locked:
            m.d.comb += Assert((after[0] != state) | self._is_locked(self.one))
        return m

    def _is_locked(self, state):
        result = Signal()
        for locked in self.locked:
            result = result | (state == locked)
        return result


@pytest.mark.parametrize("bits", [2, 3, 8, 24, 32])
@pytest.mark.parametrize("polarity", ["plain", "alternating", "uniform"])
def test_step_is_invertible_and_never_locks_up(prove, polarity, bits):
    lfsr = Lfsr.of(TAPS[bits], alternating=polarity == "alternating", zero=polarity == "uniform")
    # All zeros; if words alternate, also the alternately inverted sequence.
    by_turns = sum(1 << n for n in range(0, lfsr.length, 2))
    locked = {"plain": [0], "alternating": [by_turns, by_turns ^ 2**lfsr.length - 1], "uniform": []}
    prove(StepIsInvertible(lfsr, locked[polarity]), depth=1)


class WordsStayInTheSequence(wiring.Component):
    """For any steps and ends of rows: the plain word is never zero, and in space a pair is inverse to each other.

    Words that alternate are each other's inverse in every second lane; of two consecutive phases, one is the other's
    next state.
    """

    def __init__(self, polarity, rows):
        self.source = RandomSourceParams(polarity=polarity, lanes=4, rows=rows)
        super().__init__({"step": In(1), "row": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = dut = RandomSource(self.source)
        m.d.comb += dut.step.eq(self.step)
        if self.source.rows:
            m.d.comb += dut.row.eq(self.row)
        lanes = [dut.words.word_select(lane, 3) for lane in range(4)]
        if self.source.polarity == "plain":
            m.d.comb += [Assert(word != 0) for word in lanes]
        else:
            m.d.comb += [Assert((lanes[0] ^ lanes[1]) == 7), Assert((lanes[2] ^ lanes[3]) == 7)]
            # At an even index, lane 0 has the plain word s and lane 2 the next; at an odd index, both are inverted.
            plain = (lanes[0] != 0) & (lanes[2] == Cat(lanes[0][1:], lanes[0][0] ^ lanes[0][1]))
            inverse = (lanes[1] != 0) & (lanes[3] == Cat(lanes[1][1:], lanes[1][0] ^ lanes[1][1]))
            m.d.comb += Assert(plain | inverse)
        return m


@pytest.mark.parametrize(
    ("polarity", "rows"),
    [("space", True), ("space", False), ("plain", True), ("plain", False)],
)
def test_words_stay_in_the_sequence(prove, polarity, rows):
    prove(WordsStayInTheSequence(polarity, rows), depth=16)


class PlateauWords(wiring.Component):
    """For any steps and ends of rows: a plateau word is the word with its lowest bit inverted at r + 1 equal bits.

    The bit above a word is the highest bit of a word that is one bit longer.
    """

    def __init__(self, bits, width):
        self.plain = RandomSourceParams(bits=bits, width=width + 1, lanes=4, rows=True)
        self.plateau = RandomSourceParams(bits=bits, width=width, lanes=4, rows=True, plateau=True)
        super().__init__({"step": In(1), "row": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.plain = plain = RandomSource(self.plain)
        m.submodules.plateau = plateau = RandomSource(self.plateau)
        for source in (plain, plateau):
            m.d.comb += [source.step.eq(self.step), source.row.eq(self.row)]
        for lane in range(4):
            longer = plain.words.word_select(lane, self.plain.width)
            word = plateau.words.word_select(lane, self.plateau.width)
            equal = (longer == 0) | (longer == 2**self.plain.width - 1)
            m.d.comb += Assert(word == longer[:-1] ^ equal)
        return m


@pytest.mark.parametrize(("bits", "width"), [(16, 2), (16, 3), (3, 2), (8, 1)])
def test_plateau_words(prove, bits, width):
    prove(PlateauWords(bits, width), depth=2)
