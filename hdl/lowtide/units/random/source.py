"""Random source: words for stochastic rounding, for many lanes from one short generator."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.random.lfsr import Lfsr
from lowtide.units.random.params import RandomSourceParams

__all__ = ["RandomSource"]


class RandomSource(Unit):
    """Gives each lane a word a step, from one linear feedback shift register.

    With ``s`` the state after reset and ``A`` the step of the register, lane l has at index n the low ``width`` bits of
    ``A**(n + phase(l)) s``, all inverted if ``polarity`` says so: of ``inverted`` always, of ``time`` and ``space`` at
    odd n, of ``space`` at odd lanes besides. The index counts steps. With ``rows`` it is the number of rows so far plus
    that of steps in this row: as rows go by, a column of data sees the words one after the other, all of them equally
    often, whatever the width of a row.

    Words are those of the present state; the next ones come in the cycle after ``step``. A stall is a cycle without it.
    Reset brings back the seed. Source: the plateau-shaped words of ESRU, DATE 2023.

    Parameters
    ----------
    params : Source
        Its bits, words, lanes and polarity.
    seeded : bool
        Whether it takes other seeds while it runs.

    Members
    -------
    load, seed : In(1), In(bits)
        In the cycle after ``load`` words are those of this seed, from the first row on; ``step`` changes nothing. A
        seed of zero is none. Only if ``seeded``.
    step : In(1)
        The words are taken; on to the next.
    row : In(1)
        With ``step``: they were the last of a row. Only if ``rows``.
    words : Out(lanes * width)
        A word for each lane, lane 0 in the lowest bits.
    """

    def __init__(self, params: RandomSourceParams, seeded: bool = False):
        self.params, self.seeded = params, seeded
        taps = "_".join(map(str, params.exponents))
        rows = "_rows" * params.rows
        self.module_name = (
            f"random_source_b{params.bits}_r{params.width}_l{params.lanes}_{params.polarity}{rows}_t{taps}_s{params.seed}"
            + "_seeded" * seeded
        )
        ports = {"step": In(1), "words": Out(params.lanes * params.width)}
        ports |= {"row": In(1)} if params.rows else {}
        super().__init__(ports | ({"load": In(1), "seed": In(params.bits)} if seeded else {}))

    def elaborate(self, platform):
        m = Module()
        params = self.params
        lfsr = Lfsr.of(params.exponents, alternating=params.alternates, zero=params.polarity == "uniform")
        # Of the bits ahead of the state there are no more than states: then the sequence comes again.
        farthest = min(max(params.phase(lane) for lane in range(params.lanes)) + params.width, params.states)
        # A bit ahead is a look-up table, or a flip-flop of a longer register, which is there at once. With rows that
        # would also need a table to be loaded, and all words of a short generator are tables anyway.
        length = lfsr.length if params.rows or lfsr.zero else max(lfsr.length, farthest)
        seed = lfsr.ahead(self._state(lfsr, [params.seed >> n & 1 for n in range(params.bits)]), length + 1)
        state = Signal(length, init=packed(seed[:-1]))
        with m.If(self.step):
            m.d.sync += state.eq(Cat(state[1:], lfsr.feedback(state[-lfsr.length :])))
        if params.rows:
            # With which the next row starts: a row starts one step later in the sequence than the one before it.
            start = Signal(length, init=packed(seed[1:]))
            with m.If(self.step & self.row):
                m.d.sync += [state.eq(start), start.eq(Cat(start[1:], lfsr.feedback(start)))]
        if self.seeded:
            with m.If(self.load):
                loaded = Cat(lfsr.ahead(self._state(lfsr, list(self.seed)), length + 1))
                m.d.sync += state.eq(loaded[:-1])
                if params.rows:
                    m.d.sync += start.eq(loaded[1:])

        def named(bit: Value, place: int) -> Signal:
            signal = Signal(name=f"ahead_{place}")
            m.d.comb += signal.eq(bit)
            return signal

        bits = lfsr.ahead(list(state), farthest, named)
        m.d.comb += self.words.eq(Cat(self._word(lane, bits) for lane in range(params.lanes)))
        return m

    def _word(self, lane: int, bits: list[Value]) -> Value:
        """The word of a lane, of the bits from the state on.

        Of an alternating sequence every second bit is inverted back, so that all bits of a word are inverted, or none.
        """
        params, word = self.params, []
        for n in range(params.width):
            place = (params.phase(lane) + n) % params.states
            inverted = params.inverts(lane) ^ (params.alternates and place % 2 == 1)
            word.append(~bits[place] if inverted else bits[place])
        return Cat(word)

    def _state(self, lfsr: Lfsr, seed: list[Any]) -> list[Any]:
        """State of a seed, bit by bit, in terms of the alternating sequence where words alternate."""
        bits = Lfsr.of(self.params.exponents).ahead(seed, lfsr.length)
        return [bit ^ n & 1 for n, bit in enumerate(bits)] if self.params.alternates else bits


def packed(bits: list[int]) -> int:
    """Bits as an integer, the first the lowest."""
    return sum(bit << n for n, bit in enumerate(bits))
