"""Frames of the serial protocol: packing and unpacking."""

import zlib
from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from lowtide.interfaces.serial.protocol import ESCAPE, FLAG, FLIP

__all__ = ["Frame", "Frames", "frame_bytes"]

LONGEST = 2 * (4 + 255 * 4 + 4)
"""Bytes of the longest frame, with every byte escaped."""

_FLAG, _ESCAPE = bytes((FLAG,)), bytes((ESCAPE,))


@attrs.frozen
class Frame:
    """A complete frame.

    Parameters
    ----------
    kind, number : int
        Kind and sequence number, from the header.
    words : tuple of int
        Payload.
    """

    kind: int
    number: int
    words: tuple[int, ...]


def frame_bytes(kind: int, number: int, words: Sequence[int] | np.ndarray) -> bytes:
    """Pack a frame: header, payload and CRC-32, with flag and escape bytes escaped, and a closing flag."""
    header = kind | len(words) << 8 | number << 16
    body = header.to_bytes(4, "little") + np.asarray(words, "<u4").tobytes()
    body += zlib.crc32(body).to_bytes(4, "little")
    body = body.replace(_ESCAPE, bytes((ESCAPE, ESCAPE ^ FLIP))).replace(_FLAG, bytes((ESCAPE, FLAG ^ FLIP)))
    return body + _FLAG


class Frames:
    """Unpacks frames from a stream of bytes; damaged frames are dropped.

    Attributes
    ----------
    damaged : int
        Number of damaged frames.
    """

    def __init__(self):
        self._rest = b""
        self.damaged = 0

    def discard_partial(self) -> None:
        """Discard a partial frame."""
        self._rest = b""

    def add(self, data: bytes) -> Iterator[Frame]:
        """Add received bytes, and yield the frames that they complete."""
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
    """The frame between two flags; None if it is damaged."""
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
