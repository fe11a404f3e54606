"""Buffers for the streams of a simulated engine: operands to send, and results to receive."""

import ctypes
from collections.abc import Sequence

import attrs
import numpy as np

from lowtide.formats.parameter import parameter

__all__ = ["Load", "Stalls", "Stream", "Transfer"]


class Stream(ctypes.Structure):
    """C structure of a stream in the harness: data, ``last`` flags, number of beats, progress, and stall rate."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("last", ctypes.c_void_p),
        ("beats", ctypes.c_uint64),
        ("done", ctypes.c_uint64),
        ("pauses", ctypes.c_uint32),
    )


@attrs.frozen
class Stalls:
    """Stalled cycles of each stream per 256 cycles, on average."""

    a: int = parameter(0, range(256), "stalled cycles of A's stream per 256")
    b: int = parameter(0, range(256), "stalled cycles of B's stream per 256")
    c: int = parameter(0, range(256), "stalled cycles of the results' stream per 256")
    d: int = parameter(0, range(256), "stalled cycles of the addends' stream per 256")


@attrs.frozen(eq=False)
class Load:
    """Beats of an operand.

    Parameters
    ----------
    numbers : array of float32, shape (beats, numbers per beat)
        Data.
    last : array of uint8, shape (beats,)
        Whether a beat is the last.
    """

    numbers: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, numbers: int) -> "Load":
        """Beats of a matrix in row-major order, each row padded to whole beats."""
        missing = -x.shape[1] % numbers
        padded = np.pad(x, [(0, 0), (0, missing)], constant_values=np.float32(3)) if missing else x
        beats = np.ascontiguousarray(padded, np.float32).reshape(-1, numbers)
        last = np.zeros(len(beats), np.uint8)
        last[-1] = 1
        return cls(beats, last)


@attrs.frozen(eq=False)
class Transfer:
    """Buffers and progress of the streams of A, B, the results, and the addends.

    Parameters
    ----------
    streams : tuple
        Streams of A, B, C and D, for the library.
    results : array of float32, shape (beats, numbers per beat)
        Received results.
    last : array of uint8, shape (beats,)
        Whether a received beat ended a product.
    kept : tuple
        Arrays that the streams point to.
    """

    streams: tuple[Stream, Stream, Stream, Stream]
    results: np.ndarray
    last: np.ndarray
    kept: tuple[np.ndarray, ...]

    @classmethod
    def of(
        cls,
        a: Sequence[Load],
        b: Sequence[Load],
        beats: int,
        numbers: int,
        results: int,
        stalls: Stalls,
        d: Sequence[Load] = (),
    ) -> "Transfer":
        """A transfer of operands and addends, with a buffer for ``beats`` beats of results."""
        arrays = []
        for loads, width in ((a, numbers), (b, numbers), (d, results)):
            arrays.append(np.concatenate([load.numbers for load in loads] or [np.zeros((0, width), np.float32)]))
            arrays.append(np.concatenate([load.last for load in loads] or [np.zeros(0, np.uint8)]))
        arrays[4:4] = [np.zeros((beats, results), np.float32), np.zeros(beats, np.uint8)]
        pauses = (stalls.a, stalls.b, stalls.c, stalls.d)
        streams = [
            Stream(data.ctypes.data, last.ctypes.data, len(last), 0, pause)
            for data, last, pause in zip(arrays[::2], arrays[1::2], pauses, strict=True)
        ]
        return cls((streams[0], streams[1], streams[2], streams[3]), arrays[4], arrays[5], tuple(arrays))
