"""Serial port of a simulated device, in this process and in simulated time."""

from lowtide_sim.serial.simulated_line import SimulatedLine

__all__ = ["SimulatedPort"]


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
