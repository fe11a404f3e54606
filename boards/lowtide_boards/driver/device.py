"""A device: matrix products on the engine of a board, or of a simulation, from NumPy."""

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable
from typing import Self, TypeVar

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.emission.serial import digest_of
from lowtide.engine.registers import Register
from lowtide.engine.seeds import operand_seed
from lowtide.formats.parameter import IllegalValue, whole_number
from lowtide_boards.driver.arguments import chunks_of, matrix, precisions
from lowtide_boards.driver.baud import BAUDS, change_rate, divisor_of, fastest
from lowtide_boards.driver.connection import Connection
from lowtide_boards.driver.errors import ConnectionLost, DeviceError, NotLowtide, PortError
from lowtide_boards.driver.framed_port import FramedPort, Port
from lowtide_boards.driver.ports import FIRST_BAUD, only_port, opened
from lowtide_boards.driver.remote_engine import RemoteEngine
from lowtide_model import default_bias
from lowtide_model.engine.operand import Operand
from lowtide_model.engine.panels import multiply
from lowtide_model.engine.product import Product, checked

__all__ = ["Device", "Info"]

RETURN = 10.0
"""Seconds for which a port that went away is waited for."""

Result = TypeVar("Result")


@attrs.frozen(kw_only=True)
class Info:
    """What a device says of itself.

    Parameters
    ----------
    port : str
        Where it is.
    clock : int
        Of the engine, in Hz.
    baud : int
        Of the line.
    digest : str
        By which the configuration is known.
    config : dict
        What it was generated for: the sections ``array``, ``bfp`` and ``engine``.
    """

    port: str
    clock: int
    baud: int
    digest: str
    config: dict[str, dict[str, object]]


class Device:
    """An engine at the end of a serial line. `Device.open` finds it; it can stand in a ``with``.

    Several threads may use one `Device`: a lock lets one method run at a time, and the other threads wait.

    Parameters
    ----------
    port : Port
        The line.
    name : str
        Of the port.
    patience : float
        Seconds to wait for an answer, beside the time that its bytes take.

    Attributes
    ----------
    link : Link
        The link to it.

    Raises
    ------
    NotLowtide
        If there is none, or one of another version.
    """

    def __init__(self, port: Port, name: str = "the port", *, patience: float = 0.5):
        if isinstance(patience, bool | str) or not 0 < patience < math.inf:
            raise IllegalValue("patience", "above 0, in seconds", patience)
        self.name, self._patience = name, patience
        self._lock = threading.RLock()  # a method may call another one, and so may what is told of the progress
        self._progress: Callable[[float], object] = _nothing
        self._connect(port)

    def _connect(self, port: Port) -> None:
        link = Connection(port, patience=self._patience, name=self.name)
        link.connect()
        self._engine = RemoteEngine(link)
        self.link = link

    @property
    def config(self) -> Config:
        """What the engine was generated for, as it says itself."""
        return self._engine.config

    @property
    def table(self) -> list[Register]:
        """Registers of the engine."""
        return self._engine.table

    @classmethod
    def open(cls, port: str | None = None, *, baud: int | None = None, patience: float = 0.5) -> Self:
        """The device at a port.

        Parameters
        ----------
        port : str, optional
            As ``/dev/ttyUSB0`` or ``COM3``; by default that of ``LOWTIDE_PORT``, or the only one on USB.
        baud : int, optional
            Rate to go to; by default the fastest at which both ends work.
        patience : float
            Seconds to wait for an answer.

        Raises
        ------
        PortError
            If the port does not exist, may not be used, or is another program's.
        NotLowtide
            If what is there is no lowtide, or one of another version.
        IllegalValue
            If the device cannot go to that rate.
        """
        if baud is not None:
            whole_number("baud", baud, BAUDS)
        name = port or os.environ.get("LOWTIDE_PORT") or only_port()
        line = opened(name)
        try:
            device = cls(line, name, patience=patience)
            device.set_baud(baud)
        except BaseException:
            FramedPort(line, name).close()
            raise
        return device

    def set_baud(self, baud: int | None = None) -> None:
        """Go to a rate, by default the fastest at which both ends work; the device begins again.

        Raises
        ------
        IllegalValue
            If the device cannot go to that rate.
        ConnectionLost
            If it does not work.
        """
        with self._lock:
            clock = self.link.constants["clock"]
            if baud is None:
                fastest(self.link)
            elif divisor_of(clock, whole_number("baud", baud, BAUDS)) is None:
                raise IllegalValue("baud", f"within 2 % of a whole part of {clock}, a 4th or less", baud)
            elif baud != self.link.line.baud and not change_rate(self.link, baud):
                raise ConnectionLost(f"the line at {self.name} does not work at {baud} baud")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the port to others, the device at its first rate.

        A device that does not answer, or a port that is gone, is no error here.
        """
        with self._lock:
            if self.link.constants:
                with contextlib.suppress(DeviceError):
                    self.link.one("rate", self.link.constants["divisor"], 0)
            self.link.line.close()

    def info(self) -> Info:
        """What the device says of itself."""
        with self._lock:
            tables = self.config.to_tables()
            return Info(
                port=self.name,
                clock=self.link.constants["clock"],
                baud=self.link.line.baud,
                digest=f"{digest_of(self.config):016x}",
                config={section: tables[section] for section in ("array", "bfp", "engine")},
            )

    def read(self, name: str) -> int:
        """A register. If the device goes away, it is waited for.

        Raises
        ------
        IllegalValue
            If there is no such register.
        DeviceError
            If the device is lost, and does not come back.
        """
        return self._with_return(lambda: self._engine.read(name))

    def write(self, name: str, value: int) -> None:
        """Write a register. If the device goes away, it is waited for; then all other registers are as after a reset.

        Raises
        ------
        IllegalValue
            If there is no such register, it cannot be written, or the value is not one of its legal ones.
        DeviceError
            If the device is lost, and does not come back.
        """
        self._with_return(lambda: self._engine.write(name, value))

    def matmul(
        self,
        a: np.ndarray,
        b: np.ndarray,
        *,
        precision: int | tuple[int, int] | None = None,
        rounding: str = "nearest",
        seed: int = 1,
        progress: Callable[[float], object] = lambda _share: None,
    ) -> np.ndarray:
        """The product of two matrices in block floating point, of any size.

        What does not fit into the engine is cut into panels; parts along K are added in FP32.

        Parameters
        ----------
        a, b : array, shapes (M, K) and (K, N)
            They become float32.
        precision : int or two of them, optional
            Bits of a magnitude, for both or for each; by default as many as the engine has.
        rounding : str
            ``truncate``, ``nearest`` or ``stochastic``.
        seed : int
            Of random words, from 0 to 2**64 - 1. A and B are rounded by independent words: `operand_seed` derives the
            state of each generator.
        progress : callable
            Called with the share that is done, from 0 to 1.

        Returns
        -------
        array of float32, shape (M, N)

        Raises
        ------
        ValueError
            If they do not multiply, or have numbers that are none.
        IllegalValue
            If the engine does not have that precision or rounding, or the seed is out of range.
        DeviceError
            If the device is lost, and does not come back.
        """
        x, y = (matrix(name, operand) for name, operand in (("a", a), ("b", b)))
        if x.shape[1] != y.shape[0] or 0 in (*x.shape, *y.shape):
            raise ValueError(f"a and b must be matrices that multiply, not of shapes {x.shape} and {y.shape}")
        bits = precisions(precision)
        bfp, exponent = self.config.bfp, self.config.bfp.exponent
        of_x, of_y = (
            Operand(
                chunks=chunks_of(n, bfp.mantissa, chunk),
                rounding=rounding,
                seed=operand_seed(seed, side, self.config.engine.lfsr_bits),
                bias=default_bias(z, exponent=exponent),
            )
            for side, n, chunk, z in (("a", bits[0], bfp.chunk_a, x), ("b", bits[1], bfp.chunk_b, y))
        )
        panels = [0, 1]

        def panel(done: int, of: int) -> None:
            panels[:] = done, of
            progress(done / of)

        with self._lock:
            before, self._progress = self._progress, lambda share: progress((panels[0] + share) / panels[1])
            try:
                return multiply(self, x, y, of_x, of_y, panel).values
            finally:
                self._progress = before

    def multiply(self, a: np.ndarray, b: np.ndarray, a_settings: Operand, b_settings: Operand) -> Product:
        """The product of A (M × K) and B (K × N): as `lowtide_sim.engine.GoldenEngine.multiply`, on the device.

        If the device goes away, it is waited for, and the product is made again.

        Raises
        ------
        ValueError
            If they do not multiply, do not fit into the engine, or a setting is not one that its registers take.
        DeviceError
            If the device is lost, or flags an error.
        """
        a_settings, b_settings = self._with_bias(a, a_settings), self._with_bias(b, b_settings)
        lines, shape = checked(self.config, a, b, a_settings, b_settings), (a.shape[0], b.shape[1])
        return self._with_return(lambda: self._engine.product(lines, (a_settings, b_settings), shape, self._progress))

    def _with_bias(self, x: np.ndarray, operand: Operand) -> Operand:
        if operand.bias is not None:
            return operand
        return attrs.evolve(operand, bias=default_bias(x, exponent=self.config.bfp.exponent))

    def _with_return(self, operation: Callable[[], Result]) -> Result:
        """Do something; if the device goes away, wait for it, and do it again.

        Where it fails in the end, the port is closed, and what failed first is reported.
        """
        with self._lock:
            try:
                return operation()
            except (ConnectionLost, PortError) as error:
                first = error
            try:
                self._come_back(first)
                return operation()
            except (ConnectionLost, NotLowtide, PortError):
                self.link.line.close()
                raise

    def _come_back(self, first: DeviceError) -> None:
        """Wait for the device, and connect to it again.

        Raises
        ------
        DeviceError
            If it does not come back, or another one does.
        """
        config, baud = self.config, self.link.line.baud
        self.link.line.close()
        ends = time.monotonic() + RETURN
        while True:
            try:
                self._connect_at(baud)
                break
            except (ConnectionLost, NotLowtide, PortError) as last:
                if time.monotonic() > ends:
                    text = f"{first}; it did not come back within {RETURN:g} s: {last}"
                    raise type(first)(text) from None
                time.sleep(0.2)
        if self.config != config:
            raise NotLowtide(f"another device came back at {self.name}")
        self.set_baud(baud)

    def _connect_at(self, baud: int) -> None:
        """Open the port again; the device is at this rate, or at its first one if it was switched off."""
        port = opened(self.name)
        line = FramedPort(port, self.name)
        try:
            with contextlib.suppress(NotLowtide):
                line.baud = baud
                self._connect(port)
                return
            line.baud = FIRST_BAUD
            self._connect(port)
        except BaseException:
            line.close()
            raise


def _nothing(_share: float) -> None:
    """Where nobody looks at the progress."""
