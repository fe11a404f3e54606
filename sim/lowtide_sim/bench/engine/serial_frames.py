"""cocotb tests of a serial engine, with the UART of cocotbext-uart, an independent implementation."""

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.uart import UartSink, UartSource

from lowtide.config import Config
from lowtide.emission.serial import SerialTop
from lowtide.interfaces.serial.protocol import LEVELS, WORDS, code_of
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.product import operand_vectors
from lowtide_model.engine.results import matrix_of, result_beats
from lowtide_model.engine.reveal import reveal_registers
from lowtide_model.engine.transfer import Load
from lowtide_model.serial_frames import Frame, Frames, frame_bytes
from lowtide_sim.bench.environment import parameters, sidecar

PERIOD = 10
DONE, BUSY, ORDER = range(3)


class SerialBench:
    """Host of a serial device: sends requests, and checks their responses."""

    def __init__(self, dut):
        self.dut = dut
        self.config = Config.from_tables(sidecar()["configuration"])
        self.places = {
            register.name: place for place, register in enumerate(SerialTop(self.config).engine.registers.table)
        }
        baud = round(1e9 / PERIOD / self.config.serial.divisor)
        self.source, self.sink = UartSource(dut.rx, baud=baud), UartSink(dut.tx, baud=baud)
        for end in (self.source, self.sink):
            end.log.setLevel("WARNING")
        self.rng = np.random.default_rng(cocotb.RANDOM_SEED)
        self.frames, self.number = Frames(), 0

    async def start(self, reset: int = 5, idle: int = 0):
        """Start the clock, apply reset, idle, and send the request ``hello``."""
        self.dut.rst.value = 1
        Clock(self.dut.clk, PERIOD, "ns").start()
        await ClockCycles(self.dut.clk, reset)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, idle)
        await self.request("hello", 1, 0)
        return self

    async def receive(self) -> Frame:
        """Receive the next frame."""
        while True:
            for frame in self.frames.add(bytes(await self.sink.read(1))):
                return frame

    async def request(self, kind, *words, damage=False) -> tuple[int, ...]:
        """Send a request until it is done, and return the words of its response.

        With ``damage``, damaged copies precede the request, and a duplicate follows it.
        """
        while True:
            frame = frame_bytes(code_of(kind), self.number, words)
            if damage:
                damaged = bytearray(frame)
                damaged[int(self.rng.integers(len(frame) - 1))] ^= 1 << int(self.rng.integers(8))
                await self.source.write(
                    bytes(damaged) + b"\x7e" + frame[: int(self.rng.integers(len(frame) - 1))] + b"\x7e"
                )
            await self.source.write(frame + frame * damage)
            found = await self.receive()
            assert (found.kind, found.number) == (code_of(kind) | 0x80, self.number)
            status, expected = found.words[0] & 0xFFFF, found.words[0] >> 16
            if damage and status == DONE:
                again = await self.receive()
                assert (again.words[0] & 0xFFFF, again.words[0] >> 16) == (ORDER, expected)
            if status == DONE:
                self.number = expected
                return found.words[LEVELS:]
            assert status == BUSY

    async def multiply(self, a, b, a_settings, b_settings, position, damage=False, reveal=None):
        """Compute a product; return it, and the position after its results."""
        vectors = operand_vectors(self.config, a, b, a_settings, b_settings)
        for side, each, operand in zip("ab", vectors, (a_settings, b_settings), strict=True):
            for name, value in each.settings(operand).items():
                await self.request("write", self.places[f"{side}_{name}"], value & 0xFFFFFFFF, damage=damage)
        for name, value in reveal_registers(self.config, reveal).items():
            await self.request("write", self.places[name], value, damage=damage)
        await self.request("write", self.places["start"], 3, damage=damage)
        for side, each in zip("ab", vectors, strict=True):
            words = Load.of(each.in_memory_order, self.config.engine.input_width).numbers.view("<u4").ravel().tolist()
            at = 0
            while at < len(words):
                count = int(self.rng.integers(1, min(WORDS, len(words) - at, 40) + 1))
                kind = "last" if at + count == len(words) else "load"
                await self.request(f"{kind}_{side}", *words[at : at + count], damage=damage)
                at += count
        count = result_beats(self.config, a.shape[0], b.shape[1]) * self.config.engine.output_width
        words = []
        while len(words) < count:
            at = (position + len(words)) % 2**16
            words += await self.request("read_results", at | at << 16, min(count - len(words), 20), damage=damage)
        return matrix_of(self.config, np.array(words, "<u4").view("<f4"), a.shape[0], b.shape[1]), position + count


@cocotb.test()
async def products_over_the_line(dut):
    """Every bit of every result is right, and each request is done once, even if damaged and duplicated."""
    damage = parameters()["damage"]
    bench = await SerialBench(dut).start()
    golden, rng, position = GoldenEngine(bench.config), bench.rng, 0
    for _ in range(parameters()["products"]):
        m, k, n = (int(rng.integers(1, most + 1)) for most in (3, 8, 2))
        a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((m, k), (k, n)))
        a_settings, b_settings = (
            OperandSettings(
                chunks=int(rng.integers(1, 3)), rounding="stochastic", seed=int(rng.integers(1, 31)), bias=-4
            )
            for _ in "ab"
        )
        values, position = await bench.multiply(a, b, a_settings, b_settings, position, damage)
        assert values.tobytes() == golden.multiply(a, b, a_settings, b_settings).values.tobytes()


@cocotb.test()
async def garbage_is_no_frame(dut):
    """The device ignores garbage, and accepts the frame that follows."""
    bench = await SerialBench(dut).start()
    await bench.source.write(bench.rng.bytes(60) + b"\x7e")
    await bench.source.wait()
    words = await bench.request("read", bench.places["rows"], 2)
    assert words == (bench.config.array.rows, bench.config.array.columns)
