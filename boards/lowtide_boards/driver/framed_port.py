"""Serial port that carries frames."""

import contextlib
from collections.abc import Iterator
from typing import Protocol

from lowtide_boards.driver.errors import PortError
from lowtide_model.serial_frames import Frame, Frames

__all__ = ["SILENCE", "FramedPort", "Port"]

SILENCE = Frame(0, 0, ())
"""Marks a timeout without a byte."""


class Port(Protocol):
    """Part of ``serial.Serial`` that the driver uses."""

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
    """Sends bytes and receives frames.

    Parameters
    ----------
    port : Port
        Serial port.
    name : str
        Name of the port, for messages.

    Attributes
    ----------
    frames : Frames
        Decoder of the received bytes.
    closed : bool
        Whether the port was closed; a closed port is not used again.
    """

    def __init__(self, port: Port, name: str):
        self.port, self.name = port, name
        self.frames = Frames()
        self.closed = False

    @property
    def baud(self) -> int:
        """Baud rate of the port."""
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
            If the port fails.
        """
        with self._failures():
            self.port.write(data)

    def read(self, seconds: float) -> list[Frame]:
        """Receive bytes, and return the frames that they complete; `SILENCE` if no byte arrives in so many seconds.

        Raises
        ------
        PortError
            If the port fails.
        """
        with self._failures():
            self.port.timeout = seconds
            data = self.port.read(max(1, self.port.in_waiting))
        return list(self.frames.add(data)) if data else [SILENCE]

    def discard(self) -> None:
        """Discard received bytes.

        Raises
        ------
        PortError
            If the port fails.
        """
        with self._failures():
            self.port.reset_input_buffer()
        self.frames.discard_partial()

    def close(self) -> None:
        """Close the port. A port that fails while it closes is no error."""
        if not self.closed:
            self.closed = True
            try:
                self.port.close()
            except Exception:
                # pyserial's port then keeps its file descriptor, and closes it when the port is garbage-collected: by
                # then, the number may belong to another file.
                vars(self.port)["fd"] = None
                with contextlib.suppress(Exception):
                    self.port.close()

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn any error of the operating system or of pyserial into a `PortError`.

        If a port has vanished, pyserial raises more than OSError: ``termios.error``, and TypeError or ValueError for a
        file descriptor that was closed.
        """
        if self.closed:
            raise PortError(f"{self.name} is closed")
        try:
            yield
        except Exception as error:
            raise PortError(f"{self.name} failed: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """Text of a library's error, without the number."""
    text = error.args[1] if len(error.args) == 2 else error
    return " ".join(str(text).split()) or type(error).__name__
