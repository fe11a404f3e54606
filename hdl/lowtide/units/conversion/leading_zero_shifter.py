"""Leading-zero shifter: shifts an integer's leading bit to the top of the word."""

from collections.abc import Callable, Iterator

import attrs
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.stream.delay import delayed

__all__ = ["LeadingZeroShifter"]

KEPT = 25
"""Default bits of the result: the significand of FP32 and one bit for rounding."""

LEVELS = 3
"""Most look-up tables from register to register."""


class LeadingZeroShifter(Unit):
    """Leading-zero shifter: shifts a signed integer left until its leading bit is the highest of ``width - 1`` bits.

    The unit does not negate negative integers, which would take a carry chain over the whole word. With the ones'
    complement ``x = i ^ sign``, ``|i| = x + sign``; the user's rounding adds the lacking one. The leading bit is the
    first one of ``x``. Zeros shifted into ``i`` from below are copies of the sign in ``x``, so that the result lacks a
    one of its lowest bit after any shift. ``-2**n`` results in ones in all bits below ``2**n``, and the lacking one
    carries into ``2**n``.

    The shift consists of powers of two, the largest first, two at a time. The unit compares the first three segments of
    the word, each of the smaller power's size, with the sign; this decides both shifts. A bit that no later shift can
    move into the result is ORed into ``inexact`` and dropped. The inversion by the sign shares the look-up tables of
    the last shift. The result is not registered: the user registers it.

    Parameters
    ----------
    width : int
        Bits of the integer.
    kept : int
        Bits of the result.

    Members
    -------
    enable : In(1)
        The registers load while high.
    i : In(signed(width))
        Integer.
    sign : Out(1)
        High if the integer is negative. All outputs are valid ``latency`` cycles of ``enable`` after the integer.
    significand : Out(kept)
        Highest bits of the shifted ``x``. The top bit is one unless ``i`` is zero.
    inexact : Out(1)
        High if ``i`` has a one below the significand.
    stays : Out(places)
        Complement of the shift, ``2**places - 1 - shift``; undefined if ``i`` is zero.

    Attributes
    ----------
    places : int
        Bits of the shift, which is ``width - 1`` at most.
    """

    def __init__(self, width: int, kept: int = KEPT):
        self.width, self.kept = width, kept
        self.places = (width - 1).bit_length()
        self.module_name = f"leading_zero_shifter_{width}" + ("" if kept == KEPT else f"_{kept}")
        super().__init__(
            {
                "enable": In(1),
                "i": In(signed(width)),
                "sign": Out(1),
                "significand": Out(kept),
                "inexact": Out(1),
                "stays": Out(self.places),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from an integer to the result."""
        return sum(cut for _, _, cut in self._steps())

    def elaborate(self, platform):
        m = Module()
        below = Const(0, max(self.kept - (self.width - 1), 0))
        state = _State(sign=self.i[-1], word=Cat(below, self.i[:-1]), inexact=Const(0, 1), equal=(), stays=())
        for step, group, cut in self._steps():
            if cut:
                state = state.registered(m, self.enable)
            state = step(m, state, group)
        m.d.comb += [
            self.sign.eq(state.sign),
            self.significand.eq(state.word),
            self.inexact.eq(state.inexact),
            self.stays.eq(Cat(reversed(state.stays))),
        ]
        return m

    def _groups(self) -> Iterator[list[int]]:
        """Yield the powers of two of the shift in pairs, the largest first, and alone if their count is odd."""
        powers = [1 << place for place in reversed(range(self.places))]
        first = len(powers) % 2
        if first:
            yield powers[:1]
        for place in range(first, self.places, 2):
            yield powers[place : place + 2]

    def _steps(self) -> Iterator[tuple[Callable, list[int], bool]]:
        """Yield the steps of the pipeline, the shifts of each, and whether a register precedes it."""
        level = 0
        for group in self._groups():
            for step, levels in ((self._compare, _compare_levels(group[-1])), (self._move, self._move_levels(group))):
                cut = level + levels > LEVELS
                level = levels if cut else level + levels
                yield step, group, cut

    def _segments(self, group: list[int]) -> int:
        """Segments that decide the shifts: three for two shifts, without a segment at the end of the word.

        If a segment at the end and those before it equal the sign, the integer is zero.
        """
        return 1 if len(group) == 1 else min(3, (self.width - 1) // group[-1])

    def _move_levels(self, group: list[int]) -> int:
        """Levels of look-up tables of shifts and their decisions."""
        return 3 if self._segments(group) == 3 else 2

    def _compare(self, m: Module, state: "_State", group: list[int]) -> "_State":
        """Compare the first segments of the word with its sign."""
        size, top = group[-1], len(state.word)
        ends = range(top, top - size * self._segments(group), -size)
        alike = [state.word[end - size : end] == state.sign.replicate(size) for end in ends]
        return attrs.evolve(state, equal=tuple(_named(m, "equal", equal) for equal in alike))

    def _move(self, m: Module, state: "_State", group: list[int]) -> "_State":
        """Shift the word, and drop bits that no later shift can move into the result."""
        first, *others = state.equal
        decisions = [first]
        if others:
            both = _named(m, "both", first & others[0])
            third = others[1] if others[1:] else Const(0)
            decisions = [both, _named(m, "one", Mux(both, third, first))]
        for amount, moves in zip(group, decisions, strict=True):
            word, dropped = state.word, max(len(state.word) - (self.kept + amount - 1), 0)
            moved = Mux(moves, (word << amount)[: len(word)], word)[dropped:]
            if amount == 1:
                moved = moved ^ state.sign.replicate(self.kept)
            state = attrs.evolve(
                state,
                word=_named(m, f"shifted_{amount}", moved),
                inexact=_named(m, "inexact", state.inexact | (~moves & word[:dropped].any())),
                equal=(),
                stays=(*state.stays, ~moves),
            )
        return state


@attrs.frozen
class _State:
    """State of the pipeline."""

    sign: Value
    word: Value
    inexact: Value
    equal: tuple[Value, ...]
    stays: tuple[Value, ...]

    def registered(self, m: Module, enable: Value) -> "_State":
        def register(value: Value) -> Value:
            return delayed(m, value, enable=enable)

        return _State(
            sign=register(self.sign),
            word=register(self.word),
            inexact=register(self.inexact),
            equal=tuple(map(register, self.equal)),
            stays=tuple(map(register, self.stays)),
        )


def _compare_levels(size: int) -> int:
    """Levels of look-up tables that compare a segment with the sign; the shift compares a single bit."""
    return 0 if size == 1 else 1 if size <= 4 else 2 if size <= 16 else 3


def _named(m: Module, name: str, value: Value) -> Signal:
    signal = Signal(len(value), name=name)
    m.d.comb += signal.eq(value)
    return signal
