"""A device: matrix products of NumPy arrays on the engine of a board or of a simulation."""

import contextlib
import math
import os
import threading
from collections.abc import Callable, Sequence
from typing import Self, TypeVar, overload

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.emission.serial import digest_of, host_sections
from lowtide.engine.registers import Register
from lowtide.formats.parameter import IllegalValue, whole_number
from lowtide_boards.driver.baud import BAUDS, change_baud, divisor_of, set_fastest_baud
from lowtide_boards.driver.connection import Connection
from lowtide_boards.driver.errors import ConnectionLost, DeviceError, NotLowtide, PortError
from lowtide_boards.driver.framed_port import FramedPort, Port
from lowtide_boards.driver.matmul import matmul
from lowtide_boards.driver.ports import only_port, open_port
from lowtide_boards.driver.reconnection import reconnect
from lowtide_boards.driver.remote_engine import RemoteEngine
from lowtide_model import BfpTensor, default_bias
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.product import AnySettings, Operand, Product
from lowtide_model.engine.result_plan import ResultPlan
from lowtide_model.engine.reveal import Reveal
from lowtide_model.engine.sums import CheckedPass, Pass, checked_passes
from lowtide_model.terms import IntegerTensor

__all__ = ["Device", "Info"]

Result = TypeVar("Result")


@attrs.frozen(kw_only=True)
class Info:
    """Port and configuration of a device.

    Parameters
    ----------
    port : str
        Name of the port.
    clock : int
        Clock frequency of the engine in Hz.
    baud : int
        Baud rate of the port.
    digest : str
        Digest of the configuration.
    config : dict
        Sections of the configuration: ``array``, ``bfp`` (or ``terms`` of an engine of integers) and ``engine``.
    """

    port: str
    clock: int
    baud: int
    digest: str
    config: dict[str, dict[str, object]]


class Device:
    """An engine at a serial port. `Device.open` opens a port by its name; a device is a context manager.

    Several threads may use one `Device`: a lock lets one method run at a time, and the other threads wait.

    Parameters
    ----------
    port : Port
        Serial port.
    name : str
        Name of the port, for messages.
    timeout : float
        Seconds to wait for an answer, in addition to the transfer time.

    Attributes
    ----------
    connection : Connection
        Connection to the device.

    Raises
    ------
    NotLowtide
        If no lowtide device of this version is at the port.
    """

    def __init__(self, port: Port, name: str = "the port", *, timeout: float = 0.5):
        if isinstance(timeout, bool | str) or not 0 < timeout < math.inf:
            raise IllegalValue("timeout", "above 0, in seconds", timeout)
        self.name, self._timeout = name, timeout
        self._lock = threading.RLock()  # a method may call another method, and so may a progress callback
        self._progress: Callable[[float], object] = _nothing
        connection = Connection(port, timeout=timeout, name=name)
        connection.connect()
        self._use(connection)

    def _use(self, connection: Connection) -> None:
        self._engine = RemoteEngine(connection)
        self.connection = connection

    @property
    def config(self) -> Config:
        """Configuration of the engine, read from the device."""
        return self._engine.config

    @property
    def registers(self) -> list[Register]:
        """Registers of the engine."""
        return self._engine.registers

    @classmethod
    def open(cls, port: str | None = None, *, baud: int | None = None, timeout: float = 0.5) -> Self:
        """Open the device at a port.

        Parameters
        ----------
        port : str, optional
            Name of the port, such as ``/dev/ttyUSB0`` or ``COM3``; by default the port that ``LOWTIDE_PORT`` names, or
            the only USB serial port.
        baud : int, optional
            Baud rate; by default the fastest that host and device support.
        timeout : float
            Seconds to wait for an answer, in addition to the transfer time.

        Raises
        ------
        PortError
            If the port does not exist, may not be used, or belongs to another program.
        NotLowtide
            If no lowtide device of this version is at the port.
        IllegalValue
            If the device cannot make the baud rate.
        """
        if baud is not None:
            whole_number("baud", baud, BAUDS)
        name = port or os.environ.get("LOWTIDE_PORT") or only_port()
        opened = open_port(name)
        try:
            device = cls(opened, name, timeout=timeout)
            device.set_baud(baud)
        except BaseException:
            FramedPort(opened, name).close()
            raise
        return device

    def set_baud(self, baud: int | None = None) -> None:
        """Set the baud rate, by default to the fastest that host and device support; the device resets.

        Raises
        ------
        IllegalValue
            If the device cannot make the baud rate.
        ConnectionLost
            If the connection does not work at the baud rate.
        """
        with self._lock:
            clock = self.connection.constants["clock"]
            if baud is None:
                set_fastest_baud(self.connection)
            elif divisor_of(clock, whole_number("baud", baud, BAUDS)) is None:
                raise IllegalValue("baud", f"within 2 % of {clock} divided by an integer from 4 to 65535", baud)
            elif baud != self.connection.framed_port.baud and not change_baud(self.connection, baud):
                raise ConnectionLost(f"cannot change {self.name} to {baud} baud: no answer; choose another rate")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Return the device to its initial baud rate, and close the port.

        A device that does not answer, or a port that has vanished, is no error.
        """
        with self._lock:
            if self.connection.constants:
                with contextlib.suppress(DeviceError):
                    self.connection.request("set_baud", self.connection.constants["divisor"], 0)
            self.connection.framed_port.close()

    def info(self) -> Info:
        """Port and configuration of the device."""
        with self._lock:
            tables = self.config.to_tables()
            return Info(
                port=self.name,
                clock=self.connection.constants["clock"],
                baud=self.connection.framed_port.baud,
                digest=f"{digest_of(self.config):016x}",
                config={section: tables[section] for section in host_sections(self.config)},
            )

    def read(self, name: str) -> int:
        """Read a register. If the connection is lost, the driver reconnects and retries.

        Raises
        ------
        IllegalValue
            If there is no register of this name.
        DeviceError
            If the driver cannot reconnect.
        """
        return self._with_retry(lambda: self._engine.read(name))

    def write(self, name: str, value: int) -> None:
        """Write a register. If the connection is lost, the driver reconnects, which resets all registers, and retries.

        Raises
        ------
        IllegalValue
            If there is no register of this name, the register is read-only, or the value is illegal.
        DeviceError
            If the driver cannot reconnect.
        """
        self._with_retry(lambda: self._engine.write(name, value))

    @overload
    def matmul(
        self,
        a: np.ndarray | BfpTensor | IntegerTensor,
        b: np.ndarray | BfpTensor | IntegerTensor,
        *,
        precision: int | tuple[int, int] | None = None,
        rounding: str = "nearest",
        seed: int = 1,
        reveal: Reveal | None = None,
        post: PostOperations | None = None,
        results: None = None,
        progress: Callable[[float], object] = lambda _fraction: None,
    ) -> np.ndarray: ...

    @overload
    def matmul(
        self,
        a: np.ndarray | BfpTensor | IntegerTensor,
        b: np.ndarray | BfpTensor | IntegerTensor,
        *,
        precision: int | tuple[int, int] | None = None,
        rounding: str = "nearest",
        seed: int = 1,
        reveal: Reveal | None = None,
        post: PostOperations | None = None,
        results: OperandSettings,
        progress: Callable[[float], object] = lambda _fraction: None,
    ) -> BfpTensor: ...

    @overload
    def matmul(
        self,
        a: np.ndarray | BfpTensor | IntegerTensor,
        b: np.ndarray | BfpTensor | IntegerTensor,
        *,
        precision: int | tuple[int, int] | None = None,
        rounding: str = "nearest",
        seed: int = 1,
        reveal: Reveal | None = None,
        post: PostOperations | None = None,
        results: IntegerSettings,
        progress: Callable[[float], object] = lambda _fraction: None,
    ) -> IntegerTensor: ...

    def matmul(
        self,
        a: np.ndarray | BfpTensor | IntegerTensor,
        b: np.ndarray | BfpTensor | IntegerTensor,
        *,
        precision: int | tuple[int, int] | None = None,
        rounding: str = "nearest",
        seed: int = 1,
        reveal: Reveal | None = None,
        post: PostOperations | None = None,
        results: AnySettings | None = None,
        progress: Callable[[float], object] = lambda _fraction: None,
    ) -> np.ndarray | BfpTensor | IntegerTensor:
        """Multiply two matrices of any size, in block floating point or, on an engine of integers, as integers.

        The driver splits operands that exceed the engine's buffers into panels. An engine with sums on chip adds up all
        of K exactly. Without them, the driver adds partial sums along K in FP32.

        An engine of integers takes arrays of integers of ``terms.width`` bits as they are. The driver quantizes arrays
        of floats: A with one scale, B with a scale per column. An engine with ``engine.column_scale`` multiplies the
        exact sums by the products of these scales, rounded to FP32. Otherwise the driver multiplies the results by the
        scales in float64, and rounds them to FP32.

        Parameters
        ----------
        a, b : array, BfpTensor or IntegerTensor, shapes (M, K) and (K, N)
            Operands. The driver converts arrays to float32. A `BfpTensor`, with its groups along K, travels as packed
            groups, in a fraction of the words. An `IntegerTensor` is for an engine of integers, and its scale must not
            vary along K.
        precision : int or pair of int, optional
            Magnitude bits of both arrays, or of A and of B; by default the mantissa of the engine. A `BfpTensor` keeps
            its own.
        rounding : str
            ``truncate``, ``nearest`` or ``stochastic``.
        seed : int
            Seed of the random words, from 0 to 2**64 - 1. The random words of A and of B are independent:
            `operand_seed` derives the state of each generator.
        reveal : Reveal, optional
            Term revealing, of an engine with the element ``tmac``; None to keep every term.
        post : PostOperations, optional
            Operations on the results: offset and scale per column, column bias, ReLU, residual. The offset is in units
            of the exact sums of integers.
        results : OperandSettings or IntegerSettings, optional
            Settings of packed results, with a bias, or of integers; None for results in FP32.
        progress : callable
            Called with the finished fraction, from 0 to 1.

        Returns
        -------
        array of float32, shape (M, N), BfpTensor or IntegerTensor
            The product; with ``results``, a tensor with groups along N, or integers with the scale ``2**results.bias``:
            an operand A of a later product.

        Raises
        ------
        ValueError
            If the shapes do not match, an operand has a number that is not finite, or the engine lacks what follows the
            product.
        IllegalValue
            If the engine does not have the precision or the rounding, or the seed is out of range.
        DeviceError
            If the driver cannot reconnect after the connection was lost.
        """
        panels = [0, 1]

        def panel(done: int, of: int) -> None:
            panels[:] = done, of
            progress(done / of)

        with self._lock:
            before, self._progress = self._progress, lambda fraction: progress((panels[0] + fraction) / panels[1])
            try:
                return matmul(
                    self,
                    a,
                    b,
                    precision=precision,
                    rounding=rounding,
                    seed=seed,
                    reveal=reveal,
                    post=post,
                    results=results,
                    progress=panel,
                )
            finally:
                self._progress = before

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
        """Multiply A (M × K) and B (K × N) on the device, with the bits of `GoldenEngine.multiply`.

        If the connection is lost, the driver reconnects and retries.

        Raises
        ------
        ValueError
            If the shapes do not match, an operand does not fit into the engine, or a setting is illegal.
        DeviceError
            If the engine flags an error, or the driver cannot reconnect.
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
        """Add up products on the device, with the bits of `GoldenEngine.multiply_sum`.

        If the connection is lost, the driver reconnects and repeats all passes.

        Raises
        ------
        ValueError
            If the engine cannot compute the sum.
        DeviceError
            If the engine flags an error, or the driver cannot reconnect.
        """
        checked = [
            self._with_biases(each, of) for each, of in zip(passes, checked_passes(self.config, passes), strict=True)
        ]
        plan = ResultPlan(config=self.config, shape=checked[-1].shape, post=post, results=results)
        return self._with_retry(lambda: self._engine.product(checked, plan, self._progress))

    def _with_biases(self, given: Pass, of: CheckedPass) -> CheckedPass:
        """The pass, with the default bias of an operand without one."""
        a, b = (
            attrs.evolve(settings, bias=default_bias(x, exponent=self.config.bfp.exponent))
            if settings.bias is None
            else settings
            for x, settings in zip((given.a, given.b), of.settings, strict=True)
        )
        return attrs.evolve(of, settings=(a, b))

    def _with_retry(self, operation: Callable[[], Result]) -> Result:
        """Run an operation; if the connection is lost, reconnect and run the operation again.

        If this fails too, close the port and raise an error with the first cause.
        """
        with self._lock:
            try:
                return operation()
            except (ConnectionLost, PortError) as error:
                first = error
            try:
                self._reconnect(first)
                return operation()
            except (ConnectionLost, NotLowtide, PortError):
                self.connection.framed_port.close()
                raise

    def _reconnect(self, first: DeviceError) -> None:
        """Wait for the device, and connect again.

        Raises
        ------
        DeviceError
            If the device does not answer in time, or another device answers.
        """
        config, baud = self.config, self.connection.framed_port.baud
        self.connection.framed_port.close()
        self._use(reconnect(self.name, baud, self._timeout, first))
        if self.config != config:
            raise NotLowtide(f"another device answers at {self.name}: the configuration differs; open the port again")
        self.set_baud(baud)


def _nothing(_fraction: float) -> None:
    """Progress without a callback."""
