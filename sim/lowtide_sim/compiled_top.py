"""Emitted Verilog as a library: Verilator compiles it together with a harness of C functions."""

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from lowtide.emission.folder import verilog_and_modules
from lowtide.errors import SimulationError
from lowtide.netlist import Unit
from lowtide_sim.build_folder import BuildFolder, build_folder, keep, keep_objects, shared_runtime
from lowtide_sim.simulator import MAKE_VARIABLES, check_verilator

__all__ = ["compiled_top", "compiled_verilog"]

POSITION = "-fPIC"
"""Option of the compiler for code that a library can contain."""


def compiled_top(
    top: Unit, harness: Path, folder: Path, defines: Mapping[str, int] | None = None, optimization: str = "-O1"
) -> ctypes.CDLL:
    """The compiled library of a top; builds it if it is not in the folder.

    Parameters
    ----------
    top : Unit
        Top to simulate; the class ``Vtop`` in the harness.
    harness : Path
        C++ source with the library's functions.
    folder : Path
        Cache of compiled libraries, named by a hash of their inputs.
    defines : mapping of str to int, optional
        Macros of the harness.
    optimization : str
        Optimization flag of the compiler. For short runs, higher levels take longer than they save.

    Raises
    ------
    SimulationError
        If the build fails.
    SimulatorMissing
        If Verilator, or a tool that it needs, is not installed.
    """
    text, _ = verilog_and_modules(top)
    return compiled_verilog(text, top.module_name, harness, folder, defines, optimization)


def compiled_verilog(
    text: str,
    module: str,
    harness: Path,
    folder: Path,
    defines: Mapping[str, int] | None = None,
    optimization: str = "-O1",
) -> ctypes.CDLL:
    """The compiled library of a module of Verilog, as `compiled_top`.

    Raises
    ------
    SimulationError
        If the build fails.
    SimulatorMissing
        If Verilator, or a tool that it needs, is not installed.
    """
    check_verilator()
    flags = [optimization, *(f"-D{name}={value}" for name, value in (defines or {}).items())]
    inputs = (text, harness.read_text(), *flags, version("verilator"))
    digest = hashlib.sha256("\0".join(inputs).encode()).hexdigest()
    library = folder.resolve() / f"{harness.stem}-{digest[:20]}.so"
    if not library.exists():
        with build_folder() as build:
            (build.path / "top.v").write_text(text, encoding="utf-8")
            shutil.copy(harness, build.path / "harness.cpp")
            with shared_runtime(build.path / "objects", library.parent, f"{version('verilator')} {POSITION}"):
                _build(build, module, flags)
            keep(build.path / "top.so", library)
    return ctypes.CDLL(str(library))


def _build(build: BuildFolder, module: str, flags: list[str]) -> None:
    compiler = os.environ.get("CXX", "g++")
    objects = ["--Mdir", "objects", "--build", "-j", "2", "-CFLAGS", POSITION]
    for argument in (keep_objects("Vtop.mk"), *MAKE_VARIABLES, f"OPT_FAST={flags[0]}", *build.programs):
        objects += ["-MAKEFLAGS", argument]
    verilate = [*build.verilate, "--cc", "top.v", "--top-module", module, "--prefix", "Vtop"]
    # Tests lint random designs. For users, new warnings of a later Verilator must not prevent a simulation.
    verilate += ["-O3", "-Wno-fatal", "-Wno-lint", "--x-initial", "unique", *objects, "--output-split", "50000"]
    _run(verilate, build.path, os.environ | {"VERILATOR_ROOT": str(build.verilator)})
    include = build.verilator / "include"
    link = [compiler, "-std=c++17", POSITION, "-shared", "-pthread", *flags]
    link += ["-Iobjects", f"-I{include}", f"-I{include / 'vltstd'}", "harness.cpp"]
    link += ["objects/libVtop.a", "objects/libverilated.a", "-o", "top.so"]
    _run(link, build.path, os.environ)


def _run(command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise SimulationError(f"cannot build the library: {_reason(done.stderr + done.stdout)}")


def _reason(output: str) -> str:
    """The line of a build's output with the cause: the first error, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    # The error message of a command precedes the message from make.
    errors = [line for line in lines if "rror" in line or "not found" in line or "No such file" in line]
    return (errors or lines[-1:] or ["the compiler failed and printed nothing"])[0]
