"""Dividers of the ECP5's PLL."""

import attrs

__all__ = ["Ecp5Pll"]

PHASE_HZ = range(3_125_000, 400_000_001)
OSCILLATOR_HZ = range(400_000_000, 800_000_001)
IN_DIVIDERS, FEEDBACK_DIVIDERS, OUT_DIVIDERS = range(1, 129), range(1, 81), range(1, 129)


@attrs.frozen(kw_only=True)
class Ecp5Pll:
    """An ``EHXPLLL`` with feedback from its output: clock = in * feedback / divider.

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
    def all_of(cls, source: int) -> "list[Ecp5Pll]":
        """One PLL for each integer frequency that the source allows, with the fastest phase comparison."""
        found: dict[int, Ecp5Pll] = {}
        for divider in IN_DIVIDERS:
            if source // divider not in PHASE_HZ or source % divider:
                continue
            for feedback in FEEDBACK_DIVIDERS:
                clock = source // divider * feedback
                # In the middle of its range the oscillator locks most safely.
                outs = [out for out in OUT_DIVIDERS if clock * out in OSCILLATOR_HZ]
                if outs:
                    middle = min(outs, key=lambda out: abs(clock * out - 600_000_000))
                    found.setdefault(clock, cls(clock=clock, divider=divider, feedback=feedback, out=middle))
        return list(found.values())
