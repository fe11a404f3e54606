"""Requests, and the window of requests in flight: flow control, and retransmission of lost requests."""

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

import attrs
import numpy as np

from lowtide.interfaces.serial.protocol import LEVELS, STATUSES, Kind, code_of
from lowtide_boards.driver.errors import ConnectionLost, Refused
from lowtide_boards.driver.framed_port import SILENCE, FramedPort
from lowtide_model.serial_frames import Frame, frame_bytes

__all__ = ["ANSWER", "NUMBERS", "Request", "RequestWindow", "WindowedConnection"]


@attrs.frozen(eq=False)
class Request:
    """A request, and a callback for its answer.

    Parameters
    ----------
    kind : str
        Kind of the frame.
    words : sequence of int
        Payload.
    answer : callable, optional
        Called with the words of the answer, without the levels. Without a callback the answer may be lost.
    """

    kind: Kind
    words: "tuple[int, ...] | np.ndarray"
    answer: Callable[[tuple[int, ...]], object] | None = None

    @property
    def loads(self) -> bool:
        """Whether the request has words of an operand."""
        return self.kind.startswith(("load", "last"))

    def __str__(self) -> str:
        return f"{self.kind} of {len(self.words)} words" if self.loads else f"{self.kind} {tuple(self.words)}"


DONE, BUSY, ORDER, REFUSED = range(len(STATUSES))

NUMBERS = 1 << 16
ANSWER = 0x80
ATTEMPTS = 12
"""Attempts without an answer after which the connection is lost."""

OPERAND_TIMEOUT = 10.0
"""Seconds without space for operand data after which the connection is lost: an engine accepts an operand as fast as
the port delivers it."""


class WindowedConnection(Protocol):
    """Part of `Connection` that the window uses."""

    name: str
    framed_port: FramedPort
    constants: dict[str, int]
    credits: int
    resent: int

    def next_number(self) -> int:
        """Number of the next request."""
        ...

    def answer_timeout(self, outstanding: int) -> float:
        """Seconds after which an answer is lost while ``outstanding`` bytes are in flight."""
        ...


@attrs.define(eq=False)
class _Numbered:
    """A request with its number, which a retransmission does not change."""

    request: Request
    number: int
    frame: bytes
    answered: bool = False


class RequestWindow:
    """Requests in flight.

    Parameters
    ----------
    connection : WindowedConnection
    requests : iterator of Request
        As for `Connection.execute`.
    """

    def __init__(self, connection: WindowedConnection, requests: Iterator[Request | None]):
        self.connection, self._requests = connection, requests
        self._pending: deque[_Numbered] = deque()  # numbered and not known to be executed, in order
        self._in_flight = 0  # the first so many of them were sent
        self._unanswered: deque[Request] = deque()  # executed, but the answer was lost and has a callback
        self._exhausted = False  # no more requests
        self._paused = False  # send nothing until every request in flight is answered or timed out
        self._failures = 0
        self._last_progress = time.monotonic()  # when the device last executed a request

    def run(self) -> None:
        """Send requests until the device has executed all of them."""
        while True:
            self._send()
            if not self._pending:
                if self._exhausted and not self._unanswered:
                    return
                if not self._in_flight:
                    raise RuntimeError("requests wait for an answer, and no request is in flight")
            for frame in self.connection.framed_port.read(self.connection.answer_timeout(self._outstanding)):
                if frame is SILENCE:
                    self._rewind(failed=True)
                else:
                    self._accept(frame)
            if self._paused and all(sent.answered for sent in self._sent):
                self._rewind(failed=False)

    @property
    def _sent(self) -> Iterator[_Numbered]:
        """Requests in flight."""
        return itertools.islice(self._pending, self._in_flight)

    @property
    def _outstanding(self) -> int:
        return sum(len(sent.frame) for sent in self._sent)

    def _send(self) -> None:
        while not self._paused:
            if self._in_flight == len(self._pending) and not self._add_request():
                return
            sent = self._pending[self._in_flight]
            if self._in_flight and not self._fits(sent):
                return
            self.connection.framed_port.write(sent.frame)
            sent.answered = False
            self._in_flight += 1
            if sent.request.loads:
                self.connection.credits -= len(sent.request.words)

    def _fits(self, sent: _Numbered) -> bool:
        """Whether the device has space for a request behind the requests in flight."""
        if sent.request.loads and len(sent.request.words) > self.connection.credits:
            return False
        # While the device sends a long answer, requests wait in its queue of bytes.
        answers = any(other.request.kind in ("read", "read_results") for other in self._sent)
        return not answers or self._outstanding + len(sent.frame) <= 4 * self.connection.constants["queue"]

    def _add_request(self) -> bool:
        """Number the next request; returns whether there is one."""
        request = self._unanswered.popleft() if self._unanswered else next(self._requests, _END)
        if request is _END:
            self._exhausted = True
        if request is None or request is _END:
            return False
        number = self.connection.next_number()
        self._pending.append(_Numbered(request, number, frame_bytes(code_of(request.kind), number, request.words)))
        return True

    def _accept(self, frame: Frame) -> None:
        """Process an answer. An answer that matches no request in flight is late, and is ignored."""
        sent = list(self._sent)
        if not sent or len(frame.words) < LEVELS:
            return
        place = (frame.number - sent[0].number) % NUMBERS
        if place >= len(sent) or frame.kind != code_of(sent[place].request.kind) | ANSWER:
            return
        status, expected = frame.words[0] & 0xFFFF, frame.words[0] >> 16
        done = (expected - sent[0].number) % NUMBERS
        if status == REFUSED:
            raise Refused(f"device at {self.connection.name} refused a request: {sent[place].request}")
        if status == DONE:
            if done <= place:
                return
            self._failures, self._last_progress = 0, time.monotonic()
            self._retire(place)
            first = self._pending.popleft()
            self._in_flight -= 1
            if first.request.answer:
                first.request.answer(frame.words[LEVELS:])
            self.connection.credits = frame.words[1] & 0xFFFF
            self.connection.credits -= sum(len(later.request.words) for later in self._sent if later.request.loads)
            return
        self._paused = True
        for earlier in sent[: place + 1]:  # the device executes in order: an earlier request without an answer was lost
            earlier.answered = True
        if 0 < done <= len(sent):
            self._failures = 0
            self._retire(done)

    def _retire(self, count: int) -> None:
        """Remove the first requests, which the device executed, but whose answers were lost."""
        for _ in range(count):
            first = self._pending.popleft()
            self._in_flight -= 1
            if first.request.answer:
                self._unanswered.append(first.request)

    def _rewind(self, *, failed: bool) -> None:
        """Send all pending requests again."""
        self._failures += failed
        if self._failures >= ATTEMPTS:
            raise ConnectionLost(f"device at {self.connection.name} lost: no answer after {ATTEMPTS} attempts")
        if not failed and time.monotonic() - self._last_progress > OPERAND_TIMEOUT:
            raise ConnectionLost(
                f"device at {self.connection.name} lost: no operand data accepted for {OPERAND_TIMEOUT:g} s"
            )
        self._paused = False
        self.connection.resent += self._in_flight
        self.connection.credits = self.connection.constants["queue"]
        self._in_flight = 0


_END = Request("hello", ())
"""Marks the end of the requests."""
