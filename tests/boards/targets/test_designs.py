"""What the tools are given for each board."""

import re

import pytest

from lowtide.config import Config
from lowtide.emission.folder import verilog_and_modules
from lowtide.emission.serial import SerialTop
from lowtide_boards.targets import design as designing
from lowtide_boards.targets.board import BOARDS
from lowtide_boards.targets.design import ENGINE, design_of

SMALL = {"array.rows": 1, "array.columns": 2, "bfp.lanes": 4, "bfp.max_k": 64, "engine.input_width": 1} | {
    "engine.output_width": 1,
    "engine.buffer_depth": 16,
    "engine.transpose_depth": 16,
}

PINS = {
    "ulx3s": ("M1", "L4", "G2"),
    "ecpix5": ("R26", "R24", "K23"),
    "orangecrab": ("N17", "M18", "A9"),
    "icebreaker": ("6", "9", "35"),
    "tang-nano-9k": ("18", "17", "52"),
    "arty-a7": ("A9", "D10", "E3"),
}
"""Receive, transmit, and the oscillator, as the boards' schematics have them."""


@pytest.fixture
def hollow(monkeypatch):
    """The engine left out, for what is around it."""
    monkeypatch.setattr(designing, "verilog_and_modules", lambda _top: ("", []))


def small(name):
    return Config.load(BOARDS[name].preset).changed(SMALL)


@pytest.mark.parametrize("name", BOARDS)
def test_pins_of_the_line_the_clock_and_the_lights(name, hollow):
    files = design_of(BOARDS[name], small(name)).files
    pins = next(text for file, text in files.items() if file.endswith((".lpf", ".pcf", ".cst", ".xdc")))
    for pin in PINS[name]:
        assert pin in re.split(r'[\s";]+', pins)
    assert pins.count("led") >= 2


def test_the_verilog_is_the_simulated_verilog():
    config = small("icebreaker")
    files = design_of(BOARDS["icebreaker"], config).files
    assert files[f"{ENGINE}.v"] == verilog_and_modules(SerialTop(config))[0]


def test_the_same_files_twice():
    assert design_of(BOARDS["ecpix5"], small("ecpix5")) == design_of(BOARDS["ecpix5"], small("ecpix5"))


def test_a_pll_and_a_reset_until_it_is_locked(hollow):
    top = design_of(BOARDS["ulx3s"], small("ulx3s")).files["top.il"]
    assert "EHXPLLL" in top
    assert "parameter \\CLKFB_DIV" in top
    assert "LOCK" in top
    assert "SB_PLL40_PAD" in design_of(BOARDS["icebreaker"], small("icebreaker")).files["top.il"]


def test_vivado_is_given_a_project(hollow):
    files = design_of(BOARDS["arty-a7"], small("arty-a7")).files
    assert {"top.tcl", "top.xdc", "top.v", f"{ENGINE}.v"} <= set(files)
