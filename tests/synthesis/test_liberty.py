"""Liberty files: what a library contains, and what is refused."""

import re

import pytest

from fixtures.liberty import CELLS, gate, liberty
from lowtide.synthesis import SynthesisError, read_library


def test_areas_and_registers():
    library = read_library(liberty(), "small.lib")
    assert library.areas["XOR2"] == 4.0
    assert set(library.areas) == set(CELLS)
    assert library.registers == {"DFF", "DFF_ENABLE", "DFF_RESET"}


def test_smallest_nand_is_the_gate_equivalent():
    assert read_library(liberty(), "small.lib").nand == 2.0


@pytest.mark.parametrize("function", ["!(A & B)", "(!A) | (!B)", "(A B)'", "!A + !B", "(A ^ B) | !A"])
def test_nand_is_known_by_its_function(function):
    text = liberty("INV", "BUF", "NOR2", "DFF").rstrip("}\n") + "}\n" + gate("OTHER", 7.0, function) + "}\n"
    assert read_library(text, "small.lib").nand == 7.0


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        ([name for name in CELLS if "DFF" not in name], "no flip-flop"),
        (["DFF"], "no inverter, no buffer, no two-input NAND with an area"),
        (["INV", "BUF", "NOR2", "XOR2", "DFF"], "no two-input NAND with an area"),
        (["INV", "NAND2", "DFF"], "no buffer"),
    ],
)
def test_library_without_a_needed_cell_is_refused(names, missing):
    with pytest.raises(SynthesisError, match=f"^Liberty file small.lib has {missing}; synthesis needs each of these"):
        read_library(liberty(*names), "small.lib")


def test_nand_of_no_area_is_no_gate_equivalent():
    text = liberty("INV", "BUF", "NAND2", "DFF").replace("area : 2.0;", "")
    with pytest.raises(SynthesisError, match="has no two-input NAND with an area;"):
        read_library(text, "small.lib")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (liberty()[:300], "yosys: Syntax error in liberty file on line"),
        ("hello\n", "it has no group library"),
        ("", "it has no group library"),
    ],
)
def test_broken_file_is_refused_in_one_line(text, message):
    with pytest.raises(SynthesisError, match=re.escape(f"cannot read Liberty file small.lib: {message}")) as refused:
        read_library(text, "small.lib")
    assert "\n" not in str(refused.value)
