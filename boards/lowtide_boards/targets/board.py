"""Boards: their FPGAs, clocks, serial ports and presets, from the table ``boards.toml``."""

from collections.abc import Mapping
from pathlib import Path

import attrs

from lowtide.config import nearest
from lowtide.formats.parameter import value_text
from lowtide.synthesis import SynthesisError
from lowtide.toml_file import read_toml

__all__ = ["BOARDS", "CHIPS", "DEFAULT", "Board", "BoardError", "Chip", "board_of"]


class BoardError(SynthesisError):
    """A bitstream cannot be built or loaded; the message is one line."""


@attrs.frozen(kw_only=True)
class Chip:
    """An FPGA.

    Parameters
    ----------
    family : str
        A key of `lowtide.synthesis.yosys.FAMILIES`.
    tables, registers, memories, multipliers : int
        Number of look-up tables, flip-flops, block RAMs and DSP blocks.
    """

    family: str
    tables: int
    registers: int
    memories: int
    multipliers: int


@attrs.frozen(kw_only=True)
class Board:
    """A board.

    Parameters
    ----------
    title : str
        Name for the user.
    chip_name : str
        A key of `CHIPS`.
    platform : str
        Module and class of ``amaranth_boards``.
    tools : str
        ``trellis``, ``icestorm``, ``apicula`` or ``vivado``.
    options : str
        Options of nextpnr: the device, and how it places and routes.
    seed : int
        Placer seed with which the preset meets its clock.
    preset : str
        Preset for the board.
    right, wrong : str
        LEDs for success and failure: resource, number and, after a point, part of the resource.
    self_test : bool
        Whether the FPGA has space for a `SelfTest`.
    loader : str
        Name of the board in openFPGALoader.
    usb : tuple of int
        USB vendor and product of the programmer, for a udev rule.
    pins : str, optional
        Pins of the UART for a board without one: receive and transmit, on connector ``io``.
    """

    title: str
    chip_name: str
    platform: str
    tools: str
    options: str = ""
    seed: int = 1
    preset: str
    right: str
    wrong: str
    self_test: bool = True
    loader: str
    usb: tuple[int, ...] = attrs.field(converter=tuple)
    pins: tuple[str, ...] | None = attrs.field(default=None, converter=attrs.converters.optional(tuple))

    @property
    def chip(self) -> Chip:
        """FPGA of the board."""
        return CHIPS[self.chip_name]


DEFAULT = "ulx3s"

_TABLES = read_toml(Path(__file__).with_name("boards.toml"))
CHIPS: Mapping[str, Chip] = {name: Chip(**table) for name, table in _TABLES["chips"].items()}
BOARDS: Mapping[str, Board] = {name: Board(**table) for name, table in _TABLES["boards"].items()}


def board_of(name: str) -> Board:
    """The board of a name.

    Raises
    ------
    BoardError
        If no board has the name.
    """
    if name not in BOARDS:
        raise BoardError(f"no board {value_text(name)}{nearest(name, BOARDS)}; boards: {', '.join(BOARDS)}")
    return BOARDS[name]
