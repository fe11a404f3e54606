"""Top module of a board: the emitted serial engine, its clock, UART pins and LEDs."""

import importlib
from typing import Any

from amaranth.build import Attrs, Subsignal
from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Instance, Module, ResetSignal, Signal
from amaranth.lib import io

from lowtide_boards.targets.board import Board, BoardError
from lowtide_boards.targets.clock import BoardClock, pll_of

__all__ = ["BoardTop", "platform_of"]


def platform_of(board: Board) -> Any:
    """Amaranth's platform for a board.

    Raises
    ------
    BoardError
        If the board descriptions are not installed.
    """
    module, _, name = board.platform.partition(":")
    try:
        description = importlib.import_module(f"amaranth_boards.{module}")
        resources = importlib.import_module("amaranth_boards.resources")
    except ModuleNotFoundError:
        raise BoardError(
            "board descriptions are not installed; install them with: pip install 'lowtide[bitstream]'"
        ) from None
    platform = getattr(description, name)()
    if board.pins:
        rx, tx = board.pins
        uart = resources.UARTResource(0, rx=rx, tx=tx, conn=("io", 0), attrs=Attrs(IO_TYPE="LVCMOS33"))
        platform.add_resources([uart])
    return platform


class BoardTop(Elaboratable):
    """The module ``lowtide_serial`` on a board.

    Parameters
    ----------
    board : Board
    clock : int
        Clock frequency in Hz.
    tested : bool
        Whether the engine has a self-test. Without a self-test, the ``right`` LED is on while the clock runs.

    Raises
    ------
    BoardError
        If the board cannot make the clock.
    """

    def __init__(self, board: Board, clock: int, tested: bool):
        self.board, self.tested = board, tested
        source = int(platform_of(board).default_clk_frequency)
        self._clock = BoardClock(pll_of(board.tools, source, clock))

    def elaborate(self, platform: Any) -> Module:
        """Instantiate the engine, the clock and the I/O buffers."""
        m = Module()
        m.domains.sync = ClockDomain()
        m.submodules.clock = self._clock
        # Other pins of the UART have no buffer.
        ways = {part.name: "-" for part in platform.lookup("uart", 0).ios if isinstance(part, Subsignal)}
        line = platform.request("uart", 0, dir=ways)
        m.submodules.rx = rx = io.Buffer("i", line.rx)
        m.submodules.tx = tx = io.Buffer("o", line.tx)
        done = Signal()
        passed = Signal()
        results = {"o_test_done": done, "o_test_passed": passed} if self.tested else {}
        m.submodules.engine = Instance(
            "lowtide_serial", i_clk=ClockSignal(), i_rst=ResetSignal(), i_rx=rx.i, o_tx=tx.o, **results
        )
        right, wrong = Signal(), Signal()
        if self.tested:
            m.d.comb += [right.eq(done & passed), wrong.eq(done & ~passed)]
        else:
            m.d.comb += right.eq(~ResetSignal())
        lights: dict[str, Any] = {}
        for light in (self.board.right, self.board.wrong):
            resource = light.partition(".")[0]
            lights[resource] = lights.get(resource) or _lights(platform, resource)
        for name, light, value in (("right", self.board.right, right), ("wrong", self.board.wrong, wrong)):
            resource, _, part = light.partition(".")
            pin = getattr(lights[resource], part) if part else lights[resource]
            m.submodules[name] = buffer = io.Buffer("o", pin)
            m.d.comb += buffer.o.eq(value)
        return m


def _lights(platform: Any, name: str) -> Any:
    resource, _, number = name.partition(":")
    # The unused colors of an RGB LED have no buffer: nothing drives them.
    several = dict.fromkeys("rgb", "-") if resource == "rgb_led" else "-"
    return platform.request(resource, int(number), dir=several)
