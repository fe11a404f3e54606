"""Frames of the serial protocol, made and taken apart."""

import zlib
from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from lowtide.interfaces.serial.protocol import ESCAPE, FLAG, FLIP

__all__ = ["Frame", "Frames", "frame_bytes"]

LONGEST = 2 * (4 + 255 * 4 + 4)
"""Bytes of the longest frame, each of them stuffed."""

_FLAG, _ESCAPE = bytes((FLAG,)), bytes((ESCAPE,))


@attrs.frozen
class Frame:
    """A frame that is whole.

    Parameters
    ----------
    kind, number : int
        Of its header.
    words : tuple of int
        Its payload.
    """

    kind: int
    number: int
    words: tuple[int, ...]


def frame_bytes(kind: int, number: int, words: Sequence[int] | np.ndarray) -> bytes:
    """A frame: header, payload, CRC-32 and a flag; between them what looks like a flag is escaped."""
    header = kind | len(words) << 8 | number << 16
    body = header.to_bytes(4, "little") + np.asarray(words, "<u4").tobytes()
    body += zlib.crc32(body).to_bytes(4, "little")
    body = body.replace(_ESCAPE, bytes((ESCAPE, ESCAPE ^ FLIP))).replace(_FLAG, bytes((ESCAPE, FLAG ^ FLIP)))
    return body + _FLAG


class Frames:
    """Finds frames in what comes over a line; damaged ones are dropped.

    Attributes
    ----------
    damaged : int
        How many were.
    """

    def __init__(self):
        self._rest = b""
        self.damaged = 0

    def forget(self) -> None:
        """Whatever has come of a frame."""
        self._rest = b""

    def add(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with these bytes."""
        *bodies, self._rest = (self._rest + data).split(_FLAG)
        self._rest = self._rest[: LONGEST + 1]
        for body in bodies:
            if not body:
                continue
            frame = _frame(body)
            if frame is None:
                self.damaged += 1
            else:
                yield frame


def _frame(body: bytes) -> Frame | None:
    """The frame of what was between two flags; none if it is damaged."""
    first, *parts = body.split(_ESCAPE)
    if any(not part for part in parts):
        return None
    plain = first + b"".join(bytes((part[0] ^ FLIP,)) + part[1:] for part in parts)
    if len(plain) % 4 or len(plain) < 8 or zlib.crc32(plain[:-4]) != int.from_bytes(plain[-4:], "little"):
        return None
    kind, length, number = plain[0], plain[1], int.from_bytes(plain[2:4], "little")
    if len(plain) != 4 * (length + 2):
        return None
    return Frame(kind, number, tuple(np.frombuffer(plain[4:-4], "<u4").tolist()))
