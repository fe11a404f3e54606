"""The wheel with each extra alone, in an empty environment, runs the extra's commands."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from lowtide.cli.summaries import GROUPS

ROOT = Path(__file__).parents[2]
ENTRIES = {
    f"{path} {entry.name}".strip(): entry for path, group in GROUPS.items() for entry in entry_points(group=group)
}
"""Entry points by the full names of their commands."""
EXTRAS = ("boards", "bitstream", "check", "flash", "onnx", "report", "search", "sim", "studies")
"""Extras with commands; ``torch`` has a package only."""
LARGE = ("training",)
"""Extras with PyTorch, gigabytes that no test installs."""

PRODUCT = """\
import numpy as np
from lowtide_boards.driver.device import Device
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide.config import Config
identity = np.eye(2, dtype=np.float32)
operand = OperandSettings(chunks=2, bias=0)
print(GoldenEngine(Config()).multiply(identity, identity, operand, operand).values.tolist())
"""

MODEL = """
import subprocess, sys
import numpy as np, onnx
from onnx import TensorProto, helper, numpy_helper
graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "w"], ["y"], name="head")],
    "network",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 8])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3])],
    [numpy_helper.from_array(np.ones((8, 3), np.float32), "w")],
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "model.onnx")
sys.exit(subprocess.call([sys.executable, "-m", "lowtide", "run", "model.onnx"]))
"""

TRAINING = """\
import torch
import lowtide_torch as lt
model, engine = torch.nn.Linear(16, 4), lt.Engine("default", verify=1)
lt.quantize_(model, lt.BFP(), engine=engine)
model(torch.ones(2, 16)).sum().backward()
print(engine.products, "products")
"""

# For each extra, a command to run in addition to the help of its commands, and its expected output.
USES = {
    "boards": (["-c", PRODUCT], "[[1.0, 0.0], [0.0, 1.0]]"),
    "bitstream": (
        ["-m", "lowtide", "board", "build", "--board", "arty-a7", "--set", "array.rows=1", "--set", "array.columns=4"],
        "vivado",
    ),
    "check": (["-m", "lowtide", "board", "check", "--board", "ulx3s"], "no bitstream for ulx3s"),
    "flash": (["-m", "lowtide", "board", "flash", "--board", "ulx3s"], "no bitstream for ulx3s"),
    "onnx": (["-c", MODEL], "head"),
    "report": (["-m", "lowtide", "report", "--unit", "rounder", "--target", "ice40", "--seeds", "1"], "rounder"),
    "search": (["-m", "lowtide", "study", "layer-precision", "--quick", "--processes", "1"], "layer-precision.toml"),
    "sim": (["-m", "lowtide", "bench", "--repeats", "1"], "Compiled engine"),
    "torch": (["-c", TRAINING], "2 products"),
    "studies": (["-m", "lowtide", "sim", "tiny", "--images", "1"], "Every word equals the golden model's."),
}


def interpreters():
    """Python 3.11 or the current interpreter, and Python 3.13 if installed."""
    found = [sys.executable]
    for name in ("python3.13", "python3.14"):
        path = shutil.which(name)
        if path and subprocess.run([path, "-c", "import ensurepip, venv"], capture_output=True).returncode == 0:
            found.append(path)
    return found


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT), cwd=folder)
    (file,) = folder.glob("lowtide-*.whl")
    return file


def run(*command, cwd, code=0):
    """Output of a command, which must exit with ``code``. Its environment has no path of this checkout."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == code, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("interpreter", interpreters(), ids=lambda path: Path(path).name)
@pytest.mark.parametrize("extra", [*EXTRAS, "torch"])
def test_an_extra_installs_the_imports_of_its_commands(wheel, tmp_path, extra, interpreter):
    run(interpreter, "-m", "venv", "env", cwd=tmp_path)
    python = str(tmp_path / "env" / "bin" / "python")
    pinned = ("-c", str(ROOT / "constraints.txt"))
    run(python, "-m", "pip", "install", "-q", *pinned, f"{wheel}[{extra}]", cwd=tmp_path)
    commands = [command for command, entry in ENTRIES.items() if extra in entry.extras]
    for command in commands + ["report"] * (extra == "report"):
        said = run(python, "-m", "lowtide", *command.split(), "--help", cwd=tmp_path)
        assert "Usage: " in said
        assert "pip install" not in said
    arguments, printed = USES[extra]
    assert printed in run(python, *arguments, cwd=tmp_path, code=1 if extra in ("check", "flash") else 0)


@pytest.mark.slow
def test_without_extras_each_command_names_its_extra(wheel, tmp_path):
    run(sys.executable, "-m", "venv", "env", cwd=tmp_path)
    python = str(tmp_path / "env" / "bin" / "python")
    run(python, "-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt"), str(wheel), cwd=tmp_path)
    assert json.loads(run(python, "-m", "lowtide", "list", "--json", cwd=tmp_path))["presets"]
    for command, entry in ENTRIES.items():
        if command in ("board flash", "board list"):  # needs a program; needs no package
            continue
        (extra,) = entry.extras
        said = run(python, "-m", "lowtide", *command.split(), cwd=tmp_path, code=1)
        assert said.startswith(f"lowtide: {command} needs "), said
        assert said.endswith(f": pip install 'lowtide[{extra}]'\n"), said


def test_the_page_has_the_extra_of_every_command():
    page = (ROOT / "docs" / "reference" / "command_line.md").read_text(encoding="utf-8")
    named = set()
    for extra in (*EXTRAS, *LARGE):
        (row,) = re.findall(rf"^\| `{extra}` \| (.*) \|$", page.partition("| extra |")[2], re.MULTILINE)
        named |= {(command, (extra,)) for command in re.findall("`(.*?)`", row)}
    own = {("report", ("report",))}
    assert named == own | {(command, tuple(entry.extras)) for command, entry in ENTRIES.items()}
