"""AXI4-Streams of cocotbext-axi, which knows nothing of lowtide, in the place of this project's own."""

import random
from collections.abc import Callable, Iterable
from itertools import repeat

from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamMonitor, AxiStreamSink, AxiStreamSource

from lowtide_sim.bench.streams.axi_stream import Stream, now
from lowtide_sim.bench.streams.pause import Pauses

__all__ = ["COCOTBEXT_STREAMS"]


def made(kind: type, stream: Stream):
    """One end of a stream, which takes a beat as a whole."""
    bus = AxiStreamBus.from_prefix(stream.dut, stream.prefix)
    return kind(bus, stream.clk, stream.rst, byte_lanes=1)


class Source:
    """Offers words, and pauses between some of them: as `lowtide_sim.bench.streams.axi_stream.Source`."""

    def __init__(self, stream: Stream, _rng: random.Random):
        self.source = made(AxiStreamSource, stream)
        self.pauses: Pauses = repeat(False)

    def send(self, words: Iterable[tuple[int, bool]]) -> None:
        """Queue words, of which the last one, and none before it, has its ``tlast``."""
        self.source.send_nowait(AxiStreamFrame([data for data, _ in words]))

    def clear(self) -> None:
        """Drop what is queued."""
        self.source.clear()

    async def run(self) -> None:
        """Begin to pause."""
        self.source.set_pause_generator(self.pauses)


class Sink:
    """Takes words, but in the cycles of a pause."""

    def __init__(self, stream: Stream):
        self.sink = made(AxiStreamSink, stream)
        self.pauses: Pauses = repeat(False)

    async def run(self) -> None:
        """Take for ever."""
        self.sink.set_pause_generator(self.pauses)
        while True:
            await self.sink.recv()


class Monitor:
    """Sees the words of a frame once it is complete."""

    def __init__(self, stream: Stream, seen: Callable[[int, int, bool], None]):
        self.monitor, self.seen = made(AxiStreamMonitor, stream), seen

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            words = (await self.monitor.recv()).tdata
            for n, word in enumerate(words):
                self.seen(now(), word, n == len(words) - 1)


COCOTBEXT_STREAMS = Source, Sink, Monitor
"""What drives streams, what takes from them, and what looks on, for `EngineBench`."""
