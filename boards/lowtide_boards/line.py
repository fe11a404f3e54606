"""A line that carries frames."""

from typing import Protocol

from lowtide_boards.errors import PortError
from lowtide_sim.serial.frames import Frame, Frames

__all__ = ["SILENCE", "Line", "Port"]

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


class Line:
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
    """

    def __init__(self, port: Port, name: str):
        self.port, self.name = port, name
        self.frames = Frames()

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises
        ------
        PortError
            If the port does not work any more.
        """
        try:
            self.port.write(data)
        except OSError as error:
            raise self._gone(error) from None

    def read(self, seconds: float) -> list[Frame]:
        """Frames that are complete with what comes; waits so long for a byte, and gives `SILENCE` if none does.

        Raises
        ------
        PortError
            If the port does not work any more.
        """
        try:
            self.port.timeout = seconds
            data = self.port.read(max(1, self.port.in_waiting))
        except OSError as error:
            raise self._gone(error) from None
        return list(self.frames.add(data)) if data else [SILENCE]

    def forget(self) -> None:
        """Whatever has come.

        Raises
        ------
        PortError
            If the port does not work any more.
        """
        try:
            self.port.reset_input_buffer()
        except OSError as error:
            raise self._gone(error) from None
        self.frames.forget()

    def _gone(self, error: OSError) -> PortError:
        return PortError(f"{self.name} does not work any more: {error}")
