"""A serial port whose other end is a simulated device, in this process and in its time."""

from lowtide_sim.serial.simulated_line import SimulatedLine

__all__ = ["SimulatedPort"]


class SimulatedPort:
    """As much of ``serial.Serial`` as a driver needs; seconds are those of the device's clock.

    Parameters
    ----------
    line : SimulatedLine
        The device.
    """

    def __init__(self, line: SimulatedLine):
        self.line = line
        self.baudrate = line.config.serial.baud
        self.timeout: float | None = 0
        self._come = b""

    @property
    def in_waiting(self) -> int:
        """Bytes that have come."""
        return len(self._come)

    def write(self, data: bytes, /) -> int:
        """Bytes to send; they are sent while others are read."""
        self.line.send(data)
        return len(data)

    def read(self, size: int = 1, /) -> bytes:
        """Up to so many bytes; waits for the first of them, up to the time-out."""
        left = int((self.timeout or 0) * self.line.config.serial.clock)
        step = 10 * round(self.line.config.serial.clock / self.baudrate)
        while not self._come and left > 0:
            self._come += self.line.run(min(step, left), self.baudrate)
            left -= step
        data, self._come = self._come[:size], self._come[size:]
        return data

    def reset_input_buffer(self) -> None:
        """Forget what has come."""
        self._come = b""

    def close(self) -> None:
        """Nothing is to be done."""
