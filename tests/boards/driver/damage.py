"""A port that damages frames in both directions: flips, cuts, insertions, repetitions and losses."""

import numpy as np

__all__ = ["DamagingPort", "damaged"]

FLAG = b"\x7e"


def damaged(frame: bytes, rng: np.random.Generator) -> bytes:
    """A frame with one or two faults."""
    data = bytearray(frame)
    for _ in range(int(rng.integers(1, 3))):
        at = int(rng.integers(len(data))) if data else 0
        match int(rng.integers(6)):
            case 0 if data:
                data[at] ^= 1 << int(rng.integers(8))
            case 1 if data:
                data[at] = int(rng.integers(256))
            case 2:
                del data[at : at + int(rng.integers(1, 9))]
            case 3:
                data[at:at] = rng.bytes(int(rng.integers(1, 9)))
            case 4:
                data *= 2
            case 5:
                data.clear()
    return bytes(data)


class DamagingPort:
    """A port that damages a share of the frames that pass.

    Parameters
    ----------
    port : Port
        Port behind this one.
    share : float
        Fraction of the frames that are damaged.
    rng : Generator

    Attributes
    ----------
    frames, damaged : int
        Number of frames, and of damaged frames.
    """

    def __init__(self, port, share, rng):
        self.port, self.share, self.rng = port, share, rng
        self.frames = self.damaged = 0
        self._coming = b""
        self._come = b""

    @property
    def baudrate(self):
        return self.port.baudrate

    @baudrate.setter
    def baudrate(self, baud, /):
        self.port.baudrate = baud

    @property
    def timeout(self):
        return self.port.timeout

    @timeout.setter
    def timeout(self, seconds, /):
        self.port.timeout = seconds

    @property
    def in_waiting(self):
        return len(self._come)

    def write(self, data, /):
        self.port.write(b"".join(map(self._passed, data.split(FLAG)[:-1])))

    def read(self, size=1, /):
        while not self._come:
            data = self.port.read(max(1, self.port.in_waiting))
            if not data:
                break
            *frames, self._coming = (self._coming + data).split(FLAG)
            self._come = b"".join(map(self._passed, frames))
        data, self._come = self._come[:size], self._come[size:]
        return data

    def _passed(self, body):
        frame = body + FLAG
        if not body:
            return frame
        self.frames += 1
        if self.rng.random() >= self.share:
            return frame
        self.damaged += 1
        return damaged(frame, self.rng)

    def reset_input_buffer(self):
        self.port.reset_input_buffer()
        self._coming = self._come = b""

    def close(self):
        self.port.close()
