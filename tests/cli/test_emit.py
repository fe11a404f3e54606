"""`lowtide emit`, `lowtide list` and `lowtide show`: output, and errors on illegal input."""

import json
import re

import pytest

from lowtide.cli import main


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run the command line in a separate folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments):
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        return exit_.value.code or 0, *capsys.readouterr()

    return call


def test_no_argument_emits_the_default(run, tmp_path):
    code, out, _ = run("emit")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        "build/verilog/lowtide_array.v",
        "build/verilog/lowtide_array.json",
    ]
    sidecar = json.loads((tmp_path / "build/verilog/lowtide_array.json").read_text())
    assert sidecar["configuration"]["array"] == {
        "rows": 8,
        "columns": 8,
        "element": "fmac",
        "operands": "packed",
        "results": "accumulators",
        "skew": "registers",
        "block_rows": 1,
        "block_columns": 1,
    }


def test_parameters_can_be_changed(run, tmp_path):
    code, out, _ = run("emit", "tiny", "--set", "array.rows=1", "--set", "bfp.lanes=8", "-o", "here", "--json")
    assert code == 0
    files = json.loads(out)["files"]
    sidecar = json.loads((tmp_path / files[1]).read_text())
    assert sidecar["configuration"]["array"]["rows"] == 1
    assert sidecar["configuration"]["bfp"]["lanes"] == 8


def test_one_unit(run, tmp_path):
    code, _, _ = run("emit", "--unit", "fmac", "--set", "lanes=4", "-o", "unit")
    assert code == 0
    assert [file.suffix for file in sorted((tmp_path / "unit").iterdir())] == [".json", ".v"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["emit", "tiyn"], "lowtide: no preset 'tiyn', did you mean tiny?"),
        (["emit", "nowhere.toml"], "lowtide: cannot read nowhere.toml: No such file or directory"),
        (["emit", "--set", "array.rows=0"], "lowtide: array.rows must be from 1 to 512, not 0"),
        (["emit", "--set", "array.row=1"], "lowtide: unknown key array.row, did you mean rows?"),
        (["emit", "--set", "rows=1"], "lowtide: key rows must name its section, as in array.rows"),
        (["emit", "--set", "bfp.lanes=many"], "lowtide: bfp.lanes must be one of 4, 8, 16, 32, 64, not 'many'"),
        (["emit", "--set", "bfp.mantissa=3"], "lowtide: bfp.mantissa must be a multiple of chunk_a = 2"),
        (["emit", "--set", "bfp.exponent=8"], "lowtide: bfp.exponent must be from 1 to 5"),
        (["emit", "--unit", "fmca"], "lowtide: no unit 'fmca', did you mean fmac?"),
        (["emit", "--unit", "fmac", "--set", "lanes=3"], "lowtide: lanes must be one of 4, 8, 16, 32, 64, not 3"),
        (["emit", "-o", "file/below"], "lowtide: cannot write into file/below: Not a directory"),
    ],
)
def test_illegal_input_gets_one_line_and_no_output(run, tmp_path, arguments, message):
    (tmp_path / "file").write_text("")
    code, out, err = run(*arguments)
    assert code == 1
    assert err.startswith(message)
    assert err.count("\n") == 1
    assert out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_bus_is_for_an_engine_alone(run):
    code, _, err = run("emit", "--bus", "wishbone")
    assert code == 2
    assert "--bus needs --top engine: only the engine has registers" in err


def test_an_engine_on_wishbone(run, tmp_path):
    small = ["--set", "array.rows=1", "--set", "bfp.lanes=4", "--set", "engine.buffer_depth=64"]
    code, _, _ = run("emit", "--top", "engine", "--bus", "wishbone", *small, "-o", "here")
    assert code == 0
    assert json.loads((tmp_path / "here/lowtide_engine.json").read_text())["bus"] == "wishbone"


def test_a_setting_without_a_value_is_refused(run):
    code, _, err = run("emit", "--set", "array.rows")
    assert code == 2
    assert "'array.rows' is not KEY=VALUE" in err


def test_list_names_every_key_with_its_legal_values(run):
    code, out, _ = run("list")
    assert code == 0
    assert re.search(r"lanes +│ 16 +│ one of 4, 8, 16, 32, 64 +│", out)
    assert re.search(r"rows +│ 8 +│ from 1 to 512 +│", out)


def test_list_as_json(run):
    code, out, _ = run("list", "--json")
    listed = json.loads(out)
    assert code == 0
    assert set(listed) == {"presets", "configuration", "units"}
    lanes = listed["units"]["fmac"]["parameters"][0]
    assert (lanes["key"], lanes["default"], lanes["legal"]) == ("lanes", 16, [4, 8, 16, 32, 64])


@pytest.mark.parametrize(("part", "key"), [("presets", "presets"), ("keys", "configuration"), ("units", "units")])
def test_list_of_one_part(run, part, key):
    whole = json.loads(run("list", "--json")[1])
    assert json.loads(run("list", part, "--json")[1]) == {key: whole[key]}
    code, out, _ = run("list", part)
    assert code == 0
    assert ("Presets: " in out, "Configuration [array]" in out, "Units" in out) == tuple(
        part == one for one in ("presets", "keys", "units")
    )


def test_show_a_unit(run):
    code, out, _ = run("show", "fmac")
    assert code == 0
    assert re.search(r"lanes +│ 16 +│ one of 4, 8, 16, 32, 64 +│", out)
    shown = json.loads(run("show", "fmac", "--json")[1])
    assert shown == {"unit": "fmac", **json.loads(run("list", "--json")[1])["units"]["fmac"]}


def test_show_a_preset(run):
    code, out, _ = run("show", "tiny")
    assert code == 0
    assert re.search(r"rows +│ 2 +│ 8 +│ from 1 to 512 +│ rows of processing elements", out)
    shown, listed = json.loads(run("show", "tiny", "--json")[1]), json.loads(run("list", "--json")[1])
    assert shown == {
        "preset": "tiny",
        "values": listed["presets"]["tiny"],
        "configuration": listed["configuration"],
    }


def test_show_of_an_unknown_name(run):
    code, out, err = run("show", "fmca")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("lowtide: no preset or unit 'fmca', did you mean fmac?; presets: arty-a7, ")


def test_no_preset_has_the_name_of_a_unit(run):
    listed = json.loads(run("list", "--json")[1])
    assert not {*listed["presets"]} & {*listed["units"]}
