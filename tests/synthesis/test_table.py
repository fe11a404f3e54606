"""The same rows for people and for programs."""

import json
import re

import pytest
from rich.console import Console

from fixtures.liberty import liberty
from lowtide.synthesis import Design, SynthesisError, measure, read_library, to_plain, to_table, versions


@pytest.fixture(scope="module")
def rows():
    verilog = "module xor3(input [2:0] a, output y); assign y = ^a; endmodule"
    return list(measure([Design("xor", verilog, "xor3")], ["xc7", "ice40"], seeds=(1,)))


def test_table_shows_every_row_and_the_tools(rows):
    console = Console(width=160)
    with console.capture() as capture:
        console.print(to_table(rows, versions()))
    text = capture.get()
    assert all(word in text for word in ("xor", "xc7", "ice40", "fmax, MHz", f"yosys {versions()['yosys']}"))
    assert "LUT6 sites" in text
    assert "LUTRAM" not in text


@pytest.mark.slow
def test_placed_cells_stand_beside_synthesized_cells(adder):
    """Other targets have a dash."""
    rows = list(measure([Design("sum", adder, "adder")], ["ecp5", "ice40"], seeds=(1,)))
    console = Console(width=160)
    with console.capture() as capture:
        console.print(to_table(rows, {}))
    lines = [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in capture.get().splitlines()]
    heading, ecp5, ice40 = (line for line in lines if line)
    column = heading.index("placed")
    assert heading[column + 1] == "placed FF"
    assert (ecp5[heading.index("cells")], ecp5[column : column + 2]) == ("16", ["19", "16"])
    assert ice40[column : column + 2] == ["–", "–"]
    plain = [row["timing"]["placed"] for row in to_plain(rows, {})["rows"]]
    assert plain == [{"TRELLIS_COMB": 19, "TRELLIS_FF": 16}, None]


def test_plain_rows_survive_json(rows):
    plain = to_plain(rows, versions())
    assert json.loads(json.dumps(plain)) == json.loads(json.dumps(plain, sort_keys=True))
    first, second = plain["rows"]
    assert (first["unit"], first["target"], first["timing"]) == ("xor", "xc7", None)
    assert (first["area"]["lut_sites"], second["area"]["lut_sites"]) == (1, None)
    assert second["timing"]["fmax"] == rows[1].timing.fmax
    assert "synth_ice40" in second["area"]["script"]


def test_sites_have_no_column_without_xc7(rows):
    console = Console(width=160)
    with console.capture() as capture:
        console.print(to_table(rows[1:], versions()))
    assert "LUT6 sites" not in capture.get()


def test_chips_have_columns_of_their_own():
    verilog = "module m(input a, b, output y); assign y = ~(a & b); endmodule"
    library = read_library(liberty(), "small.lib")
    chips = list(measure([Design("nand", verilog, "m")], ["cmos", "liberty"], library=library))
    console = Console(width=160)
    with console.capture() as capture:
        console.print(to_table(chips, versions()))
    text = capture.get()
    assert re.search(r"unit.*target.*FF.*transistors.*area.*gates", text)
    assert re.search(r"nand.*cmos.* 4 .*–.*–", text)
    assert re.search(r"nand.*liberty.*–.* 2\.0 .* 1\.0 ", text)
    assert "LUT" not in text
    areas = [row["area"] for row in to_plain(chips, versions())["rows"]]
    assert [(area["transistors"], area["gates"]) for area in areas] == [(4, None), (None, 1.0)]


def test_failure_names_unit_and_target():
    with pytest.raises(SynthesisError, match=r"^broken on ecp5: yosys: "):
        list(measure([Design("broken", "module", "broken")], ["ecp5"]))


def test_target_liberty_needs_a_library():
    with pytest.raises(SynthesisError, match=r"^target liberty needs a library$"):
        list(measure([Design("m", "module m; endmodule", "m")], ["liberty"]))
