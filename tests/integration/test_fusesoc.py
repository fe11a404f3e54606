"""FuseSoC builds a user's core with Verilog from lowtide's generator."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lowtide import __version__
from lowtide.config import Config
from lowtide.emission import emit, emit_engine

CORES = Path(__file__).parents[2] / "boards" / "fusesoc"
USER = """\
CAPI=2:
name: mine::top:1.0.0
filesets:
  rtl:
    depend: [lowtide::lowtide:{version}]
generate:
  array:
    generator: lowtide
    parameters: {parameters}
targets:
  default:
    filesets: [rtl]
    generate: [array]
    toplevel: lowtide_array
    flow: lint
    flow_options: {{tool: verilator}}
"""


@pytest.fixture
def fusesoc(monkeypatch, tmp_path, verilator):
    """A function that runs FuseSoC in a separate folder, which is also its library of cores."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*arguments):
        command = ["fusesoc", "--cores-root", CORES, "--cores-root", ".", "run", "--work-root", "work", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return run


def emitted(folder):
    (file,) = (folder / "work" / "src").glob("*/lowtide_*.v")
    return file.read_text()


@pytest.mark.slow
def test_the_example_passes_lint(fusesoc, tmp_path):
    done = fusesoc("--target=lint", "example::multiplier")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "%Warning" not in done.stdout + done.stderr
    changes = {"array.rows": 2, "array.columns": 4, "bfp.lanes": 4, "bfp.max_k": 256}
    changes |= {"engine.buffer_depth": 256, "engine.transpose_depth": 64}
    verilog, _ = emit_engine(Config().changed(changes), tmp_path / "due")
    assert emitted(tmp_path) == verilog.read_text()


@pytest.mark.slow
def test_a_configuration_next_to_the_users_core(fusesoc, tmp_path):
    (tmp_path / "top.core").write_text(USER.format(version=__version__, parameters="{config: mine.toml}"))
    (tmp_path / "mine.toml").write_text("[array]\nrows = 1\ncolumns = 3\n[bfp]\nlanes = 4\n")
    done = fusesoc("--setup", "mine::top")
    assert done.returncode == 0, done.stdout + done.stderr
    verilog, _ = emit(Config().changed({"array.rows": 1, "array.columns": 3, "bfp.lanes": 4}), tmp_path / "due")
    assert emitted(tmp_path) == verilog.read_text()


DESIGNS = {
    "two_by_three": {"top": "array"},
    "four_by_three": {"top": "array", "set": {"array.rows": 4}},
    "an_engine": {"top": "engine"},
    "a_line": {"top": "serial"},
}
SEVERAL = """\
CAPI=2:
name: mine::several:1.0.0
filesets:
  rtl:
    files: [several.v: {{file_type: verilogSource}}]
    depend: [lowtide::lowtide:{version}]
generate:
{generate}
targets:
  default:
    filesets: [rtl]
    generate: [{names}]
    toplevel: several
    flow: lint
    flow_options: {{tool: verilator, verilator_options: [-Wno-fatal, -Werror-MODDUP]}}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    [("two_by_three", "four_by_three"), ("two_by_three", "an_engine"), ("an_engine", "a_line")],
    ids="-".join,
)
def test_two_designs_in_one_core(fusesoc, tmp_path, names):
    generate = "\n".join(
        f"  {name}: {{generator: lowtide, parameters: {json.dumps({'config': 'tiny', 'name': name} | DESIGNS[name])}}}"
        for name in names
    )
    core = SEVERAL.format(version=__version__, generate=generate, names=", ".join(names))
    (tmp_path / "several.core").write_text(core)
    instances = "".join(f"  {name} {name}_i (.clk(clk), .rst(rst));\n" for name in names)
    own = "module uart_receiver; endmodule\nmodule register_1_reset; endmodule\n"
    (tmp_path / "several.v").write_text(f"{own}module several(input clk, rst);\n{instances}endmodule\n")
    done = fusesoc("mine::several")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "work" / "src").glob("**/*.v"))) == 3


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("{rows: 3}", "lowtide: no parameter 'rows'; parameters: bus, config, name, prefix, set, top"),
        ("{name: int}", "lowtide: name must be a word that neither Verilog-2005 nor SystemVerilog-2017 reserves"),
        ("{prefix: 1abc}", "lowtide: prefix must be a letter or _, then letters, digits, _ or $ (of ASCII alone)"),
        (
            "{set: [array.rows], name: }",
            "lowtide: set must be keys with values, as in array.rows: 4, not ['array.rows']",
        ),
        ("{set: {array.rows: 0}}", "lowtide: array.rows must be from 1 to 512, not 0"),
    ],
)
def test_errors_are_reported(fusesoc, tmp_path, parameters, message):
    (tmp_path / "top.core").write_text(USER.format(version=__version__, parameters=parameters))
    done = fusesoc("--setup", "mine::top")
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
