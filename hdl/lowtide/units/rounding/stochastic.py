"""Stochastic rounder: rounders of several lanes with a shared random source."""

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
    """Parameters of a stochastic rounder.

    Parameters
    ----------
    mode, width, fraction, random : str, int, int, int
        Parameters of each rounder, see `RounderParams`; the mode must be stochastic.
    bits, polarity, seed, lanes, rows : int, str, int, int, bool
        Parameters of the source, see `RandomSourceParams`; the taps are the default.

    Raises
    ------
    IllegalValue
        If a parameter is not legal for the rounder or the source.
    """

    mode: str = parameter("half_step", ("carry", "half_step"), "rounding mode")
    width: int = parameter(4, range(1, 25), "bits of a result")
    fraction: int = parameter(8, range(1, 25), "bits of the fraction")
    random: int = parameter(3, range(1, 25), "bits of a random word, at most the bits of the generator")
    bits: int = parameter(3, range(2, 33), "bits of the generator")
    polarity: str = parameter("space", ("plain", "inverted", "time", "space", "uniform"), "which words are inverted")
    seed: int = parameter(1, range(1, 2**32), "state after reset, below 2**bits", because="zero would stay zero")
    lanes: int = parameter(14, range(1, 1025), "lanes, each with its own phase or polarity")
    rows: bool = parameter(False, (False, True), "prevent a lock to the width of rows")

    def __attrs_post_init__(self):
        try:
            _ = self.source  # raises what RandomSourceParams rejects
        except IllegalValue as error:
            key = "random" if error.key == "width" else error.key
            raise IllegalValue(key, error.legal, error.value) from None

    @property
    def rounder(self) -> RounderParams:
        """Parameters of each rounder."""
        return RounderParams(mode=self.mode, width=self.width, fraction=self.fraction, random=self.random)

    @property
    def source(self) -> RandomSourceParams:
        """Parameters of the source."""
        return RandomSourceParams(
            bits=self.bits,
            width=self.random,
            polarity=self.polarity,
            seed=self.seed,
            lanes=self.lanes,
            rows=self.rows,
        )


class StochasticRounder(Unit):
    """Stochastic rounder: rounds a magnitude per lane by random words of a shared source.

    Combinational from ``value`` to the outputs; the words change in the cycle after ``step``. Source: ESRU, DATE 2023.

    Parameters
    ----------
    params : StochasticParams
        Parameters of rounders and source.

    Members
    -------
    value : In(lanes * (width + fraction))
        Magnitudes, lane 0 in the lowest bits, each with its fraction in the low bits.
    step : In(1)
        High to advance to the next random words.
    row : In(1)
        With ``step``: high with the last words of a row. Only with ``rows``.
    o : Out(lanes * width)
        Rounded and saturated magnitudes, lane 0 in the lowest bits.
    up, saturated : Out(lanes), Out(lanes)
        Bit of each lane: high if its magnitude is rounded up; high if its magnitude is saturated.
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
