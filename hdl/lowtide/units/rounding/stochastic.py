"""Stochastic rounder: rounders for several lanes, and the source that they share."""

import attrs
from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.netlist import Unit, place
from lowtide.units.random.params import RandomSourceParams
from lowtide.units.random.source import RandomSource
from lowtide.units.rounding.params import RounderParams
from lowtide.units.rounding.rounder import Rounder

__all__ = ["StochasticParams", "StochasticRounder"]


@attrs.frozen(kw_only=True)
class StochasticParams:
    """What a stochastic rounder is generated for.

    Parameters
    ----------
    mode, width, fraction, random : str, int, int, int
        Of each rounder, as in `RounderParams`; stochastic modes alone.
    bits, polarity, seed, lanes, rows : int, str, int, int, bool
        Of the source, as in `RandomSourceParams`, with default taps.

    Raises
    ------
    IllegalValue
        If a parameter is not legal for the rounder or the source.
    """

    mode: str = parameter("half_step", ("carry", "half_step"), "when it rounds up")
    width: int = parameter(4, range(1, 25), "bits of a result")
    fraction: int = parameter(8, range(1, 25), "bits of the fraction that is rounded away")
    random: int = parameter(3, range(1, 25), "bits of a random word, at most those of the generator")
    bits: int = parameter(3, range(2, 33), "bits of the generator")
    polarity: str = parameter("space", ("plain", "inverted", "time", "space", "uniform"), "which words are inverted")
    seed: int = parameter(1, range(1, 2**32), "state after reset, below 2**bits", because="zero would stay zero")
    lanes: int = parameter(14, range(1, 1025), "lanes, each with a phase or polarity of its own")
    rows: bool = parameter(False, (False, True), "break the lock to the width of rows")

    def __attrs_post_init__(self):
        try:
            _ = self.source  # whatever it refuses
        except IllegalValue as error:
            key = "random" if error.key == "width" else error.key
            raise IllegalValue(key, error.legal, error.value) from None

    @property
    def rounder(self) -> RounderParams:
        """Shape of each rounder."""
        return RounderParams(mode=self.mode, width=self.width, fraction=self.fraction, random=self.random)

    @property
    def source(self) -> RandomSourceParams:
        """Shape of the source."""
        return RandomSourceParams(
            bits=self.bits,
            width=self.random,
            polarity=self.polarity,
            seed=self.seed,
            lanes=self.lanes,
            rows=self.rows,
        )


class StochasticRounder(Unit):
    """Rounds a magnitude a lane, by random words of one source for all of them.

    Combinational from ``value`` to the outputs; the words change in the cycle after ``step``. Source: ESRU, DATE 2023.

    Parameters
    ----------
    params : StochasticParams
        Its rounders and its source.

    Members
    -------
    value : In(lanes * (width + fraction))
        Magnitudes, lane 0 in the lowest bits, each with its fraction in the low bits.
    step, row : In(1), In(1)
        As of `RandomSource`; ``row`` only with ``rows``.
    o : Out(lanes * width)
        Rounded magnitudes, each held at the largest.
    up, saturated : Out(lanes), Out(lanes)
        A bit a lane: it was rounded up; it is held.
    """

    def __init__(self, params: StochasticParams):
        self.params = params
        rounding = f"{params.mode}_w{params.width}_d{params.fraction}_r{params.random}"
        source = f"l{params.lanes}_b{params.bits}_{params.polarity}{'_rows' * params.rows}_s{params.seed}"
        self.module_name = f"stochastic_rounder_{rounding}_{source}"
        super().__init__(
            {
                "value": In(params.lanes * (params.width + params.fraction)),
                "step": In(1),
                **({"row": In(1)} if params.rows else {}),
                "o": Out(params.lanes * params.width),
                "up": Out(params.lanes),
                "saturated": Out(params.lanes),
            }
        )

    def elaborate(self, platform):
        m = Module()
        params = self.params
        row = {"row": self.row} if params.rows else {}
        source = place(m, platform, "source", RandomSource(params.source), step=self.step, **row)
        rounders = [
            place(
                m,
                platform,
                f"lane_{lane}",
                Rounder(params.rounder),
                value=self.value.word_select(lane, params.width + params.fraction),
                random=source.words.word_select(lane, params.random),
            )
            for lane in range(params.lanes)
        ]
        m.d.comb += [
            self.o.eq(Cat(rounder.o[:-1] | rounder.o[-1].replicate(params.width) for rounder in rounders)),
            self.up.eq(Cat(rounder.up for rounder in rounders)),
            self.saturated.eq(Cat(rounder.o[-1] for rounder in rounders)),
        ]
        return m
