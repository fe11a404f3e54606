"""Results on their way from a device, several requests for them at a time."""

from collections.abc import Callable, Iterator

import numpy as np

from lowtide.interfaces.serial.protocol import LEVELS, WORDS
from lowtide_boards.driver.request import Request

__all__ = ["ResultReader"]

POSITIONS = 1 << 16


class ResultReader:
    """Asks for so many words of results, from a position on.

    Parameters
    ----------
    start : int
        Position of the first one.
    count : int
        How many.
    queue : int
        Words that the device keeps.
    progress : callable
        Called with the words that have come since it was called last.

    Attributes
    ----------
    words : array of uint32, shape (count,)
        What came.
    none_came : bool
        The last answer had none.
    """

    def __init__(self, start: int, count: int, queue: int, progress: Callable[[int], object] = lambda _: None):
        self.words = np.zeros(count, "<u4")
        self._start, self._queue, self._progress = start, queue, progress
        # Further words come into the queue while others are sent.
        self._most = min(WORDS - LEVELS, queue // 4)
        self._came = 0
        self._asked = 0
        self._waiting = 0
        self.none_came = False

    def asks(self) -> Iterator[Request | None]:
        """Requests, until all words have come."""
        while self._came < len(self.words):
            count = min(len(self.words) - self._asked, self._most)
            # The device forgets nothing that is not known to have come. So less is asked for ahead than it keeps: else
            # what is asked for had no place to come to before.
            if count == 0 or (self._waiting and self._asked + count - self._came > self._queue - self._most):
                yield None
                continue
            place = self._asked
            self._asked += count
            self._waiting += 1
            at, came = ((self._start + n) % POSITIONS for n in (place, self._came))
            yield Request("take", (at | came << 16, count), lambda words, place=place: self._take(place, words))
        if self._came:  # what came last may be forgotten too
            at = (self._start + self._came) % POSITIONS
            yield Request("take", (at | at << 16, 1), lambda _: None)

    def _take(self, place: int, words: tuple[int, ...]) -> None:
        self._waiting -= 1
        self.none_came = not words
        if place <= self._came < place + len(words):
            self.words[place : place + len(words)] = words
            self._progress(place + len(words) - self._came)
            self._came = place + len(words)
        if not self._waiting:
            self._asked = self._came
