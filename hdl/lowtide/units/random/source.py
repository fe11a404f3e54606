"""Random source: random words for many lanes from one short generator."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit
from lowtide.units.random.lfsr import Lfsr
from lowtide.units.random.params import RandomSourceParams

__all__ = ["RandomSource"]


class RandomSource(Unit):
    """Random source: outputs a random word per lane and step, from one linear feedback shift register.

    With ``s`` the state after reset and ``A`` the step of the register, the word of lane l at index n is the low
    ``width`` bits of ``A**(n + phase(l)) s``. ``inverted`` inverts all words, ``time`` and ``space`` invert the words
    of odd n, and ``space`` also inverts the words of odd lanes. The index counts steps. With ``rows``, the index is the
    number of earlier rows plus the number of steps in the row. So from row to row, a column of data gets the words in
    sequence, all equally often, for any width of a row. With ``plateau``, the lowest bit of a word is inverted if the
    word and the next bit of the sequence are ``width + 1`` equal bits.

    The words belong to the current state; the next words are valid in the cycle after ``step``. A reset restores the
    seed. Source: the plateau-shaped words of ESRU, DATE 2023.

    Parameters
    ----------
    params : RandomSourceParams
        Bits, words, lanes, and polarity.
    seeded : bool
        Whether a port loads other seeds.

    Members
    -------
    load, seed : In(1), In(bits)
        High for one cycle to load ``seed``, which must not be zero. From the next cycle on, the words are the words of
        the seed, from its first row on. ``load`` overrides ``step``. Only if ``seeded``.
    step : In(1)
        High to advance to the next words.
    row : In(1)
        With ``step``: high with the last words of a row. Only with ``rows``.
    words : Out(lanes * width)
        Word of each lane, lane 0 in the lowest bits.
    """

    def __init__(self, params: RandomSourceParams, seeded: bool = False):
        self.params, self.seeded = params, seeded
        taps = "_".join(map(str, params.exponents))
        kind = params.polarity + "_rows" * params.rows + "_plateau" * params.plateau
        self.module_name = (
            f"random_source_b{params.bits}_r{params.width}_l{params.lanes}_{kind}_t{taps}_s{params.seed}"
            + "_seeded" * seeded
        )
        ports = {"step": In(1), "words": Out(params.lanes * params.width)}
        ports |= {"row": In(1)} if params.rows else {}
        super().__init__(ports | ({"load": In(1), "seed": In(params.bits)} if seeded else {}))

    def elaborate(self, platform):
        m = Module()
        params = self.params
        lfsr = Lfsr.of(params.exponents, alternating=params.alternates, zero=params.polarity == "uniform")
        # The sequence repeats after as many bits as there are states.
        last = max(params.phase(lane) for lane in range(params.lanes))
        farthest = min(last + params.width + params.plateau, params.states)
        # A bit ahead takes a look-up table, or a flip-flop of a longer register, which has no delay. With rows, the
        # flip-flop would also need a table to load it, and all words of a short generator are tables anyway.
        length = lfsr.length if params.rows or lfsr.zero else max(lfsr.length, farthest)
        seed = lfsr.ahead(self._state(lfsr, [params.seed >> n & 1 for n in range(params.bits)]), length + 1)
        state = Signal(length, init=packed(seed[:-1]))
        with m.If(self.step):
            m.d.sync += state.eq(Cat(state[1:], lfsr.feedback(state[-lfsr.length :])))
        if params.rows:
            # State at the start of the next row: a row starts one step later in the sequence than the row before.
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
        """Return the word of a lane, from the bits of the sequence.

        In an alternating sequence, every second bit is inverted back, so that all bits of a word are inverted, or none.
        """
        params, word = self.params, []
        for n in range(params.width + params.plateau):
            place = (params.phase(lane) + n) % params.states
            inverted = params.inverts(lane) ^ (params.alternates and place % 2 == 1)
            word.append(~bits[place] if inverted else bits[place])
        if params.plateau:
            equal = Cat(word).all() | ~Cat(word).any()
            return Cat(word[0] ^ equal, word[1:-1])
        return Cat(word)

    def _state(self, lfsr: Lfsr, seed: list[Any]) -> list[Any]:
        """Return the bits of a seed's state, of the alternating sequence if words alternate."""
        bits = Lfsr.of(self.params.exponents).ahead(seed, lfsr.length)
        return [bit ^ n & 1 for n, bit in enumerate(bits)] if self.params.alternates else bits


def packed(bits: list[int]) -> int:
    """Return bits as an integer, the first bit the lowest."""
    return sum(bit << n for n, bit in enumerate(bits))
