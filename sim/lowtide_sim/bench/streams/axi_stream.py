"""AXI4-Stream in cocotb: source, sink, and a passive monitor."""

import random
from collections import deque
from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any

from cocotb.triggers import RisingEdge
from cocotb.types import Logic
from cocotb.utils import get_sim_time

from lowtide_sim.bench.streams.pause import Pauses

__all__ = ["PERIOD", "Monitor", "Sink", "Source", "Stream", "now"]

PERIOD = 2  # clock period in ns
ONE = Logic(1)


def now() -> int:
    """Number of the current clock edge."""
    return round(get_sim_time("ns") / PERIOD)


class Stream:
    """The signals of a stream, by their prefix."""

    def __init__(self, dut: Any, prefix: str):
        self.dut, self.prefix = dut, prefix
        self.clk, self.rst = dut.clk, dut.rst
        self.data, self.last, self.valid, self.ready = (
            getattr(dut, f"{prefix}_{name}") for name in ("tdata", "tlast", "tvalid", "tready")
        )

    @property
    def moves(self) -> bool:
        """Whether a word is transferred at this edge."""
        return self.valid.value == ONE and self.ready.value == ONE


class Source:
    """Drives a stream, with pauses before some words. While ``valid`` is low, data are random.

    Parameters
    ----------
    stream : Stream
        Input of the unit under test.
    rng : random.Random
        Generator of the random data.
    """

    def __init__(self, stream: Stream, rng: random.Random):
        self.stream, self.rng = stream, rng
        self.width = len(stream.data)
        self.words: deque[tuple[int, bool]] = deque()
        self.offered = False
        self.pauses: Pauses = repeat(False)
        self._idle()

    def send(self, words: Iterable[tuple[int, bool]]) -> None:
        """Queue words, each with its ``tlast``."""
        self.words.extend(words)

    def clear(self) -> None:
        """Discard queued words and the offered word."""
        self.words.clear()
        self._idle()

    async def run(self) -> None:
        """Drive the stream forever."""
        edge = RisingEdge(self.stream.clk)
        while True:
            await edge
            if self.offered and self.stream.ready.value != ONE:
                continue
            if self.words and not next(self.pauses):
                data, last = self.words.popleft()
                self._drive(data, last, True)
            elif self.offered:
                self._idle()

    def _idle(self) -> None:
        self._drive(self.rng.getrandbits(self.width), bool(self.rng.getrandbits(1)), False)

    def _drive(self, data: int, last: bool, valid: bool) -> None:
        self.stream.data.value = data
        self.stream.last.value = last
        self.stream.valid.value = valid
        self.offered = valid


class Sink:
    """Accepts words, except in the cycles of a pause.

    Parameters
    ----------
    stream : Stream
        Output of the unit under test.
    """

    def __init__(self, stream: Stream):
        self.stream = stream
        self.pauses: Pauses = repeat(False)
        self.ready = True
        stream.ready.value = True

    async def run(self) -> None:
        """Drive ``tready`` forever."""
        edge = RisingEdge(self.stream.clk)
        while True:
            await edge
            ready = not next(self.pauses)
            if ready != self.ready:
                self.stream.ready.value = self.ready = ready


class Monitor:
    """Reports every transferred word, and checks that an offered word stays stable until it is accepted.

    Parameters
    ----------
    stream : Stream
        Stream to observe.
    seen : function
        Called with the edge, the data and ``tlast`` of each word.
    """

    def __init__(self, stream: Stream, seen: Callable[[int, int, bool], None]):
        self.stream, self.seen = stream, seen

    async def run(self) -> None:
        """Observe the stream forever, except while reset is high."""
        stream, edge = self.stream, RisingEdge(self.stream.clk)
        offered = None
        while True:
            await edge
            if stream.rst.value == ONE:
                offered = None
            elif stream.valid.value == ONE:
                word = stream.data.value, stream.last.value
                if offered is not None and word != offered:
                    raise AssertionError(f"edge {now()}: {stream.data._name} changed before the word was accepted")
                offered = word
                if stream.ready.value == ONE:
                    offered = None
                    self.seen(now(), word[0].to_unsigned(), word[1] == ONE)
            elif offered is not None:
                raise AssertionError(f"edge {now()}: {stream.valid._name} fell before the word was accepted")
