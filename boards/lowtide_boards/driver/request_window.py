"""An exchange: requests that are on their way, and those that are sent again."""

import itertools
import time
from collections import deque
from collections.abc import Iterator
from typing import Protocol

import attrs

from lowtide.interfaces.serial.protocol import LEVELS, STATUSES, code_of
from lowtide_boards.driver.errors import ConnectionLost, Refused
from lowtide_boards.driver.framed_port import SILENCE, FramedPort
from lowtide_boards.driver.request import Request
from lowtide_model.serial_frames import Frame, frame_bytes

__all__ = ["ANSWER", "NUMBERS", "Numbered", "RequestWindow"]

DONE, BUSY, ORDER, REFUSED = range(len(STATUSES))

NUMBERS = 1 << 16
ANSWER = 0x80
TRIES = 12
"""How often a request is sent before the link counts as lost."""

STUCK = 10.0
"""Seconds for which a device may have no place for an operand: an engine takes one as fast as it can come."""


class Numbered(Protocol):
    """The link of an exchange."""

    name: str
    line: FramedPort
    constants: dict[str, int]
    room: int
    resent: int

    def number(self) -> int:
        """The next number."""
        ...

    def deadline(self, outstanding: int) -> float:
        """Seconds after which an answer is lost, while so many bytes are on their way."""
        ...


@attrs.define(eq=False)
class _Sent:
    """A request that has its number, which it keeps."""

    ask: Request
    number: int
    frame: bytes
    answered: bool = False


class RequestWindow:
    """Requests that are on their way."""

    def __init__(self, link: Numbered, asks: Iterator[Request | None]):
        self.link, self._asks = link, asks
        self._due: deque[_Sent] = deque()  # numbered and not known to be done, in order
        self._sent = 0  # of them, on their way
        self._again: deque[Request] = deque()  # done, their answers lost, and wanted
        self._over = False  # no more asks
        self._trouble = False  # nothing is sent until all that is on its way is answered, or is silent
        self._failures = 0
        self._progress = time.monotonic()  # when something was done last

    def run(self) -> None:
        """Make all of them."""
        while True:
            self._send()
            if not self._due:
                if self._over and not self._again:
                    return
                if not self._sent:
                    raise RuntimeError("requests wait for an answer, and none is on its way")
            for frame in self.link.line.read(self.link.deadline(self._outstanding)):
                if frame is SILENCE:
                    self._rewind(failed=True)
                else:
                    self._take(frame)
            if self._trouble and all(sent.answered for sent in itertools.islice(self._due, self._sent)):
                self._rewind(failed=False)

    @property
    def _outstanding(self) -> int:
        return sum(len(sent.frame) for sent in itertools.islice(self._due, self._sent))

    def _send(self) -> None:
        while not self._trouble:
            if self._sent == len(self._due) and not self._number_one():
                return
            sent = self._due[self._sent]
            if self._sent and not self._fits(sent):
                return
            self.link.line.write(sent.frame)
            sent.answered = False
            self._sent += 1
            if sent.ask.loads:
                self.link.room -= len(sent.ask.words)

    def _fits(self, sent: _Sent) -> bool:
        """Whether the device has a place for it, behind what is on its way."""
        if sent.ask.loads and len(sent.ask.words) > self.link.room:
            return False
        # While it sends a long answer, what comes waits in its queue of bytes.
        answers = any(other.ask.kind in ("read", "take") for other in itertools.islice(self._due, self._sent))
        return not answers or self._outstanding + len(sent.frame) <= 4 * self.link.constants["queue"]

    def _number_one(self) -> bool:
        """Whether there is another request to send."""
        ask = self._again.popleft() if self._again else next(self._asks, _OVER)
        if ask is _OVER:
            self._over = True
        if ask is None or ask is _OVER:
            return False
        number = self.link.number()
        self._due.append(_Sent(ask, number, frame_bytes(code_of(ask.kind), number, ask.words)))
        return True

    def _take(self, frame: Frame) -> None:
        """An answer. One that fits to nothing on its way is late, and no news."""
        sent = list(itertools.islice(self._due, self._sent))
        if not sent or len(frame.words) < LEVELS:
            return
        place = (frame.number - sent[0].number) % NUMBERS
        if place >= len(sent) or frame.kind != code_of(sent[place].ask.kind) | ANSWER:
            return
        status, expected = frame.words[0] & 0xFFFF, frame.words[0] >> 16
        done = (expected - sent[0].number) % NUMBERS
        if status == REFUSED:
            raise Refused(f"the device refused {sent[place].ask}")
        if status == DONE:
            if done <= place:
                return
            self._failures, self._progress = 0, time.monotonic()
            self._finish(place)
            one = self._due.popleft()
            self._sent -= 1
            if one.ask.answer:
                one.ask.answer(frame.words[LEVELS:])
            self.link.room = frame.words[1] & 0xFFFF
            self.link.room -= sum(
                len(later.ask.words) for later in itertools.islice(self._due, self._sent) if later.ask.loads
            )
            return
        self._trouble = True
        for earlier in sent[: place + 1]:  # requests are done in order: what is silent up to here was lost
            earlier.answered = True
        if 0 < done <= len(sent):
            self._failures = 0
            self._finish(done)

    def _finish(self, count: int) -> None:
        """So many are done, and their answers lost."""
        for _ in range(count):
            one = self._due.popleft()
            self._sent -= 1
            if one.ask.answer:
                self._again.append(one.ask)

    def _rewind(self, *, failed: bool) -> None:
        """Send again what is not known to be done."""
        self._failures += failed
        if self._failures > TRIES:
            raise ConnectionLost(f"the device at {self.link.name} does not answer any more")
        if not failed and time.monotonic() - self._progress > STUCK:
            raise ConnectionLost(f"the device at {self.link.name} takes no more of an operand")
        self._trouble = False
        self.link.resent += self._sent
        self.link.room = self.link.constants["queue"]
        self._sent = 0


_OVER = Request("hello", ())
"""Stands for the end of requests."""
