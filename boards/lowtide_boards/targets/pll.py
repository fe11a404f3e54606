"""Dividers of the PLLs of FPGA families."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Self

import attrs

__all__ = ["Ecp5Pll", "GowinPll", "Ice40Pll", "Pll", "Xc7Pll"]


@attrs.frozen(kw_only=True)
class Pll:
    """A PLL; the subclasses are the primitives of the families.

    Parameters
    ----------
    clock : int
        Output frequency in Hz.
    divider, feedback, out : int
        Dividers of the input, the feedback and the output, as the primitive's parameters state them.
    """

    PHASE_HZ: ClassVar[range]
    """Legal frequencies of the phase comparison."""
    OSCILLATOR_HZ: ClassVar[range]
    """Legal frequencies of the oscillator."""

    clock: int
    divider: int
    feedback: int
    out: int

    @classmethod
    def all_of(cls, source: int) -> list[Self]:
        """One PLL for each integer frequency that the source allows, with the fastest phase comparison."""
        found: dict[int, Self] = {}
        for pll in cls._legal(source):
            found.setdefault(pll.clock, pll)
        return list(found.values())

    @classmethod
    def _legal(cls, source: int) -> Iterator[Self]:
        """All legal settings for a source, the fastest phase comparison first."""
        raise NotImplementedError

    @classmethod
    def _phases(cls, source: int, dividers: range) -> Iterator[tuple[int, int]]:
        """Dividers of the input, and the frequencies of the phase comparison."""
        for divider in dividers:
            if source % divider == 0 and source // divider in cls.PHASE_HZ:
                yield divider, source // divider

    @classmethod
    def _out_divider(cls, clock: int, dividers: Sequence[int]) -> int | None:
        """Output divider inside of the feedback; None if no divider is legal.

        The oscillator locks most safely in the middle of its range.
        """
        legal = [out for out in dividers if clock * out in cls.OSCILLATOR_HZ]
        middle = (cls.OSCILLATOR_HZ.start + cls.OSCILLATOR_HZ.stop) // 2
        return min(legal, key=lambda out: abs(clock * out - middle), default=None)


@attrs.frozen(kw_only=True)
class Ecp5Pll(Pll):
    """An ``EHXPLLL`` with feedback from its output: clock = in * feedback / divider."""

    PHASE_HZ = range(3_125_000, 400_000_001)
    OSCILLATOR_HZ = range(400_000_000, 800_000_001)
    IN_DIVIDERS: ClassVar[range] = range(1, 129)
    FEEDBACK_DIVIDERS: ClassVar[range] = range(1, 81)
    OUT_DIVIDERS: ClassVar[range] = range(1, 129)

    @classmethod
    def _legal(cls, source):
        for divider, phase in cls._phases(source, cls.IN_DIVIDERS):
            for feedback in cls.FEEDBACK_DIVIDERS:
                clock = phase * feedback
                out = cls._out_divider(clock, cls.OUT_DIVIDERS)
                if out is not None:
                    yield cls(clock=clock, divider=divider, feedback=feedback, out=out)


@attrs.frozen(kw_only=True)
class Ice40Pll(Pll):
    """A ``SB_PLL40_PAD`` with simple feedback: clock = in * (feedback + 1) / (divider + 1) / 2^out.

    ``filter`` is the range of the loop filter.
    """

    PHASE_HZ = range(10_000_000, 133_000_001)
    OSCILLATOR_HZ = range(533_000_000, 1_066_000_001)
    OUT_HZ: ClassVar[range] = range(16_000_000, 275_000_001)
    FILTER_HZ: ClassVar[tuple[int, ...]] = (17_000_000, 26_000_000, 44_000_000, 66_000_000, 101_000_000)
    """Phase frequencies at which the next filter range begins."""

    filter: int

    @classmethod
    def _legal(cls, source):
        for divider, phase in cls._phases(source, range(1, 17)):
            band = 1 + sum(phase >= start for start in cls.FILTER_HZ)
            for feedback in range(128):
                oscillator = phase * (feedback + 1)
                for out in range(1, 7):
                    clock = oscillator >> out
                    if oscillator in cls.OSCILLATOR_HZ and clock in cls.OUT_HZ and clock << out == oscillator:
                        yield cls(clock=clock, divider=divider - 1, feedback=feedback, out=out, filter=band)


@attrs.frozen(kw_only=True)
class GowinPll(Pll):
    """An ``rPLL`` with internal feedback: clock = in * feedback / divider.

    The parameters IDIV_SEL and FBDIV_SEL are one less than the dividers. The ranges hold for a GW1NR-9 of grade
    C6/I5.
    """

    PHASE_HZ = range(3_000_000, 400_000_001)
    OSCILLATOR_HZ = range(400_000_000, 1_200_000_001)
    OUT_HZ: ClassVar[range] = range(3_125_000, 600_000_001)
    DIVIDERS: ClassVar[range] = range(1, 65)
    OUT_DIVIDERS: ClassVar[tuple[int, ...]] = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)

    @classmethod
    def _legal(cls, source):
        for divider, phase in cls._phases(source, cls.DIVIDERS):
            for feedback in cls.DIVIDERS:
                clock = phase * feedback
                out = cls._out_divider(clock, cls.OUT_DIVIDERS)
                if out is not None and clock in cls.OUT_HZ:
                    yield cls(clock=clock, divider=divider, feedback=feedback, out=out)


@attrs.frozen(kw_only=True)
class Xc7Pll(Pll):
    """A ``PLLE2_BASE``: clock = in * feedback / divider / out."""

    PHASE_HZ = range(19_000_000, 450_000_001)
    OSCILLATOR_HZ = range(800_000_000, 1_600_000_001)

    @classmethod
    def _legal(cls, source):
        for divider, phase in cls._phases(source, range(1, 57)):
            for feedback in range(2, 65):
                oscillator = phase * feedback
                for out in range(1, 129):
                    if oscillator in cls.OSCILLATOR_HZ and not oscillator % out:
                        yield cls(clock=oscillator // out, divider=divider, feedback=feedback, out=out)
