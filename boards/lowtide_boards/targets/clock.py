"""Clock of a board: its oscillator, or a PLL behind the oscillator."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import ClockSignal, Const, Elaboratable, Instance, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer

from lowtide_boards.targets.board import BoardError
from lowtide_boards.targets.pll import Ecp5Pll, GowinPll, Ice40Pll, Pll, Xc7Pll

__all__ = ["BoardClock", "pll_of"]

PLLS: dict[str, type[Pll]] = {"trellis": Ecp5Pll, "icestorm": Ice40Pll, "apicula": GowinPll, "vivado": Xc7Pll}
"""PLL of each toolchain."""


def pll_of(tools: str, source: int, clock: int) -> Pll | None:
    """The PLL that makes a clock; None if the source has the frequency already.

    Raises
    ------
    BoardError
        If no PLL makes the clock; the message has the nearest frequencies.
    """
    if source == clock:
        return None
    known: Sequence[Pll] = PLLS[tools].all_of(source)
    for pll in known:
        if pll.clock == clock:
            return pll
    legal = sorted({source, *(pll.clock for pll in known)})
    near = [*[hz for hz in legal if hz < clock][-1:], *[hz for hz in legal if hz > clock][:1]]
    raise BoardError(
        f"serial.clock must be a frequency that the board can make; the nearest to {clock:_} are"
        f" {' and '.join(f'{hz:_}' for hz in near)}"
    )


class BoardClock(Elaboratable):
    """Drives the domain ``sync``, which is in reset until the PLL has locked.

    Parameters
    ----------
    pll : Pll, optional
        PLL of the clock; by default the oscillator drives the domain.
    """

    def __init__(self, pll: Pll | None):
        self.pll = pll

    def elaborate(self, platform: Any) -> Module:
        """Clock and reset."""
        m = Module()
        pin = platform.request(platform.default_clk, dir="-")
        clock = Signal()
        locked = Signal()
        match self.pll:
            case None:
                m.submodules.pin = pin = io.Buffer("i", pin)
                m.d.comb += [clock.eq(pin.i), locked.eq(1)]
            case Ecp5Pll():
                m.submodules.pin = pin = io.Buffer("i", pin)
                m.submodules.pll = _ecp5(self.pll, pin.i, clock, locked)
            case Ice40Pll():
                # The PLL has a dedicated pin without another buffer.
                m.submodules.pll = _ice40(self.pll, pin.io, clock, locked)
            case GowinPll():
                m.submodules.pin = pin = io.Buffer("i", pin)
                m.submodules.pll = _gowin(self.pll, pin.i, clock, locked, platform.default_clk_frequency)
            case Xc7Pll():
                m.submodules.pin = pin = io.Buffer("i", pin)
                made = Signal()
                m.submodules.pll = _xc7(self.pll, pin.i, made, locked, int(1e9) // platform.default_clk_frequency)
                m.submodules.buffer = Instance("BUFG", i_I=made, o_O=clock)
        m.d.comb += ClockSignal().eq(clock)
        m.submodules.reset = ResetSynchronizer(~locked)
        return m


def _ecp5(pll: Ecp5Pll, source: Signal, clock: Signal, locked: Signal) -> Instance:
    return Instance(
        "EHXPLLL",
        p_FEEDBK_PATH="CLKOP",
        p_CLKI_DIV=pll.divider,
        p_CLKFB_DIV=pll.feedback,
        p_CLKOP_DIV=pll.out,
        p_CLKOP_ENABLE="ENABLED",
        p_CLKOP_CPHASE=pll.out // 2,
        p_CLKOP_FPHASE=0,
        i_CLKI=source,
        i_CLKFB=clock,
        i_RST=Const(0),
        i_STDBY=Const(0),
        i_PHASESEL0=Const(0),
        i_PHASESEL1=Const(0),
        i_PHASEDIR=Const(1),
        i_PHASESTEP=Const(1),
        i_PHASELOADREG=Const(1),
        i_PLLWAKESYNC=Const(0),
        i_ENCLKOP=Const(0),
        o_CLKOP=clock,
        o_LOCK=locked,
    )


def _ice40(pll: Ice40Pll, pin: Any, clock: Signal, locked: Signal) -> Instance:
    return Instance(
        "SB_PLL40_PAD",
        p_FEEDBACK_PATH="SIMPLE",
        p_DIVR=Const(pll.divider, 4),
        p_DIVF=Const(pll.feedback, 7),
        p_DIVQ=Const(pll.out, 3),
        p_FILTER_RANGE=Const(pll.filter, 3),
        i_PACKAGEPIN=pin,
        i_RESETB=Const(1),
        i_BYPASS=Const(0),
        o_PLLOUTGLOBAL=clock,
        o_LOCK=locked,
    )


def _gowin(pll: GowinPll, source: Signal, clock: Signal, locked: Signal, hertz: float) -> Instance:
    return Instance(
        "rPLL",
        p_DEVICE="GW1NR-9C",
        p_FCLKIN=f"{hertz / 1e6:g}",
        p_IDIV_SEL=pll.divider - 1,
        p_FBDIV_SEL=pll.feedback - 1,
        p_ODIV_SEL=pll.out,
        p_CLKFB_SEL="internal",
        p_DYN_IDIV_SEL="false",
        p_DYN_FBDIV_SEL="false",
        p_DYN_ODIV_SEL="false",
        p_DYN_DA_EN="false",
        p_PSDA_SEL="0000",
        p_DUTYDA_SEL="1000",
        p_CLKOUT_BYPASS="false",
        p_CLKOUTP_BYPASS="false",
        p_CLKOUTD_BYPASS="false",
        i_CLKIN=source,
        i_CLKFB=Const(0),
        i_RESET=Const(0),
        i_RESET_P=Const(0),
        i_FBDSEL=Const(0, 6),
        i_IDSEL=Const(0, 6),
        i_ODSEL=Const(0, 6),
        i_PSDA=Const(0, 4),
        i_DUTYDA=Const(0, 4),
        i_FDLY=Const(0, 4),
        o_CLKOUT=clock,
        o_LOCK=locked,
    )


def _xc7(pll: Xc7Pll, source: Signal, clock: Signal, locked: Signal, period: float) -> Instance:
    fed_back = Signal()
    return Instance(
        "PLLE2_BASE",
        p_CLKIN1_PERIOD=float(period),
        p_DIVCLK_DIVIDE=pll.divider,
        p_CLKFBOUT_MULT=pll.feedback,
        p_CLKOUT0_DIVIDE=pll.out,
        i_CLKIN1=source,
        i_CLKFBIN=fed_back,
        o_CLKFBOUT=fed_back,
        i_RST=Const(0),
        i_PWRDWN=Const(0),
        o_CLKOUT0=clock,
        o_LOCKED=locked,
    )
