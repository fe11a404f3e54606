"""Operands on their way into an engine, and results on their way out."""

import ctypes
from collections.abc import Sequence

import attrs
import numpy as np

from lowtide.formats.parameter import parameter

__all__ = ["Load", "Stalls", "Stream", "Transfer"]


class Stream(ctypes.Structure):
    """A stream as the harness has it: beats, where they end, how far it is, how often it pauses."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("last", ctypes.c_void_p),
        ("beats", ctypes.c_uint64),
        ("done", ctypes.c_uint64),
        ("pauses", ctypes.c_uint32),
    )


@attrs.frozen
class Stalls:
    """How often streams pause: of 256 cycles, on average."""

    a: int = parameter(0, range(256), "pauses of A's stream")
    b: int = parameter(0, range(256), "pauses of B's stream")
    c: int = parameter(0, range(256), "pauses of the results' stream")


@attrs.frozen(eq=False)
class Load:
    """An operand on its stream.

    Parameters
    ----------
    numbers : array of float32, shape (beats, numbers of a beat)
    last : array of uint8, shape (beats,)
    """

    numbers: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, numbers: int) -> "Load":
        """A matrix in the order of its memory, each run of it filled up to whole beats."""
        missing = -x.shape[1] % numbers
        padded = np.pad(x, [(0, 0), (0, missing)], constant_values=np.float32(3)) if missing else x
        beats = np.ascontiguousarray(padded, np.float32).reshape(-1, numbers)
        last = np.zeros(len(beats), np.uint8)
        last[-1] = 1
        return cls(beats, last)


@attrs.frozen(eq=False)
class Transfer:
    """What three streams are to carry, and how far they are.

    Parameters
    ----------
    streams : tuple
        Those of A, B and C, as the library has them.
    results : array of float32, shape (beats, numbers of a beat)
        What came.
    last : array of uint8, shape (beats,)
        Where products ended.
    kept : tuple
        What the streams point to.
    """

    streams: tuple[Stream, Stream, Stream]
    results: np.ndarray
    last: np.ndarray
    kept: tuple[np.ndarray, ...]

    @classmethod
    def of(
        cls, a: Sequence[Load], b: Sequence[Load], beats: int, numbers: int, results: int, stalls: Stalls
    ) -> "Transfer":
        """Operands, and room for so many beats of results."""
        arrays = []
        for loads in (a, b):
            arrays.append(np.concatenate([load.numbers for load in loads] or [np.zeros((0, numbers), np.float32)]))
            arrays.append(np.concatenate([load.last for load in loads] or [np.zeros(0, np.uint8)]))
        arrays += [np.zeros((beats, results), np.float32), np.zeros(beats, np.uint8)]
        pauses = (stalls.a, stalls.b, stalls.c)
        streams = [
            Stream(data.ctypes.data, last.ctypes.data, len(last), 0, pause)
            for data, last, pause in zip(arrays[::2], arrays[1::2], pauses, strict=True)
        ]
        return cls((streams[0], streams[1], streams[2]), arrays[-2], arrays[-1], tuple(arrays))
