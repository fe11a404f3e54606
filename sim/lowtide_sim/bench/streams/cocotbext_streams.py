"""AXI4-Stream drivers of cocotbext-axi, an independent implementation, in place of this project's drivers."""

import random
from collections.abc import Callable, Iterable
from itertools import repeat

from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamMonitor, AxiStreamSink, AxiStreamSource

from lowtide_sim.bench.streams.axi_stream import Stream, now
from lowtide_sim.bench.streams.pause import Pauses

__all__ = ["COCOTBEXT_STREAMS"]


def endpoint(kind: type, stream: Stream):
    """An endpoint of a stream, with one byte lane as wide as a beat."""
    bus = AxiStreamBus.from_prefix(stream.dut, stream.prefix)
    return kind(bus, stream.clk, stream.rst, byte_lanes=1)


class Source:
    """Drives a stream with pauses: see `lowtide_sim.bench.streams.axi_stream.Source`."""

    def __init__(self, stream: Stream, _rng: random.Random):
        self.source = endpoint(AxiStreamSource, stream)
        self.pauses: Pauses = repeat(False)

    def send(self, words: Iterable[tuple[int, bool]]) -> None:
        """Queue words of one frame; ``tlast`` must be set on the last word only."""
        self.source.send_nowait(AxiStreamFrame([data for data, _ in words]))

    def clear(self) -> None:
        """Discard queued words."""
        self.source.clear()

    async def run(self) -> None:
        """Start the pauses."""
        self.source.set_pause_generator(self.pauses)


class Sink:
    """Accepts words, except in the cycles of a pause."""

    def __init__(self, stream: Stream):
        self.sink = endpoint(AxiStreamSink, stream)
        self.pauses: Pauses = repeat(False)

    async def run(self) -> None:
        """Accept words forever."""
        self.sink.set_pause_generator(self.pauses)
        while True:
            await self.sink.recv()


class Monitor:
    """Reports the words of a frame when it is complete."""

    def __init__(self, stream: Stream, seen: Callable[[int, int, bool], None]):
        self.monitor, self.seen = endpoint(AxiStreamMonitor, stream), seen

    async def run(self) -> None:
        """Observe the stream forever."""
        while True:
            words = (await self.monitor.recv()).tdata
            for n, word in enumerate(words):
                self.seen(now(), word, n == len(words) - 1)


COCOTBEXT_STREAMS = Source, Sink, Monitor
"""Source, sink and monitor for `EngineBench`."""
