"""Pseudo-terminal of a simulated device: a serial driver opens it as it opens a board."""

import errno
import os
import select
import termios
import tty
from collections.abc import Callable
from pathlib import Path

from lowtide_sim.serial.simulated_line import SimulatedLine

__all__ = ["PseudoTerminal"]

RATES = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[:1] == "B" and name[1:].isdigit()}
STEP = 64
"""Bit times between polls of the terminal."""


class PseudoTerminal:
    """Connects a simulated device to a pseudo-terminal, at the terminal's baud rate.

    Parameters
    ----------
    line : SimulatedLine
        The device.
    link : Path, optional
        Path of a symbolic link to the terminal.

    Raises
    ------
    FileExistsError
        If the path exists and is not a symbolic link.

    Attributes
    ----------
    name : str
        Name of the port for a driver.
    sent, received : int
        Bytes to and from the device.
    """

    def __init__(self, line: SimulatedLine, link: Path | None = None):
        self.line = line
        if link and link.exists() and not link.is_symlink():
            raise FileExistsError(errno.EEXIST, "the path is not a symbolic link", str(link))
        # The driver's end stays open here, so that the terminal exists without a driver.
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.name = os.ttyname(self._theirs)
        self.sent = self.received = 0
        self._link, self._out = link, b""
        if link:
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(self.name)
            self.name = str(link)

    def close(self) -> None:
        """Remove the terminal and its link."""
        if self._link:
            self._link.unlink(missing_ok=True)
        os.close(self._ours)
        os.close(self._theirs)

    @property
    def baud(self) -> int:
        """Baud rate of the terminal."""
        return RATES.get(termios.tcgetattr(self._theirs)[5], self.line.config.serial.baud)

    def run(self, stops: Callable[[], bool] = lambda: False) -> None:
        """Serve until ``stops`` returns true. An idle device is not simulated, to save processor time."""
        idle = 0
        awake = 2 * self.line.config.serial.timeout  # cycles until the device has returned to its default baud rate
        while not stops():
            baud = self.baud
            step = STEP * round(self.line.config.serial.clock / baud)
            data = self._read(0 if idle < awake and not self._out else 0.05)
            received = b""
            if data or idle < awake:
                self.line.send(data)
                received = self.line.run(step, baud)
            self.sent, self.received = self.sent + len(data), self.received + len(received)
            self._write(received)
            idle = 0 if data or received or self.line.waiting else min(idle + step, awake)

    def _read(self, seconds: float) -> bytes:
        if self.line.waiting > 4096 or not select.select([self._ours], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self._ours, 4096)
        except BlockingIOError:
            return b""

    def _write(self, data: bytes) -> None:
        """Write bytes for the driver. Bytes that it does not read wait, up to a limit; then they are lost."""
        self._out = (self._out + data)[-(1 << 20) :]
        if self._out:
            try:
                self._out = self._out[os.write(self._ours, self._out) :]
            except BlockingIOError:
                return
