"""Boards: their FPGAs, clocks, serial ports and presets."""

from collections.abc import Mapping

import attrs

from lowtide.config import nearest
from lowtide.formats.parameter import value_text
from lowtide_boards.targets.errors import BoardError

__all__ = ["BOARDS", "CHIPS", "DEFAULT", "Board", "Chip", "board_of"]


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


CHIPS: Mapping[str, Chip] = {
    "LFE5U-25F": Chip(family="ecp5", tables=24_288, registers=24_288, memories=56, multipliers=28),
    "LFE5U-85F": Chip(family="ecp5", tables=83_640, registers=83_640, memories=208, multipliers=156),
    "LFE5UM5G-85F": Chip(family="ecp5", tables=83_640, registers=83_640, memories=208, multipliers=156),
    "iCE40UP5K": Chip(family="ice40", tables=5_280, registers=5_280, memories=30, multipliers=8),
    "GW1NR-9C": Chip(family="gowin", tables=8_640, registers=6_480, memories=26, multipliers=20),
    "XC7A100T": Chip(family="xc7", tables=63_400, registers=126_800, memories=135, multipliers=240),
}


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
        Options of nextpnr that select the device.
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
    preset: str
    right: str
    wrong: str
    self_test: bool = True
    loader: str
    usb: tuple[int, int]
    pins: tuple[str, str] | None = None

    @property
    def chip(self) -> Chip:
        """FPGA of the board."""
        return CHIPS[self.chip_name]


DEFAULT = "ulx3s"

BOARDS: Mapping[str, Board] = {
    "ulx3s": Board(
        title="ULX3S (85F)",
        chip_name="LFE5U-85F",
        platform="ulx3s:ULX3S_85F_Platform",
        tools="trellis",
        options="--85k --package CABGA381 --speed 6",
        preset="ulx3s",
        right="led:0",
        wrong="led:7",
        loader="ulx3s",
        usb=(0x0403, 0x6015),
    ),
    "ecpix5": Board(
        title="ECPIX-5 (85F)",
        chip_name="LFE5UM5G-85F",
        platform="ecpix5:ECPIX585Platform",
        tools="trellis",
        options="--um5g-85k --package CABGA554 --speed 8",
        preset="ecpix5",
        right="rgb_led:0.g",
        wrong="rgb_led:0.r",
        loader="ecpix5_r03",
        usb=(0x0403, 0x6010),
    ),
    "orangecrab": Board(
        title="OrangeCrab 0.2 (25F)",
        chip_name="LFE5U-25F",
        platform="orangecrab_r0_2:OrangeCrabR0_2_25FPlatform",
        tools="trellis",
        options="--25k --package CSFBGA285 --speed 8",
        preset="orangecrab",
        right="rgb_led:0.g",
        wrong="rgb_led:0.r",
        loader="orangeCrab",
        usb=(0x1209, 0x5AF0),
        pins=("0", "1"),
    ),
    "icebreaker": Board(
        title="iCEBreaker",
        chip_name="iCE40UP5K",
        platform="icebreaker:ICEBreakerPlatform",
        tools="icestorm",
        options="--up5k --package sg48",
        preset="icebreaker",
        right="led_g:0",
        wrong="led_r:0",
        self_test=False,
        loader="ice40_generic",
        usb=(0x0403, 0x6010),
    ),
    "tang-nano-9k": Board(
        title="Tang Nano 9K",
        chip_name="GW1NR-9C",
        platform="tang_nano_9k:TangNano9kPlatform",
        tools="apicula",
        options="--device GW1NR-LV9QN88PC6/I5 --vopt family=GW1N-9C",
        preset="tang-nano-9k",
        right="led:0",
        wrong="led:5",
        loader="tangnano9k",
        usb=(0x0403, 0x6010),
    ),
    "arty-a7": Board(
        title="Arty A7-100T",
        chip_name="XC7A100T",
        platform="arty_a7:ArtyA7_100Platform",
        tools="vivado",
        preset="arty-a7",
        right="rgb_led:0.g",
        wrong="rgb_led:0.r",
        loader="arty_a7_100t",
        usb=(0x0403, 0x6010),
    ),
}


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
