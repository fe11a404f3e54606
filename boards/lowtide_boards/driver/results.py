"""Reader of result words, with several requests in flight."""

from collections.abc import Callable, Iterator

import numpy as np

from lowtide.interfaces.serial.protocol import LEVELS, WORDS
from lowtide_boards.driver.request_window import Request

__all__ = ["ResultReader"]

POSITIONS = 1 << 16


class ResultReader:
    """Requests a number of result words, from a position on.

    Parameters
    ----------
    start : int
        Position of the first word.
    count : int
        Number of words.
    queue : int
        Words that the device's queue holds.
    progress : callable
        Called with the number of words that arrived since the last call.

    Attributes
    ----------
    words : array of uint32, shape (count,)
        Words that arrived.
    empty : bool
        Whether the last answer had no word.
    """

    def __init__(self, start: int, count: int, queue: int, progress: Callable[[int], object] = lambda _: None):
        self.words = np.zeros(count, "<u4")
        self._start, self._queue, self._progress = start, queue, progress
        # The queue fills while the device sends an answer.
        self._most = min(WORDS - LEVELS, queue // 4)
        self._received = 0
        self._requested = 0
        self._in_flight = 0
        self.empty = False

    @property
    def received(self) -> int:
        """Number of words that arrived."""
        return self._received

    def requests(self) -> Iterator[Request | None]:
        """Requests, until all words have arrived."""
        while self._received < len(self.words):
            count = min(len(self.words) - self._requested, self._most)
            # The device keeps each word until the host confirms it. So the host requests fewer words ahead than the
            # queue holds: further words would have no space in the queue.
            if count == 0 or (self._in_flight and self._requested + count - self._received > self._queue - self._most):
                yield None
                continue
            place = self._requested
            self._requested += count
            self._in_flight += 1
            at, confirmed = ((self._start + n) % POSITIONS for n in (place, self._received))
            positions = at | confirmed << 16
            yield Request("read_results", (positions, count), lambda words, place=place: self._accept(place, words))
        if self._received:  # confirm the last words
            at = (self._start + self._received) % POSITIONS
            yield Request("read_results", (at | at << 16, 1), lambda _: None)

    def _accept(self, place: int, words: tuple[int, ...]) -> None:
        self._in_flight -= 1
        self.empty = not words
        if place <= self._received < place + len(words):
            self.words[place : place + len(words)] = words
            self._progress(place + len(words) - self._received)
            self._received = place + len(words)
        if not self._in_flight:
            self._requested = self._received
