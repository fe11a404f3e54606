"""The link to a device: each request is done once, whatever the line does to frames."""

import itertools
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import attrs
import numpy as np

from lowtide.soc.serial.protocol import CONSTANTS, LEVELS, MAGIC, REQUESTS, STATUSES, VERSION, Kind, code_of
from lowtide_boards.errors import LinkLost, NotLowtide, PortError, Refused
from lowtide_sim.serial.frames import Frame, Frames, frame_bytes

__all__ = ["Ask", "Link", "Port"]

DONE, BUSY, ORDER, REFUSED = range(len(STATUSES))

NUMBERS = 1 << 16
ANSWER = 0x80
TRIES = 12
"""How often a request is sent before the link counts as lost."""


class Port(Protocol):
    """What a link needs of a serial port: part of ``serial.Serial``."""

    @property
    def baudrate(self) -> int: ...
    @baudrate.setter
    def baudrate(self, baud: int, /) -> None: ...
    @property
    def timeout(self) -> float | None: ...
    @timeout.setter
    def timeout(self, seconds: float | None, /) -> None: ...
    def write(self, data: bytes, /) -> int | None: ...
    def read(self, size: int = 1, /) -> bytes: ...
    @property
    def in_waiting(self) -> int: ...
    def reset_input_buffer(self) -> None: ...
    def close(self) -> None: ...


@attrs.frozen(eq=False)
class Ask:
    """A request, and what is done with its answer.

    Parameters
    ----------
    kind : str
    words : sequence of int
        Its payload.
    answer : callable, optional
        Called with the words of its answer, without the levels. Without, the answer may be lost.
    """

    kind: Kind
    words: "tuple[int, ...] | np.ndarray"
    answer: Callable[[tuple[int, ...]], object] | None = None


@attrs.define(eq=False)
class _Sent:
    """A request that has its number, which it keeps."""

    ask: Ask
    number: int
    frame: bytes
    answered: bool = False


class Link:
    """Requests to a device, several of them on their way at a time.

    A device does requests in the order of their numbers, each once; its answer says which number is due next. So what
    was lost is sent again, under its number, and what was done but whose answer was lost is known to be done.

    Parameters
    ----------
    port : Port
        The line.
    patience : float
        Seconds to wait for an answer, beside the time that bytes take.
    name : str
        Of the port, for messages.

    Attributes
    ----------
    constants : dict of str to int
        What the device said of itself: `CONSTANTS`.
    resent : int
        Frames that were sent more than once.
    """

    def __init__(self, port: Port, *, patience: float = 0.5, name: str = "the port"):
        self.port, self.patience, self.name = port, patience, name
        self.constants: dict[str, int] = {}
        self.resent = 0
        self.random = random.Random()
        self.frames = Frames()
        self._next = 0
        self._room = 0

    def connect(self, tries: int = 5) -> None:
        """Begin again: the device is reset.

        Raises
        ------
        NotLowtide
            If nothing answers that is a lowtide of this protocol.
        PortError
            If the port does not work.
        """
        self._forget()
        number = self.random.randrange(NUMBERS)
        for _ in range(tries):
            self._write(b"~" + frame_bytes(code_of("hello"), number, (VERSION, 0)))
            for frame in self._until(lambda frame: frame.number == number, self._deadline(64)):
                if frame.kind == code_of("hello") | ANSWER and frame.number == number and len(frame.words) > LEVELS:
                    self._greet(frame, number)
                    return
        raise NotLowtide(f"nothing at {self.name} answers as a lowtide does, at {self.port.baudrate} baud")

    def _greet(self, frame: Frame, number: int) -> None:
        words = frame.words[LEVELS:]
        magic, version = words[:2]
        if magic != MAGIC:
            raise NotLowtide(f"what is at {self.name} is no lowtide: it says {magic:#010x}, not {MAGIC:#010x}")
        if version != VERSION:
            raise NotLowtide(f"the device at {self.name} speaks version {version} of the protocol, not {VERSION}")
        self.constants = dict(zip(CONSTANTS, words, strict=False))
        self._next, self._room = (number + 1) % NUMBERS, frame.words[1] & 0xFFFF

    def one(self, kind: Kind, *words: int) -> tuple[int, ...]:
        """Words of the answer to one request."""
        answers: list[tuple[int, ...]] = []
        self.ask([Ask(kind, words, answers.append)])
        return answers[0]

    def ask(self, asks: Iterable[Ask | None]) -> None:
        """Make requests; returns when all are done.

        Parameters
        ----------
        asks : iterable of Ask
            They are taken from it as they can be sent; None, if it must see an answer first.

        Raises
        ------
        LinkLost
            If the device does not answer, or forgot that it is connected.
        Refused
            If it refuses a request.
        PortError
            If the port does not work any more.
        """
        _Exchange(self, iter(asks)).run()

    def number(self) -> int:
        """The next number."""
        number, self._next = self._next, (self._next + 1) % NUMBERS
        return number

    def _deadline(self, outstanding: int) -> float:
        return self.patience + 20 * outstanding / self.port.baudrate

    def _forget(self) -> None:
        try:
            self.port.reset_input_buffer()
        except OSError as error:
            raise PortError(f"{self.name} does not work any more: {error}") from None
        self.frames.forget()

    def _write(self, data: bytes) -> None:
        try:
            self.port.write(data)
        except OSError as error:
            raise PortError(f"{self.name} does not work any more: {error}") from None

    def _read(self, seconds: float) -> list[Frame]:
        """Frames that come; waits so long for the first byte."""
        try:
            self.port.timeout = seconds
            data = self.port.read(max(1, self.port.in_waiting))
        except OSError as error:
            raise PortError(f"{self.name} does not work any more: {error}") from None
        return list(self.frames.add(data)) if data else [_SILENCE]

    def _until(self, wanted: Callable[[Frame], bool], seconds: float) -> Iterator[Frame]:
        """Frames up to one that is wanted, or until nothing has come for so long."""
        ends = time.monotonic() + 4 * seconds
        while time.monotonic() < ends:
            for frame in self._read(seconds):
                if frame is _SILENCE:
                    return
                yield frame
                if wanted(frame):
                    return


_SILENCE = Frame(0, 0, ())
"""Stands for a time in which no byte came."""


class _Exchange:
    """Requests that are on their way."""

    def __init__(self, link: Link, asks: Iterator[Ask | None]):
        self.link, self._asks = link, asks
        self._due: deque[_Sent] = deque()  # numbered and not known to be done, in order
        self._sent = 0  # of them, on their way
        self._again: deque[Ask] = deque()  # done, their answers lost, and wanted
        self._over = False  # no more asks
        self._trouble = False  # nothing is sent until all that is on its way is answered, or is silent
        self._failures = 0

    def run(self) -> None:
        while True:
            self._send()
            if not self._due:
                if self._over and not self._again:
                    return
                if not self._sent:
                    raise RuntimeError("requests wait for an answer, and none is on its way")
            for frame in self.link._read(self.link._deadline(self._outstanding)):
                if frame is _SILENCE:
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
            self.link._write(sent.frame)
            sent.answered = False
            self._sent += 1
            if sent.ask.kind.startswith(("load", "last")):
                self.link._room -= len(sent.ask.words)

    def _fits(self, sent: _Sent) -> bool:
        """Whether the device has a place for it, behind what is on its way."""
        if sent.ask.kind.startswith(("load", "last")) and len(sent.ask.words) > self.link._room:
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
            self.link.connect()
            raise Refused(f"the device refused {_text(sent[place].ask)}")
        if status == DONE:
            if done <= place:
                return
            self._failures = 0
            self._finish(place)
            one = self._due.popleft()
            self._sent -= 1
            if one.ask.answer:
                one.ask.answer(frame.words[LEVELS:])
            self.link._room = frame.words[1] & 0xFFFF
            self.link._room -= sum(
                len(later.ask.words)
                for later in itertools.islice(self._due, self._sent)
                if later.ask.kind.startswith(("load", "last"))
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
            raise LinkLost(f"the device at {self.link.name} does not answer any more")
        self._trouble = False
        self.link.resent += self._sent
        self.link._room = self.link.constants["queue"]
        self._sent = 0


_OVER = Ask("hello", ())


def _text(ask: Ask) -> str:
    kind = next(request for request in REQUESTS if request.name == ask.kind)
    return f"{kind.name} of {len(ask.words)} words" if len(ask.words) != 2 else f"{kind.name} {tuple(ask.words)}"
