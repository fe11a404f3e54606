"""Simulated serial line: a compiled serial engine behind a port like pyserial's."""

import ctypes
from pathlib import Path

from lowtide.config import Config
from lowtide.emission.serial import SerialTop
from lowtide.formats.parameter import whole_number
from lowtide_sim.compiled_top import compiled_top, compiled_verilog

__all__ = ["BOARD", "SimulatedLine", "SimulatedPort"]

BOARD = "board"
"""Name of the module that is a board's netlist: ``clk``, ``rst``, ``rx``, ``tx``, ``right`` and ``wrong``."""

HARNESS = Path(__file__).with_name("serial.cpp")


class _Bytes(ctypes.Structure):
    _fields_ = (("data", ctypes.c_char_p), ("count", ctypes.c_uint64), ("done", ctypes.c_uint64))


class SimulatedLine:
    """Serial line to a simulated device, simulated bit by bit.

    Parameters
    ----------
    config : Config
        Configuration to simulate.
    folder : Path
        Cache of compiled libraries.
    seed : int
        Seed of register values before reset.
    netlist : str, optional
        Verilog of a board, with a module `BOARD`; by default the Verilog that the configuration emits.
    optimization : str
        Optimization flag of the compiler. ``-O0`` compiles in half of the time, and simulates half as fast.

    Attributes
    ----------
    cycles : int
        Clock cycles since construction.
    """

    def __init__(
        self, config: Config, folder: Path, *, seed: int = 1, netlist: str | None = None, optimization: str = "-O1"
    ):
        self.config = config
        if netlist is None:
            self._library = compiled_top(SerialTop(config), HARNESS, folder, optimization=optimization)
        else:
            self._library = compiled_verilog(netlist, BOARD, HARNESS, folder, {"LEDS": 1}, optimization)
        functions = self._library
        functions.serial_create.restype = ctypes.c_void_p
        functions.serial_create.argtypes = (ctypes.c_uint32,)
        if netlist is not None:
            functions.serial_leds.restype = ctypes.c_uint32
            functions.serial_leds.argtypes = (ctypes.c_void_p,)
        functions.serial_destroy.argtypes = functions.serial_reset.argtypes = (ctypes.c_void_p,)
        functions.serial_run.restype = ctypes.c_uint64
        functions.serial_run.argtypes = (
            ctypes.c_void_p,
            *(ctypes.POINTER(_Bytes),) * 2,
            ctypes.c_uint32,
            ctypes.c_uint64,
        )
        self._seed = whole_number("seed", seed, range(2**32))
        self._handle: int | None = None
        self._to_send = b""
        self._buffer = ctypes.create_string_buffer(1 << 16)
        self.cycles = 0
        self.reset()

    def __del__(self):
        if getattr(self, "_handle", None):
            self._library.serial_destroy(self._handle)

    def reset(self) -> None:
        """Power-cycle the device."""
        self._to_send = b""
        if self._handle:
            self._library.serial_destroy(self._handle)
        self._handle = self._library.serial_create(self._seed)
        self._library.serial_reset(self._handle)

    @property
    def leds(self) -> tuple[bool, bool]:
        """Whether the LEDs **right** and **wrong** of a board's netlist are lit."""
        lit = self._library.serial_leds(self._handle)
        return bool(lit & 1), bool(lit & 2)

    def send(self, data: bytes) -> None:
        """Queue bytes to send."""
        self._to_send += data

    @property
    def waiting(self) -> int:
        """Number of queued bytes."""
        return len(self._to_send)

    def run(self, cycles: int, baud: float) -> bytes:
        """Run for ``cycles`` clock cycles, with the host's end at ``baud``, and return the received bytes."""
        divisor = max(1, round(self.config.serial.clock / baud))
        send = _Bytes(self._to_send, len(self._to_send), 0)
        receive = _Bytes(ctypes.cast(self._buffer, ctypes.c_char_p), len(self._buffer), 0)
        ends = ctypes.byref(send), ctypes.byref(receive)
        self.cycles += self._library.serial_run(self._handle, *ends, divisor, cycles)
        self._to_send = self._to_send[send.done :]
        return self._buffer.raw[: receive.done]


class SimulatedPort:
    """The part of ``serial.Serial`` that the driver needs; times are in seconds of the device's clock.

    Parameters
    ----------
    line : SimulatedLine
        The device.
    """

    def __init__(self, line: SimulatedLine):
        self.line = line
        self.baudrate = line.config.serial.baud
        self.timeout: float | None = 0
        self._received = b""

    @property
    def in_waiting(self) -> int:
        """Number of received bytes."""
        return len(self._received)

    def write(self, data: bytes, /) -> int:
        """Queue bytes; they are sent while bytes are read."""
        self.line.send(data)
        return len(data)

    def read(self, size: int = 1, /) -> bytes:
        """Read up to ``size`` bytes; wait for the first byte, up to the timeout."""
        left = int((self.timeout or 0) * self.line.config.serial.clock)
        step = 10 * round(self.line.config.serial.clock / self.baudrate)
        while not self._received and left > 0:
            self._received += self.line.run(min(step, left), self.baudrate)
            left -= step
        data, self._received = self._received[:size], self._received[size:]
        return data

    def reset_input_buffer(self) -> None:
        """Discard received bytes."""
        self._received = b""

    def close(self) -> None:
        """Do nothing: there is no resource to release."""
