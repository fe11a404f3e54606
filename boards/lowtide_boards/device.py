"""A device: matrix products on the engine of a board, or of a simulation, from NumPy."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import Self

import attrs
import numpy as np

from lowtide.emission.serial import digest_of
from lowtide.emission.top import engine_of
from lowtide.engine.controlled import ControlledEngine
from lowtide.formats.parameter import IllegalValue, legal_text
from lowtide.soc.serial.protocol import WORDS
from lowtide_boards.described import config_of
from lowtide_boards.errors import DeviceError, LinkLost, NotLowtide, PortError
from lowtide_boards.link import Ask, Link, Port
from lowtide_boards.ports import FIRST_BAUD, only_port, opened
from lowtide_boards.rate import change_rate, divisor_of, fastest
from lowtide_boards.results import ResultReader
from lowtide_sim.engine.operand import Operand
from lowtide_sim.engine.panels import multiply
from lowtide_sim.engine.product import Events, Lines, Product, checked
from lowtide_sim.engine.results import matrix_of, result_beats
from lowtide_sim.engine.transfer import Load
from lowtide_sim.golden import Ratio, default_bias

__all__ = ["Device", "Info"]

LOAD_BOTH = 3
"""Bits of the register ``start``."""

RETURN = 10.0
"""Seconds for which a port that went away is waited for."""


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
    config : Config
        What the engine was generated for, as it says itself.
    table : list of Register
        Its registers.
    link : Link
        The link to it.

    Raises
    ------
    NotLowtide
        If there is none, or one of another version.
    """

    def __init__(self, port: Port, name: str = "the port", *, patience: float = 0.5):
        self.name, self._patience = name, patience
        self._connect(port)

    def _connect(self, port: Port) -> None:
        self.link = Link(port, patience=self._patience, name=self.name)
        self.link.connect()
        self.config = config_of(self.link)
        self.table = ControlledEngine(engine_of(self.config)).registers.table
        self._registers = {register.name: place for place, register in enumerate(self.table)}
        self.forget()

    def forget(self) -> None:
        """What was known of the device: it has begun again."""
        self._written: dict[str, int] = {}
        self._position = 0

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
        name = port or os.environ.get("LOWTIDE_PORT") or only_port()
        line = opened(name)
        try:
            device = cls(line, name, patience=patience)
            device.hurry(baud)
        except BaseException:
            line.close()
            raise
        return device

    def hurry(self, baud: int | None = None) -> None:
        """Go to a rate, by default the fastest at which both ends work; the device begins again.

        Raises
        ------
        IllegalValue
            If the device cannot go to that rate.
        LinkLost
            If it does not work.
        """
        clock = self.link.constants["clock"]
        if baud is None:
            fastest(self.link)
        elif divisor_of(clock, baud) is None:
            raise IllegalValue("baud", f"within 2 % of a whole part of {clock}, a 4th or less", baud)
        elif baud != self.link.port.baudrate and not change_rate(self.link, baud):
            raise LinkLost(f"the line at {self.name} does not work at {baud} baud")
        self.forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the port to others, the device at its first rate."""
        if self.link.constants:
            with contextlib.suppress(DeviceError):
                self.link.one("rate", self.link.constants["divisor"], 0)
        self.link.port.close()

    def info(self) -> Info:
        """What the device says of itself."""
        tables = self.config.to_tables()
        return Info(
            port=self.name,
            clock=self.link.constants["clock"],
            baud=self.link.port.baudrate,
            digest=f"{digest_of(self.config):016x}",
            config={section: tables[section] for section in ("array", "bfp", "engine")},
        )

    def read(self, name: str) -> int:
        """A register."""
        return self.link.one("read", self._registers[name], 1)[0]

    def write(self, name: str, value: int) -> None:
        """Write a register."""
        self.link.one("write", self._registers[name], value & 0xFFFFFFFF)
        self._written[name] = value

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
            Of random words.
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
            If the engine does not have that precision or rounding.
        DeviceError
            If the device is lost, and does not come back.
        """
        x, y = (_matrix(name, operand) for name, operand in (("a", a), ("b", b)))
        if x.shape[1] != y.shape[0] or 0 in (*x.shape, *y.shape):
            raise ValueError(f"a and b must be matrices that multiply, not of shapes {x.shape} and {y.shape}")
        bits = precision if isinstance(precision, tuple) else (precision, precision)
        bfp, exponent = self.config.bfp, self.config.bfp.exponent
        of_x, of_y = (
            Operand(
                chunks=_chunks(n, bfp.mantissa, chunk),
                rounding=rounding,
                seed=seed,
                bias=default_bias(z, exponent=exponent),
            )
            for n, chunk, z in zip(bits, (bfp.chunk_a, bfp.chunk_b), (x, y), strict=True)
        )
        panels = [0, 1]

        def panel(done: int, of: int) -> None:
            panels[:] = done, of
            progress(done / of)

        self._progress = lambda share: progress((panels[0] + share) / panels[1])
        try:
            return multiply(self, x, y, of_x, of_y, panel).values
        finally:
            self._progress = _nothing

    def multiply(self, a: np.ndarray, b: np.ndarray, of_a: Operand, of_b: Operand) -> Product:
        """The product of A (M × K) and B (K × N): as `lowtide_sim.engine.GoldenEngine.multiply`, on the device.

        If the device goes away, it is waited for, and the product is made again.

        Raises
        ------
        ValueError
            If they do not multiply, or do not fit into the engine.
        DeviceError
            If the device is lost, or flags an error.
        """
        lines = checked(self.config, a, b, of_a, of_b)
        exponent = self.config.bfp.exponent
        operands = [
            operand if operand.bias is not None else attrs.evolve(operand, bias=default_bias(x, exponent=exponent))
            for operand, x in ((of_a, a), (of_b, b))
        ]
        try:
            return self._product(lines, operands, (a.shape[0], b.shape[1]))
        except (LinkLost, PortError):
            self._come_back()
            return self._product(lines, operands, (a.shape[0], b.shape[1]))

    def _product(self, lines: tuple[Lines, Lines], operands: list[Operand], shape: tuple[int, int]) -> Product:
        beats = result_beats(self.config, *shape)
        loads = [Load.of(line.runs, self.config.engine.numbers).numbers.view("<u4").ravel() for line in lines]
        count = beats * self.config.engine.results
        whole, moved = sum(map(len, loads)) + count, [0]

        def move(words: int) -> None:
            moved[0] += words
            self._progress(moved[0] / whole)

        most = min(WORDS, self.link.constants["queue"] // 2)
        results = ResultReader(self._position, count, self.link.constants["queue"], move)
        first, last = self._registers["errors"], self._registers["underflows"]
        counted: list[tuple[int, ...]] = []

        def asks() -> Iterator[Ask | None]:
            for side, line, operand in zip("ab", lines, operands, strict=True):
                for name, value in line.settings(operand).items():
                    if self._written.get(f"{side}_{name}") != value:
                        yield self._write(f"{side}_{name}", value)
            yield self._write("clear", 1)
            yield self._write("start", LOAD_BOTH)
            for side, words in zip("ab", loads, strict=True):
                for at in range(0, len(words), most):
                    part = words[at : at + most]
                    yield Ask("last_" + side if at + most >= len(words) else "load_" + side, part)  # pyright: ignore
                    move(len(part))
            yield from results.asks()
            yield Ask("read", (first, last - first + 1), counted.append)

        self.link.ask(asks())
        self._position = (self._position + count) % (1 << 16)
        values = dict(zip(list(self._registers)[first : last + 1], counted[0], strict=True))
        if values["errors"]:
            self.write("errors", values["errors"])
            raise DeviceError(f"the engine flags errors {values['errors']:#x}")
        return Product(
            values=matrix_of(self.config, results.words.view("<f4"), *shape),
            events=Events(**{field.name: values[field.name] for field in attrs.fields(Events)}),
            ratio_a=_ratio("a", values),
            ratio_b=_ratio("b", values),
            cycles=values["cycles"],
        )

    def _write(self, name: str, value: int) -> Ask:
        self._written[name] = value
        return Ask("write", (self._registers[name], value & 0xFFFFFFFF))

    _progress: Callable[[float], object] = staticmethod(lambda _share: None)

    def _come_back(self) -> None:
        """Wait for the device, and connect to it again.

        Raises
        ------
        DeviceError
            If it does not come back, or another one does.
        """
        config, baud = self.config, self.link.port.baudrate
        self.link.port.close()
        ends = time.monotonic() + RETURN
        while True:
            try:
                self._connect_at(baud)
                break
            except (PortError, NotLowtide):
                if time.monotonic() > ends:
                    raise
                time.sleep(0.2)
        if self.config != config:
            raise NotLowtide(f"another device came back at {self.name}")
        self.hurry(baud)

    def _connect_at(self, baud: int) -> None:
        """Open the port again; the device is at this rate, or at its first one if it was switched off."""
        port = opened(self.name)
        try:
            with contextlib.suppress(NotLowtide):
                port.baudrate = baud
                self._connect(port)
                return
            port.baudrate = FIRST_BAUD
            self._connect(port)
        except BaseException:
            port.close()
            raise


def _nothing(_share: float) -> None:
    pass


def _matrix(name: str, x: np.ndarray) -> np.ndarray:
    matrix = np.asarray(x)
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be a matrix of numbers, not {matrix.dtype} of {matrix.ndim} dimensions")
    with np.errstate(over="ignore"):
        matrix = matrix.astype(np.float32, copy=False)
    bad = np.count_nonzero(~np.isfinite(matrix))
    if bad:
        raise ValueError(f"{name} must have finite numbers, and {bad} of {matrix.size} are not, in float32")
    return matrix


def _chunks(bits: int | None, mantissa: int, chunk: int) -> int:
    legal = range(chunk, mantissa + 1, chunk)
    if bits is None:
        return len(legal)
    if bits not in legal:
        raise IllegalValue("precision", legal_text(tuple(legal)), bits)
    return bits // chunk


def _ratio(side: str, values: dict[str, int]) -> Ratio | None:
    if f"{side}_rest" not in values:
        return None
    rest, kept = (values[f"{side}_{name}"] + (values.get(f"{side}_{name}_high", 0) << 32) for name in ("rest", "kept"))
    return Ratio(rest, kept)
