"""Bench of an engine: drives its registers and streams, and compares the results with the golden engine."""

import random
from typing import Any, Self

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from lowtide.config import Config
from lowtide.engine.operand import ROUNDINGS
from lowtide_model import BfpTensor
from lowtide_model.engine.column_scale import words_of_integers
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.post_operations import PostOperations, words_of_results
from lowtide_model.engine.product import AnySettings, Operand, OperandVectors, Product, operand_vectors, settings_of
from lowtide_model.engine.result_plan import ResultPlan
from lowtide_model.engine.results import matrix_of
from lowtide_model.engine.reveal import Reveal, reveal_registers
from lowtide_model.engine.sums import Pass, checked_passes
from lowtide_sim.bench.bus_masters import AxiLiteRegisters, PlainRegisters, WishboneRegisters
from lowtide_sim.bench.environment import sidecar
from lowtide_sim.bench.stimulus.integer_products import (
    random_integer_finish,
    random_integer_settings,
    random_integers,
    random_reveal,
)
from lowtide_sim.bench.streams.axi_stream import PERIOD, Monitor, Sink, Source, Stream
from lowtide_sim.bench.streams.pause import PAUSES

__all__ = ["EngineBench"]

RandomProduct = tuple[
    Operand,
    Operand,
    AnySettings | None,
    AnySettings | None,
    PostOperations | None,
    AnySettings | None,
    Reveal | None,
]
"""Operands, their settings, post operations, settings of packed results, and of term revealing."""

PATIENCE = 20_000
LOAD_BOTH, ADD, KEEP = 3, 8, 16  # bits of the register `start`
REGISTERS = {"axi4-lite": AxiLiteRegisters, "plain": PlainRegisters, "wishbone": WishboneRegisters}


class EngineBench:
    """Drives an emitted engine, and checks every result.

    Parameters
    ----------
    dut : cocotb handle
        The emitted top.
    stalls : tuple of str
        Stalls of A, B and C: names of `PAUSES`. The addends have the stalls of B. The channels of the bus, if they can
        stall, use the stalls of A.
    drivers : tuple of classes
        Source, sink and monitor.
    """

    def __init__(
        self,
        dut: Any,
        stalls: tuple[str, str, str] = ("none", "none", "none"),
        drivers: tuple[Any, Any, Any] = (Source, Sink, Monitor),
    ):
        self.dut, emitted = dut, sidecar()
        self.config = Config.from_tables(emitted["configuration"])
        self.addresses = {register["name"]: register["address"] for register in emitted["registers"]}
        self.rng = random.Random(random.getrandbits(64))
        self.numbers = np.random.default_rng(self.rng.getrandbits(64))
        a, b, c = (Stream(dut, prefix) for prefix in ("s_axis_a", "s_axis_b", "m_axis_c"))
        source, sink, monitor = drivers
        self.a, self.b, self.c = source(a, self.rng), source(b, self.rng), sink(c)
        for part, name in zip((self.a, self.b, self.c), stalls, strict=True):
            part.pauses = PAUSES[name](random.Random(self.rng.getrandbits(64)))
        self.d = None  # addends
        if self.config.engine.takes_addends:
            self.d = source(Stream(dut, "s_axis_d"), self.rng)
            self.d.pauses = PAUSES[stalls[1]](random.Random(self.rng.getrandbits(64)))
        self.monitor = monitor(c, self._saw)
        self.registers = REGISTERS[emitted["bus"]](dut)
        self.registers.stall(lambda: PAUSES[stalls[0]](random.Random(self.rng.getrandbits(64))))
        self.received: list[tuple[int, bool]] = []

    async def start(self, reset: int = 4) -> Self:
        """Start the clock, and apply reset for ``reset`` cycles."""
        Clock(self.dut.clk, PERIOD, "ns").start()
        self.dut.rst.value = 1
        for part in (self.a, self.b, self.c, self.monitor, *([self.d] if self.d else [])):
            cocotb.start_soon(part.run())
        await self.reset(reset)
        return self

    async def reset(self, cycles: int = 1) -> None:
        """Apply reset for ``cycles`` cycles, which discards all queued and received words."""
        self.dut.rst.value = 1
        self.a.clear()
        self.b.clear()
        if self.d:
            self.d.clear()
        await ClockCycles(self.dut.clk, cycles)
        self.received.clear()
        self.dut.rst.value = 0

    async def write(self, name: str, value: int) -> None:
        """Write a register."""
        if await self.registers.write(self.addresses[name], value & 0xFFFFFFFF):
            raise AssertionError(f"write of {name} rejected")

    async def read(self, name: str) -> int:
        """Read a register."""
        value, refused = await self.registers.read(self.addresses[name])
        if refused:
            raise AssertionError(f"read of {name} rejected")
        return value

    async def poll(self, name: str, mask: int) -> None:
        """Poll a register until a bit of the mask is set."""
        for _ in range(PATIENCE):
            if await self.read(name) & mask:
                return
        raise AssertionError(f"{name} & {mask} stayed 0 for {PATIENCE} reads")

    def random_operand(self, chunk: int) -> OperandSettings:
        """Random precision, rounding, seed and bias."""
        return OperandSettings(
            chunks=self.rng.randint(1, self.config.bfp.mantissa // chunk),
            rounding=self.rng.choice(ROUNDINGS),
            seed=self.rng.randrange(1, 2**self.config.engine.lfsr_bits),
            bias=self.rng.randint(-9, 1),
        )

    def random_product(self) -> RandomProduct:
        """A random product that fits into the engine, and what follows it.

        Its operands and its results may be packed, if the engine takes packed groups and has packed results. The
        results of an engine of integers may be scaled and converted to integers.
        """
        bfp, array = self.config.bfp, self.config.array
        while True:
            rows, columns = self.rng.randint(1, 3 * array.rows), self.rng.randint(1, 3 * array.columns)
            if array.element != "fmac":
                length = self.rng.randint(1, min(self.rng.choice((2, 40)) * self.config.lanes, self.config.max_k))
                a, b, a_settings, b_settings = self._integers(rows, length, columns)
                if not self._fits(a, b, a_settings, b_settings):
                    continue
                reveal = random_reveal(self.numbers, self.config)
                post, results = random_integer_finish(self.numbers, self.config, (rows, columns))
                return a, b, a_settings, b_settings, post, results, reveal
            length = self.rng.randint(1, min(self.rng.choice((2, 20)) * bfp.lanes, bfp.max_k))
            a, b = self._matrix((rows, length)), self._matrix((length, columns))
            settings = self.random_operand(bfp.chunk_a), self.random_operand(bfp.chunk_b)
            if not self._fits(a, b, *settings):
                continue
            (a, a_settings), (b, b_settings) = (
                self._packed(side, x, of) if self.config.engine.packed_operands and self.rng.random() < 0.4 else (x, of)
                for side, x, of in (("a", a, settings[0]), ("b", b, settings[1]))
            )
            return a, b, a_settings, b_settings, self._post(rows, columns), self._results(), None

    def _fits(self, a: Operand, b: Operand, a_settings: AnySettings, b_settings: AnySettings) -> bool:
        """Whether the engine takes a product."""
        try:
            operand_vectors(self.config, a, b, a_settings, b_settings)
        except ValueError:
            return False
        return True

    def _integers(
        self, rows: int, length: int, columns: int
    ) -> tuple[np.ndarray, np.ndarray, IntegerSettings, IntegerSettings]:
        """Random operands of an engine of integers, and their settings."""
        a, b = (random_integers(self.numbers, self.config, shape) for shape in ((rows, length), (length, columns)))
        return a, b, random_integer_settings(self.numbers), random_integer_settings(self.numbers)

    def _post(self, rows: int, columns: int) -> PostOperations | None:
        """Random post operations, if the engine has them."""
        engine, rng = self.config.engine, self.rng
        if not engine.post_operations or rng.random() < 0.3:
            return None
        array = self.config.array
        fits = columns <= engine.bias_tiles(array.columns) * array.columns
        return PostOperations(
            bias=self._matrix((1, columns))[0].copy() if fits and rng.getrandbits(1) else None,
            relu=bool(rng.getrandbits(1)),
            residual=self._matrix((rows, columns)) if rng.getrandbits(1) else None,
            final_relu=bool(rng.getrandbits(1)),
        )

    def _results(self) -> OperandSettings | None:
        """Random settings of packed results, if the engine has them."""
        if not self.config.engine.packed_results or self.rng.random() < 0.4:
            return None
        return self.random_operand(self.config.bfp.chunk_a)

    def _packed(self, side: str, x: np.ndarray, settings: OperandSettings) -> tuple[BfpTensor, None]:
        return GoldenEngine(self.config).convert(side, x, settings), None

    def _matrix(self, shape: tuple[int, int]) -> np.ndarray:
        x = self.numbers.standard_normal(shape).astype(np.float32)
        return np.asfortranarray(x) if self.rng.getrandbits(1) else x

    def random_passes(self) -> list[Pass]:
        """Two to four random passes of a sum on chip, or one if K is at most 1; their operands may be packed."""
        array, engine = self.config.array, self.config.engine
        integers = array.element != "fmac"
        down, across = engine.sum_tiles(array.rows, array.columns)
        while True:
            rows, columns = (
                self.rng.randint(1, min(3, tiles) * panel)
                for tiles, panel in ((down, array.rows), (across, array.columns))
            )
            if integers:
                settings = random_integer_settings(self.numbers), random_integer_settings(self.numbers)
            else:
                settings = self.random_operand(self.config.bfp.chunk_a), self.random_operand(self.config.bfp.chunk_b)
            passes = []
            count = min(self.rng.randint(2, 4), engine.sum_max_k)
            for _ in range(count):
                longest = min(self.rng.choice((2, 8)) * self.config.lanes, self.config.max_k, engine.sum_max_k // count)
                length = self.rng.randint(1, longest)
                if integers:
                    a, b, _, _ = self._integers(rows, length, columns)
                else:
                    a, b = self._matrix((rows, length)), self._matrix((length, columns))
                reveal = random_reveal(self.numbers, self.config)
                passes.append(Pass(a=a, b=b, a_settings=settings[0], b_settings=settings[1], reveal=reveal))
            try:
                checked_passes(self.config, passes)
            except ValueError:
                continue
            first = settings[0]
            if isinstance(first, OperandSettings) and engine.packed_operands and self.rng.random() < 0.4:
                a, a_settings = self._packed("a", passes[0].a, first)
                passes[0] = Pass(a=a, b=passes[0].b, a_settings=a_settings, b_settings=settings[1])
            return passes

    async def begin_sum(self, passes: list[Pass]) -> None:
        """Start the passes of a sum, each when the engine is ready."""
        for n, each in enumerate(passes):
            start = LOAD_BOTH | ADD * (n > 0) | KEEP * (n < len(passes) - 1)
            await self.begin(each.a, each.b, each.a_settings, each.b_settings, reveal=each.reveal, start=start)

    async def finish_sum(self, passes: list[Pass]) -> None:
        """Wait for the results of a sum, and check every bit."""
        product = GoldenEngine(self.config).multiply_sum(passes)
        rows, columns = product.values.shape
        await self._check_results(product, ResultPlan(config=self.config, shape=(rows, columns)))

    async def begin(
        self,
        a: Operand,
        b: Operand,
        a_settings: AnySettings | None,
        b_settings: AnySettings | None,
        post: PostOperations | None = None,
        results: AnySettings | None = None,
        reveal: Reveal | None = None,
        start: int = LOAD_BOTH,
    ) -> None:
        """Queue operands and addends on their streams, write the settings, and start the product."""
        a_settings = settings_of(self.config, "a", a, a_settings)
        b_settings = settings_of(self.config, "b", b, b_settings)
        vectors = operand_vectors(self.config, a, b, a_settings, b_settings)
        for source, side in zip((self.a, self.b), vectors, strict=True):
            source.send(self._beats(side))
        for side, operand, each in zip("ab", (a_settings, b_settings), vectors, strict=True):
            for name, value in each.settings(operand).items():
                await self.write(f"{side}_{name}", value)
            if self.config.engine.slots:
                await self.write(f"{side}_slot", self.rng.randrange(self.config.engine.slots))
        plan = ResultPlan(config=self.config, shape=(a.shape[0], b.shape[1]), post=post, results=results)
        for name, value in (plan.registers | reveal_registers(self.config, reveal)).items():
            await self.write(name, value)
        if self.d and plan.addends:
            self.d.send(_beats(plan.addends.numbers))
        await self.poll("status", 1)
        await self.write("start", start)

    async def finish(
        self,
        a: Operand,
        b: Operand,
        a_settings: AnySettings | None,
        b_settings: AnySettings | None,
        post: PostOperations | None = None,
        results: AnySettings | None = None,
        reveal: Reveal | None = None,
    ) -> None:
        """Wait for the results of the next product, and check every bit."""
        plan = ResultPlan(config=self.config, shape=(a.shape[0], b.shape[1]), post=post, results=results)
        product = GoldenEngine(self.config).multiply(
            a, b, a_settings, b_settings, post=post, results=results, reveal=reveal
        )
        await self._check_results(product, plan)

    async def _check_results(self, product: Product, plan: ResultPlan) -> None:
        beats, (rows, columns) = plan.beats, plan.shape
        for _ in range(PATIENCE):
            if len(self.received) >= beats:
                break
            await RisingEdge(self.dut.clk)
        else:
            raise AssertionError(f"only {len(self.received)} of {beats} beats arrived within {PATIENCE} cycles")
        mine, self.received = self.received[:beats], self.received[beats:]
        if [last for _, last in mine] != [False] * (beats - 1) + [True]:
            raise AssertionError("tlast is not set on the last beat only")
        size = 4 * self.config.engine.output_width
        data = np.frombuffer(b"".join(beat.to_bytes(size, "little") for beat, _ in mine), np.float32)
        if product.tensor is not None:
            tensor = product.tensor
            groups = isinstance(tensor, BfpTensor)
            words = words_of_results(self.config, tensor) if groups else words_of_integers(self.config, tensor)
            if data.view(np.uint32).tolist() != np.pad(words, (0, data.size - words.size)).tolist():
                raise AssertionError("packed results differ from the golden engine's")
            return
        array = self.config.array
        whole = rows + -rows % array.rows, columns + -columns % array.columns
        values = matrix_of(self.config, data, *whole, new_b=not plan.row_order)
        due = np.zeros(whole, np.float32)
        due[:rows, :columns] = product.values
        if values.tobytes() != due.tobytes():
            place = tuple(int(i) for i in np.argwhere(values.view(np.uint32) != due.view(np.uint32))[0])
            raise AssertionError(f"result {place} is {values[place]}, not {due[place]}")

    def _beats(self, vectors: OperandVectors) -> list[tuple[int, bool]]:
        """Beats of an operand, each row padded with an arbitrary number."""
        numbers = self.config.engine.input_width
        rows = vectors.in_memory_order
        padded = np.pad(rows, [(0, 0), (0, -rows.shape[1] % numbers)], constant_values=np.float32(1e9))
        return _beats(padded.reshape(-1, numbers))

    def _saw(self, _edge: int, data: int, last: bool) -> None:
        self.received.append((data, last))


def _beats(numbers: np.ndarray) -> list[tuple[int, bool]]:
    """Beats of numbers, with ``last`` in the last one."""
    words = [int.from_bytes(beat.tobytes(), "little") for beat in numbers]
    return [(word, n == len(words) - 1) for n, word in enumerate(words)]
