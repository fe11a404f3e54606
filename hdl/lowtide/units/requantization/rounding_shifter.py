"""Rounding shifter: divides an integer by a power of two, rounds, and saturates."""

from collections.abc import Iterator

import attrs
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit, place
from lowtide.units.rounding.params import RounderParams
from lowtide.units.rounding.rounder import Rounder
from lowtide.units.stream.delay import delayed

__all__ = ["RoundingShifter"]

SHIFTS = 2
"""Powers of two of the shift between registers."""


class RoundingShifter(Unit):
    """Rounding shifter: ``i / 2**shift``, rounded to nearest, ties to even, and saturated at ``+-(2**(width-1) - 1)``.

    The shift consists of powers of two, the largest first. A bit that no later shift can move into the result is
    dropped at either end: below, it is ORed into the sticky bit; above, it saturates the result if it differs from the
    sign. So the word gets shorter with each power. The unit does not negate: in two's complement, rounding is equal for
    both signs.

    Parameters
    ----------
    in_width : int
        Bits of the integer.
    places : int
        Bits of the shift.
    width : int
        Bits of the result.

    Members
    -------
    enable : In(1)
        The registers load while high.
    i : In(signed(in_width))
        Integer.
    shift : In(places)
        Power of two to divide by.
    relu : In(1)
        While high, a negative result becomes 0 and does not set ``saturated``.
    o : Out(signed(width))
        Result, ``latency`` cycles of ``enable`` later.
    saturated : Out(1)
        High while the result is saturated.

    Attributes
    ----------
    latency : int
        Cycles from the integer to the result.
    """

    def __init__(self, in_width: int, places: int, width: int):
        self.in_width, self.places, self.width = in_width, places, width
        self.module_name = f"rounding_shifter_{in_width}_s{places}_w{width}"
        self.latency = -(-places // SHIFTS) + 2
        super().__init__(
            {
                "enable": In(1),
                "i": In(signed(in_width)),
                "shift": In(places),
                "relu": In(1),
                "o": Out(signed(width)),
                "saturated": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        state = _State(
            word=Cat(Const(0, 1), self.i),
            shift=self.shift,
            sign=self.i[-1],
            relu=self.relu,
            below=Const(0, 1),
            above=Const(0, 1),
        )
        for powers in self._groups():
            for power in powers:
                state = self._shifted(m, state, power)
            state = state.registered(m, self.enable)

        # The half and the sticky bit decide; the sign is separate.
        word = _extended(state, self.width)
        rounder = place(
            m,
            platform,
            "rounder",
            Rounder(RounderParams(mode="nearest_even", width=self.width - 1, fraction=2)),
            value=Cat(state.below, word),
        )
        rounded = delayed(m, rounder.o, enable=self.enable)
        self._saturate(m, state.registered(m, self.enable), rounded)
        return m

    def _groups(self) -> Iterator[list[int]]:
        """Yield the powers of two of the shift between registers, the largest first."""
        for top in range(self.places, 0, -SHIFTS):
            yield [1 << place for place in reversed(range(max(top - SHIFTS, 0), top))]

    def _shifted(self, m: Module, state: "_State", power: int) -> "_State":
        """Shift by a power if selected, and drop the bits that are too high for all later shifts.

        The lowest bit of the word is the first bit below the integer.
        """
        moves, kept = state.shift[-1], self.width + power - 1
        length = min(len(state.word), kept)
        word, moved = state.word, _extended(state, length + power)[power:]
        passed, above = word[:power].any(), _differs(word[kept:], state.sign)
        still_above = _differs(word[kept + power :], state.sign)
        return attrs.evolve(
            state,
            word=_named(m, f"shifted_{power}", Mux(moves, moved, word[:length])),
            shift=state.shift[:-1],
            below=_named(m, "below", state.below | (moves & passed)),
            above=_named(m, "above", state.above | Mux(moves, still_above, above)),
        )

    def _saturate(self, m: Module, state: "_State", rounded: Value) -> None:
        """Restore the sign, of weight ``-2**(width - 1)``, and saturate."""
        sign, saturates, clear = state.sign, Signal(), Signal()
        m.d.comb += [
            clear.eq(state.relu & sign),
            saturates.eq(state.above | Mux(sign, ~rounded.any(), rounded[-1])),
        ]
        o, saturated = Signal(self.width, reset_less=True), Signal(reset_less=True)
        largest = Cat(Const(1, 1), (~sign).replicate(self.width - 2), sign)
        with m.If(self.enable):
            m.d.sync += [
                o.eq(Mux(saturates, largest, Cat(rounded[:-1], sign & ~rounded[-1]))),
                saturated.eq(saturates & ~clear),
            ]
            with m.If(clear):
                m.d.sync += o.eq(0)
        m.d.comb += [self.o.eq(o.as_signed()), self.saturated.eq(saturated)]


@attrs.frozen
class _State:
    """State of the pipeline: the word, and flags of the dropped bits."""

    word: Value
    shift: Value
    sign: Value
    relu: Value
    below: Value
    above: Value

    def registered(self, m: Module, enable: Value) -> "_State":
        values = attrs.asdict(self, recurse=False)
        return _State(**{name: delayed(m, value, enable=enable) for name, value in values.items()})


def _extended(state: _State, length: int) -> Value:
    """Return the word's low bits, sign-extended to ``length`` bits."""
    return Cat(state.word[:length], state.sign.replicate(max(length - len(state.word), 0)))


def _differs(bits: Value, sign: Value) -> Value:
    return (bits ^ sign.replicate(len(bits))).any()


def _named(m: Module, name: str, value: Value) -> Signal:
    signal = Signal(len(value), name=name)
    m.d.comb += signal.eq(value)
    return signal
