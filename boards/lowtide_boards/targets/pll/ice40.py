"""Dividers of the iCE40's PLL."""

import attrs

__all__ = ["Ice40Pll"]

PHASE_HZ = range(10_000_000, 133_000_001)
OSCILLATOR_HZ = range(533_000_000, 1_066_000_001)
OUT_HZ = range(16_000_000, 275_000_001)
FILTER_HZ = (17_000_000, 26_000_000, 44_000_000, 66_000_000, 101_000_000)
"""Phase frequencies at which the next filter range begins."""


@attrs.frozen(kw_only=True)
class Ice40Pll:
    """A ``SB_PLL40_PAD`` with simple feedback: clock = in * (feedback + 1) / (divider + 1) / 2^out.

    Parameters
    ----------
    clock : int
        Output frequency in Hz.
    divider, feedback, out : int
        Parameters DIVR, DIVF and DIVQ of the primitive.
    filter : int
        Range of the loop filter.
    """

    clock: int
    divider: int
    feedback: int
    out: int
    filter: int

    @classmethod
    def all_of(cls, source: int) -> "list[Ice40Pll]":
        """One PLL for each integer frequency that the source allows, with the fastest phase comparison."""
        found: dict[int, Ice40Pll] = {}
        for divider in range(16):
            phase = source // (divider + 1)
            if source % (divider + 1) or phase not in PHASE_HZ:
                continue
            band = 1 + sum(phase >= start for start in FILTER_HZ)
            for feedback in range(128):
                oscillator = phase * (feedback + 1)
                for out in range(1, 7):
                    clock = oscillator >> out
                    if oscillator in OSCILLATOR_HZ and clock in OUT_HZ and clock << out == oscillator:
                        found.setdefault(
                            clock, cls(clock=clock, divider=divider, feedback=feedback, out=out, filter=band)
                        )
        return list(found.values())
