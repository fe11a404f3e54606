"""PLLs make the clocks that they say, within the ranges of their parts."""

import pytest
from amaranth.hdl import Const, Signal

from lowtide.config import Config
from lowtide_boards.targets import clock as clock_module
from lowtide_boards.targets.board import BOARDS, BoardError
from lowtide_boards.targets.clock import pll_of
from lowtide_boards.targets.pll import Ecp5Pll, GowinPll, Ice40Pll, Xc7Pll
from lowtide_boards.targets.top import platform_of

SOURCES = (12_000_000, 25_000_000, 48_000_000, 100_000_000)


@pytest.mark.parametrize("source", SOURCES)
def test_ecp5(source):
    plls = Ecp5Pll.all_of(source)
    assert plls
    for pll in plls:
        assert pll.clock * pll.divider == source * pll.feedback
        assert pll.clock * pll.out in Ecp5Pll.OSCILLATOR_HZ
        assert source // pll.divider in Ecp5Pll.PHASE_HZ


@pytest.mark.parametrize("source", SOURCES)
def test_ice40(source):
    plls = Ice40Pll.all_of(source)
    assert plls
    for pll in plls:
        oscillator = source * (pll.feedback + 1) // (pll.divider + 1)
        assert pll.clock << pll.out == oscillator
        assert oscillator in Ice40Pll.OSCILLATOR_HZ


@pytest.mark.parametrize("source", SOURCES)
def test_gowin(source):
    plls = GowinPll.all_of(source)
    assert plls
    for pll in plls:
        assert pll.clock * pll.divider == source * pll.feedback
        assert pll.clock * pll.out in GowinPll.OSCILLATOR_HZ
        assert source // pll.divider in GowinPll.PHASE_HZ
        assert pll.out in GowinPll.OUT_DIVIDERS


def test_xc7():
    for pll in Xc7Pll.all_of(100_000_000):
        assert pll.clock * pll.out * pll.divider == 100_000_000 * pll.feedback
        assert pll.clock * pll.out in Xc7Pll.OSCILLATOR_HZ


def test_known_dividers():
    """Those that Lattice's own parts are given for these clocks."""
    assert pll_of("trellis", 25_000_000, 100_000_000) == Ecp5Pll(clock=100_000_000, divider=1, feedback=4, out=6)
    assert pll_of("icestorm", 12_000_000, 24_000_000) == Ice40Pll(
        clock=24_000_000, divider=0, feedback=63, out=5, filter=1
    )

    assert pll_of("apicula", 27_000_000, 54_000_000) == GowinPll(clock=54_000_000, divider=1, feedback=2, out=16)


def test_no_pll_for_the_oscillator_itself():
    assert pll_of("trellis", 25_000_000, 25_000_000) is None


def test_a_clock_that_cannot_be_made_names_its_neighbors():
    with pytest.raises(BoardError, match="nearest to 80_000_001 are 80_000_000 and 8"):
        pll_of("trellis", 25_000_000, 80_000_001)


@pytest.mark.parametrize("name", BOARDS)
def test_each_board_makes_the_clock_of_its_preset(name):
    board = BOARDS[name]
    source = int(platform_of(board).default_clk_frequency)
    clock = Config.load(board.preset).serial.clock
    assert clock in {source, getattr(pll_of(board.tools, source, clock), "clock", source)}


@pytest.mark.parametrize(
    ("tools", "source", "clock", "output"),
    [
        ("trellis", 25_000_000, 80_000_000, lambda p: 25_000_000 * p["CLKFB_DIV"] / p["CLKI_DIV"]),
        ("icestorm", 12_000_000, 24_000_000, lambda p: 12_000_000 * (p["DIVF"] + 1) / (p["DIVR"] + 1) / 2 ** p["DIVQ"]),
        ("apicula", 27_000_000, 54_000_000, lambda p: 27_000_000 * (p["FBDIV_SEL"] + 1) / (p["IDIV_SEL"] + 1)),
        ("apicula", 27_000_000, 49_500_000, lambda p: 27_000_000 * (p["FBDIV_SEL"] + 1) / (p["IDIV_SEL"] + 1)),
        (
            "vivado",
            100_000_000,
            80_000_000,
            lambda p: 1e8 * p["CLKFBOUT_MULT"] / p["DIVCLK_DIVIDE"] / p["CLKOUT0_DIVIDE"],
        ),
    ],
)
def test_parameters_of_the_primitive_give_the_clock(tools, source, clock, output):
    """The output frequency, by the formula of the family's data sheet."""
    pll = pll_of(tools, source, clock)
    signals = Signal(), Signal(), Signal()
    match pll:
        case Ecp5Pll():
            instance = clock_module._ecp5(pll, *signals)
        case Ice40Pll():
            instance = clock_module._ice40(pll, *signals)
        case GowinPll():
            instance = clock_module._gowin(pll, *signals, float(source))
        case Xc7Pll():
            instance = clock_module._xc7(pll, *signals, 1e9 / source)
        case _:
            raise AssertionError(pll)
    parameters = {
        name: value.value if isinstance(value, Const) else value for name, value in instance.parameters.items()
    }
    assert output(parameters) == clock
