"""Leading shift: moves an integer's leading bit to the top of its word."""

from collections.abc import Callable, Iterator

import attrs
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.stream.delay import delayed

__all__ = ["LeadingZeroShifter"]

KEPT = 25
"""Bits of the result, where it is not said: the significand of FP32, and one that decides on its rounding."""

LEVELS = 3
"""Most look-up tables from register to register."""


class LeadingZeroShifter(Unit):
    """Shifts a signed integer to the left until its leading bit is the top one of ``width - 1``.

    Negative integers are not negated: that would be a carry chain over the whole word. With ``x = i ^ sign``, the ones'
    complement, ``|i| = x + sign``, and the missing one is left to whoever rounds. What leads is the first one of ``x``;
    zeros that come in from below ``i`` are copies of the sign in ``x``, so that the result still lacks just a one of
    its lowest place, however far it was shifted. ``-2**n`` gives all ones below the place of ``2**n``, and the
    missing one carries them there.

    The shift is made of powers of two, the largest first, two at a time: the first three of the word's segments of the
    smaller power are compared with the sign, which tells both. A bit that no later shift can bring into the result is
    ORed into ``inexact`` and dropped. Inverting by the sign shares the look-up tables of the last shift, which is not
    registered: whoever uses the result does that.

    Parameters
    ----------
    width : int
        Bits of the integer.
    kept : int
        Bits of the result.

    Members
    -------
    enable : In(1)
        Registers take what comes.
    i : In(signed(width))
        Integer.
    sign : Out(1)
        It is negative, ``latency`` cycles of ``enable`` later, as the rest.
    significand : Out(kept)
        Highest bits of the shifted ``x``. The first is one unless ``i`` is zero.
    inexact : Out(1)
        Below these, ``i`` has a one.
    stays : Out(places)
        Places that it was not shifted by: ``2**places - 1 - shift``. Without meaning if ``i`` is zero.

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
        """Powers of two that the shift is made of, by twos, the largest first; if they are odd it is alone."""
        powers = [1 << place for place in reversed(range(self.places))]
        first = len(powers) % 2
        if first:
            yield powers[:1]
        for place in range(first, self.places, 2):
            yield powers[place : place + 2]

    def _steps(self) -> Iterator[tuple[Callable, list[int], bool]]:
        """Steps of the pipeline, the shifts that each is about, and whether a register is before it."""
        level = 0
        for group in self._groups():
            for step, levels in ((self._compare, _compare_levels(group[-1])), (self._move, self._move_levels(group))):
                cut = level + levels > LEVELS
                level = levels if cut else level + levels
                yield step, group, cut

    def _segments(self, group: list[int]) -> int:
        """Segments that decide on the shifts: three for two shifts, less one that the word ends in.

        With those before it, such a one is as the sign only if the integer is zero.
        """
        return 1 if len(group) == 1 else min(3, (self.width - 1) // group[-1])

    def _move_levels(self, group: list[int]) -> int:
        """Levels of look-up tables that shifts take, the decisions on them included."""
        return 3 if self._segments(group) == 3 else 2

    def _compare(self, m: Module, state: "_State", group: list[int]) -> "_State":
        """Compare the first segments of the word with its sign."""
        size, top = group[-1], len(state.word)
        ends = range(top, top - size * self._segments(group), -size)
        alike = [state.word[end - size : end] == state.sign.replicate(size) for end in ends]
        return attrs.evolve(state, equal=tuple(_named(m, "equal", equal) for equal in alike))

    def _move(self, m: Module, state: "_State", group: list[int]) -> "_State":
        """Shift the word, and drop bits that no later shift can bring back."""
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
    """What goes through the pipeline."""

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
    """Levels of look-up tables that compare a segment with the sign; a single bit is compared where it decides."""
    return 0 if size == 1 else 1 if size <= 4 else 2 if size <= 16 else 3


def _named(m: Module, name: str, value: Value) -> Signal:
    """A signal of that value."""
    signal = Signal(len(value), name=name)
    m.d.comb += signal.eq(value)
    return signal
