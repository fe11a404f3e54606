"""Dividers of the 7 series' PLL."""

import attrs

__all__ = ["Xc7Pll"]

PHASE_HZ = range(19_000_000, 450_000_001)
OSCILLATOR_HZ = range(800_000_000, 1_600_000_001)


@attrs.frozen(kw_only=True)
class Xc7Pll:
    """A ``PLLE2_BASE``: clock = in * feedback / divider / out.

    Parameters
    ----------
    clock : int
        Output frequency in Hz.
    divider, feedback, out : int
        Dividers of the input, the feedback and the output.
    """

    clock: int
    divider: int
    feedback: int
    out: int

    @classmethod
    def all_of(cls, source: int) -> "list[Xc7Pll]":
        """One PLL for each integer frequency that the source allows, with the fastest phase comparison."""
        found: dict[int, Xc7Pll] = {}
        for divider in range(1, 57):
            if source % divider or source // divider not in PHASE_HZ:
                continue
            for feedback in range(2, 65):
                oscillator = source // divider * feedback
                for out in range(1, 129):
                    if oscillator in OSCILLATOR_HZ and not oscillator % out:
                        clock = oscillator // out
                        found.setdefault(clock, cls(clock=clock, divider=divider, feedback=feedback, out=out))
        return list(found.values())
