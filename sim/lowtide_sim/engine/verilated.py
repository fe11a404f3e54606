"""Engine as compiled Verilog, in this process."""

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.emission.top import AxiStreamEngine
from lowtide.engine.registers import ALL_ERRORS, errors_text
from lowtide.formats.parameter import instance, whole_number
from lowtide_model import Improvement
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.product import AnySettings, Events, Operand, OperandVectors, Product
from lowtide_model.engine.result_plan import ResultPlan
from lowtide_model.engine.reveal import Reveal
from lowtide_model.engine.sums import CheckedPass, Pass, checked_passes, total
from lowtide_model.engine.transfer import Load, Stalls, Stream, Transfer
from lowtide_sim.compiled_top import compiled_top
from lowtide_sim.simulator import SimulationError

__all__ = ["ADD", "FIND", "KEEP", "LOAD_A", "LOAD_B", "NO_VALUES", "VerilatedEngine", "compiled"]

HARNESS = Path(__file__).with_name("engine.cpp")


def compiled(top: AxiStreamEngine, folder: Path, optimization: str = "-O1") -> ctypes.CDLL:
    """The library of an engine; builds it if it is not in the folder."""
    engine = top.config.engine
    library = compiled_top(
        top,
        HARNESS,
        folder,
        {
            "BYTES": 4 * engine.input_width,
            "RESULT_BYTES": 4 * engine.output_width,
            "ADDENDS": int(engine.takes_addends),
        },
        optimization,
    )
    library.engine_create.restype = ctypes.c_void_p
    library.engine_create.argtypes = (ctypes.c_uint32,)
    library.engine_destroy.argtypes = library.engine_reset.argtypes = (ctypes.c_void_p,)
    library.engine_write.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)
    library.engine_read.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    library.engine_read.restype = ctypes.c_uint32
    library.engine_run.restype = ctypes.c_uint64
    streams = (ctypes.POINTER(Stream),) * 4
    library.engine_run.argtypes = (ctypes.c_void_p, *streams, ctypes.c_uint64, ctypes.c_uint64)
    library.engine_start.restype = ctypes.c_uint64
    library.engine_start.argtypes = (
        ctypes.c_void_p,
        *streams,
        ctypes.POINTER(ctypes.c_uint32),
        ctypes.c_uint64,
        ctypes.c_uint32,
        ctypes.c_uint64,
    )
    return library


LOAD_A, LOAD_B, FIND, ADD, KEEP = (1 << n for n in range(5))
"""Bits of the register ``start``."""

NO_VALUES = np.zeros((0, 0), np.float32)
"""Results of a pass whose sums stay on chip."""

STILL = 20_000
"""Cycles without a beat on any stream after which the driver reads the errors."""


class VerilatedEngine:
    """A simulated engine.

    Parameters
    ----------
    config : Config
        Configuration to simulate.
    folder : Path
        Cache of compiled libraries, named by a hash of their inputs.
    seed : int
        Seed of register values before reset, and of stalls.
    stalls : Stalls
        Stall rates of the streams.
    optimization : str
        Optimization flag of the compiler. ``-O0`` compiles in half of the time, and simulates half as fast.

    Attributes
    ----------
    cycles : int
        Clock cycles since construction.
    table : list of Register
        Registers of the engine.
    """

    def __init__(
        self,
        config: Config,
        folder: Path,
        *,
        seed: int = 1,
        stalls: Stalls | None = None,
        optimization: str = "-O1",
    ):
        self.config, self.stalls = instance("config", config, Config), instance("stalls", stalls or Stalls(), Stalls)
        seed = whole_number("seed", seed, range(2**32))
        top = AxiStreamEngine(config)
        self.table = top.registers
        self.registers = {register.name: n for n, register in enumerate(self.table)}
        self._library = compiled(top, folder, optimization)
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
        """Read a register."""
        self.cycles += 1
        return self._library.engine_read(self._handle, self.registers[name])

    def write(self, name: str, value: int) -> None:
        """Write a 32-bit word, signed or unsigned, to a register.

        Raises
        ------
        IllegalValue
            If the value does not fit into 32 bits.
        """
        value = whole_number(name, value, range(-(2**31), 2**32))
        self.cycles += 1
        self._settings[name] = value
        self._library.engine_write(self._handle, self.registers[name], value & 0xFFFFFFFF)

    def transfer(
        self, a: Sequence[Load] = (), b: Sequence[Load] = (), beats: int = 0, d: Sequence[Load] = ()
    ) -> Transfer:
        """A transfer of operands and addends, with a buffer for ``beats`` beats of results."""
        engine = self.config.engine
        return Transfer.of(a, b, beats, engine.input_width, engine.output_width, self.stalls, d)

    def run(self, transfer: Transfer, products: int = 0, most: int = 10**5) -> int:
        """Stream until all beats are sent and ``products`` products have arrived, for at most ``most`` cycles.

        Returns
        -------
        int
            Simulated cycles.
        """
        streams = (ctypes.byref(stream) for stream in transfer.streams)
        cycles = self._library.engine_run(self._handle, *streams, products, most)
        self.cycles += cycles
        return cycles

    def start(self, transfer: Transfer, writes: Sequence[tuple[str, int]], most: int = 10**8) -> None:
        """Write registers while the streams run, one per cycle; the last one once the engine accepts a product.

        Raises
        ------
        SimulationError
            If the engine accepts no product for ``most`` cycles.
        """
        pairs = [word for name, value in writes for word in (self.registers[name], value & 0xFFFFFFFF)]
        streams = [ctypes.byref(stream) for stream in transfer.streams]
        words = (ctypes.c_uint32 * len(pairs))(*pairs)
        cycles = self._library.engine_start(self._handle, *streams, words, len(writes), self.registers["status"], most)
        if not cycles:
            raise SimulationError(f"the engine accepted no further product in {most} cycles: status bit 0 stayed 0")
        self.cycles += cycles
        self._settings |= dict(writes)

    def finish(self, transfer: Transfer, products: int = 0, most: int = 10**5) -> None:
        """Stream as `run` does, and check that the transfer completes.

        Raises
        ------
        SimulationError
            If it takes more than ``most`` cycles, if the number of results differs from the buffer's size, or if the
            streams stop and the engine reports errors.
        """
        cycles, (a, b, c, d) = 0, transfer.streams
        wanted = products + int(transfer.last.sum())
        while cycles < most:
            moved, slice_ = (a.done, b.done, c.done, d.done), min(STILL, most - cycles)
            took = self.run(transfer, wanted - int(transfer.last.sum()), slice_)
            cycles += took
            if took < slice_:
                break
            if moved == (a.done, b.done, c.done, d.done):
                self.check_errors()
        if cycles >= most or c.done != c.beats:
            raise SimulationError(
                f"transfer incomplete after {cycles} cycles: {a.done} of {a.beats} beats of A, {b.done} of {b.beats}"
                f" beats of B, {c.done} of {c.beats} beats of results, {d.done} of {d.beats} beats of addends"
            )

    def multiply(
        self,
        a: Operand,
        b: Operand,
        a_settings: AnySettings | None = None,
        b_settings: AnySettings | None = None,
        *,
        reveal: Reveal | None = None,
        post: PostOperations | None = None,
        results: AnySettings | None = None,
    ) -> Product:
        """Multiply A (M × K) and B (K × N) on the simulated hardware: see `GoldenEngine.multiply`.

        Operands are sent in the order of their memory. An operand without a bias is sent twice.

        Raises
        ------
        ValueError
            If the operands do not multiply, or do not fit into the engine.
        SimulationError
            If the engine rejects the product, or does not respond.
        """
        only = Pass(a=a, b=b, a_settings=a_settings, b_settings=b_settings, reveal=reveal)
        return self.multiply_sum([only], post=post, results=results)

    def multiply_sum(
        self,
        passes: Sequence[Pass],
        *,
        post: PostOperations | None = None,
        results: AnySettings | None = None,
    ) -> Product:
        """Add up products in sums on chip: see `GoldenEngine.multiply_sum`. Cycles are the sum over the passes.

        Raises
        ------
        ValueError
            If the engine cannot compute the sum.
        SimulationError
            If the engine rejects a pass, or does not respond.
        """
        checked = checked_passes(self.config, passes)
        plan = ResultPlan(config=self.config, shape=checked[-1].shape, post=post, results=results)
        self.write("errors", ALL_ERRORS)
        return total([self._product(each, plan) for each in checked])

    def _product(self, of: CheckedPass, plan: ResultPlan) -> Product:
        loads = [
            self.prepare(side, vectors, settings)
            for side, vectors, settings in zip("ab", of.vectors, of.settings, strict=True)
        ]
        for name, value in self.changed(of.reveal):
            self.write(name, value)
        addends = [] if of.keep else self.follow(plan)
        find = LOAD_A * (of.settings[0].bias is None) | LOAD_B * (of.settings[1].bias is None)
        if find:
            self.write("start", FIND | find)
            wanted = [[load] if find >> n & 1 else [] for n, load in enumerate(loads)]
            self.finish(self.transfer(wanted[0], wanted[1]))
        self.write("clear", 1)
        self.wait("status", 1)
        before = self.cycles
        self.write("start", LOAD_A | LOAD_B | ADD * of.add | KEEP * of.keep)
        transfer = self.transfer([loads[0]], [loads[1]], 0 if of.keep else plan.beats, addends)
        self.finish(transfer, products=int(not of.keep), most=10**7)
        if of.keep:
            self.wait("status", 2)
        cycles = self.cycles - before
        self.check_errors()
        names = (field.name for field in attrs.fields(Events))
        values, tensor = (NO_VALUES, None) if of.keep else plan.product(transfer.results)
        return Product(
            values=values,
            tensor=tensor,
            events=Events(**{name: self.read(name) for name in names if name in self.registers}),
            a_improvement=self.improvement("a"),
            b_improvement=self.improvement("b"),
            cycles=cycles,
        )

    def check_errors(self) -> None:
        """Read the engine's errors, and clear them.

        Raises
        ------
        SimulationError
            If the engine reports an error.
        """
        errors = self.read("errors")
        if errors:
            self.write("errors", errors)
            raise SimulationError(f"the engine reports errors: {errors_text(errors)}")

    def improvement(self, side: str) -> Improvement | None:
        """Relative improvement of the operand that was loaded last; None without an improvement meter."""
        if f"{side}_low_sum" not in self.registers:
            return None
        low_sum, high_sum = (
            self.read(name) + (self.read(f"{name}_hi") << 32 if f"{name}_hi" in self.registers else 0)
            for name in (f"{side}_low_sum", f"{side}_high_sum")
        )
        return Improvement(low_sum, high_sum)

    def prepare(self, side: str, vectors: OperandVectors, operand: AnySettings) -> Load:
        """Write the registers of an operand, and return its beats."""
        self.settings(side, vectors, operand)
        return self.load(vectors)

    def follow(self, plan: ResultPlan) -> list[Load]:
        """Write the registers of what follows a product whose values change, and return the beats of its addends."""
        for name, value in self.result_changes(plan):
            self.write(name, value)
        addends = plan.addends
        return [addends] if addends else []

    def load(self, vectors: OperandVectors) -> Load:
        """Beats of an operand."""
        return Load.of(vectors.in_memory_order, self.config.engine.input_width)

    def settings(self, side: str, vectors: OperandVectors, operand: AnySettings) -> None:
        """Write the registers of an operand whose values change."""
        for name, value in self.changes(side, vectors, operand):
            self.write(name, value)

    def changes(self, side: str, vectors: OperandVectors, operand: AnySettings) -> list[tuple[str, int]]:
        """Registers of an operand whose values change, and the values."""
        values = {f"{side}_{name}": value for name, value in vectors.settings(operand).items()}
        return self.changed(values)

    def result_changes(self, plan: ResultPlan) -> list[tuple[str, int]]:
        """Registers of what follows a product whose values change, and the values."""
        return self.changed(plan.registers)

    def changed(self, values: Mapping[str, int]) -> list[tuple[str, int]]:
        """Registers whose values change, and the values."""
        return [(name, value) for name, value in values.items() if self._settings.get(name) != value]

    def wait(self, name: str, mask: int, most: int = 100_000) -> None:
        """Poll a register until a bit of the mask is set.

        Raises
        ------
        SimulationError
            If no bit is set after ``most`` reads.
        """
        for _ in range(most):
            if self.read(name) & mask:
                return
        raise SimulationError(f"{name} & {mask} stayed 0 for {most} reads")
