"""A line that carries frames."""

import contextlib
from collections.abc import Iterator
from typing import Protocol

from lowtide_boards.driver.errors import PortError
from lowtide_model.serial_frames import Frame, Frames

__all__ = ["SILENCE", "FramedPort", "Port"]

SILENCE = Frame(0, 0, ())
"""Stands for a time in which no byte came."""


class Port(Protocol):
    """What a link needs of a serial port: part of ``serial.Serial``."""

    @property
    def baudrate(self) -> int: ...
    @baudrate.setter
    def baudrate(self, baud: int, /) -> None: ...
    @property
    def timeout(self) -> float | None: ...
    @timeout.setter
    def timeout(self, seconds: float | None, /) -> None: ...
    def write(self, data: bytes, /) -> int | None: ...
    def read(self, size: int = 1, /) -> bytes: ...
    @property
    def in_waiting(self) -> int: ...
    def reset_input_buffer(self) -> None: ...
    def close(self) -> None: ...


class FramedPort:
    """Frames that come over a port, and bytes that go.

    Parameters
    ----------
    port : Port
    name : str
        Of the port, for messages.

    Attributes
    ----------
    frames : Frames
        Those that come.
    closed : bool
        The port was closed, and is not used any more.
    """

    def __init__(self, port: Port, name: str):
        self.port, self.name = port, name
        self.frames = Frames()
        self.closed = False

    @property
    def baud(self) -> int:
        """Rate of the host's end."""
        return self.port.baudrate

    @baud.setter
    def baud(self, baud: int) -> None:
        with self._failures():
            self.port.baudrate = baud

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises
        ------
        PortError
            If the port does not work any more.
        """
        with self._failures():
            self.port.write(data)

    def read(self, seconds: float) -> list[Frame]:
        """Frames that are complete with what comes; waits so long for a byte, and gives `SILENCE` if none does.

        Raises
        ------
        PortError
            If the port does not work any more.
        """
        with self._failures():
            self.port.timeout = seconds
            data = self.port.read(max(1, self.port.in_waiting))
        return list(self.frames.add(data)) if data else [SILENCE]

    def forget(self) -> None:
        """Whatever has come.

        Raises
        ------
        PortError
            If the port does not work any more.
        """
        with self._failures():
            self.port.reset_input_buffer()
        self.frames.forget()

    def close(self) -> None:
        """Leave the port to others. A port that fails as it is closed is left alone."""
        if not self.closed:
            self.closed = True
            try:
                self.port.close()
            except Exception:
                # A port of pyserial keeps its file descriptor then, and closes it when it is collected: by then, the
                # number may be another file's.
                vars(self.port)["fd"] = None
                with contextlib.suppress(Exception):
                    self.port.close()

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        """Whatever the operating system or the port's library raises becomes a `PortError`.

        A library raises more than OSError where a port is gone: ``termios.error``, and TypeError or ValueError for a
        file descriptor that was closed.
        """
        if self.closed:
            raise PortError(f"{self.name} is closed")
        try:
            yield
        except Exception as error:
            raise PortError(f"{self.name} does not work any more: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """What a library says of an error, without its number."""
    text = error.args[1] if len(error.args) == 2 else error
    return " ".join(str(text).split()) or type(error).__name__
