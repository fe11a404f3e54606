"""A simulated device behind a pseudo-terminal: for a serial port's drivers, a board."""

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
"""Bit times between looks at the terminal."""


class PseudoTerminal:
    """Puts a simulated device behind a pseudo-terminal, at the rate to which the terminal is set.

    Parameters
    ----------
    line : SimulatedLine
        The device.
    link : Path, optional
        A name for the terminal beside its own, as a symbolic link.

    Raises
    ------
    FileExistsError
        If something else has that name.

    Attributes
    ----------
    name : str
        Of the port that a driver opens.
    sent, received : int
        Bytes to and from the device.
    """

    def __init__(self, line: SimulatedLine, link: Path | None = None):
        self.line = line
        if link and link.exists() and not link.is_symlink():
            raise FileExistsError(errno.EEXIST, "there is something else of that name", str(link))
        # Our own end of the driver's side stays open, so that the terminal is there without a driver.
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
        """Take the terminal away."""
        if self._link:
            self._link.unlink(missing_ok=True)
        os.close(self._ours)
        os.close(self._theirs)

    @property
    def baud(self) -> int:
        """The rate to which the terminal is set."""
        return RATES.get(termios.tcgetattr(self._theirs)[5], self.line.config.serial.baud)

    def run(self, stops: Callable[[], bool] = lambda: False) -> None:
        """Serve until it is to stop. A device to which nothing has been said for long sleeps."""
        quiet = 0
        awake = 2 * self.line.config.serial.patience  # by then it is at its first rate again
        while not stops():
            baud = self.baud
            step = STEP * round(self.line.config.serial.clock / baud)
            data = self._read(0 if quiet < awake and not self._out else 0.05)
            come = b""
            if data or quiet < awake:
                self.line.send(data)
                come = self.line.run(step, baud)
            self.sent, self.received = self.sent + len(data), self.received + len(come)
            self._write(come)
            quiet = 0 if data or come or self.line.waiting else min(quiet + step, awake)

    def _read(self, seconds: float) -> bytes:
        if self.line.waiting > 4096 or not select.select([self._ours], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self._ours, 4096)
        except BlockingIOError:
            return b""

    def _write(self, data: bytes) -> None:
        """What a driver does not take waits, up to a limit; then it is lost, as on a line."""
        self._out = (self._out + data)[-(1 << 20) :]
        if self._out:
            try:
                self._out = self._out[os.write(self._ours, self._out) :]
            except BlockingIOError:
                return
