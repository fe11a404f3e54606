"""The link to a device: each request is done once, whatever the line does to frames."""

import random
import time
from collections.abc import Callable, Iterable, Iterator

from lowtide.interfaces.serial.protocol import CONSTANTS, LEVELS, MAGIC, VERSION, Kind, code_of
from lowtide_boards.driver.errors import NotLowtide
from lowtide_boards.driver.framed_port import SILENCE, FramedPort, Port
from lowtide_boards.driver.request import Request
from lowtide_boards.driver.request_window import ANSWER, NUMBERS, RequestWindow
from lowtide_model.serial_frames import Frame, frame_bytes

__all__ = ["Connection"]

PRATTLE = 2.0
"""Seconds at least until a line that brings bytes, and no answer, is given up: those of a host, which may be busy."""


class Connection:
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
    beginnings : int
        How often it was connected: what a device was told before, it has forgotten.
    """

    def __init__(self, port: Port, *, patience: float = 0.5, name: str = "the port"):
        self.port, self.patience, self.name = port, patience, name
        self.constants: dict[str, int] = {}
        self.resent = self.beginnings = 0
        self._whole = False  # the last exchange came to its end
        self.random = random.Random()
        self.line = FramedPort(port, name)
        self._next = 0
        self.room = 0

    def connect(self, tries: int = 5) -> None:
        """Begin again: the device is reset.

        Raises
        ------
        NotLowtide
            If nothing answers that is a lowtide of this protocol.
        PortError
            If the port does not work.
        """
        self.line.forget()
        number = self.random.randrange(NUMBERS)
        for _ in range(tries):
            self.line.write(b"~" + frame_bytes(code_of("hello"), number, (VERSION, 0)))
            for frame in self._until(lambda frame: frame.number == number, self.deadline(64)):
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
        self.beginnings += 1
        self._whole = True
        self._next, self.room = (number + 1) % NUMBERS, frame.words[1] & 0xFFFF

    def one(self, kind: Kind, *words: int) -> tuple[int, ...]:
        """Words of the answer to one request."""
        answers: list[tuple[int, ...]] = []
        self.ask([Request(kind, words, answers.append)])
        return answers[0]

    def ask(self, asks: Iterable[Request | None]) -> None:
        """Make requests; returns when all are done.

        Parameters
        ----------
        asks : iterable of Ask
            They are taken from it as they can be sent; None, if it must see an answer first.

        Raises
        ------
        ConnectionLost
            If the device does not answer, or forgot that it is connected.
        Refused
            If it refuses a request.
        PortError
            If the port does not work any more.
        """
        self.mend()
        try:
            RequestWindow(self, iter(asks)).run()
        except BaseException:  # an interrupt too: requests are on their way, and nobody knows of them any more
            self._whole = False
            raise

    def mend(self) -> None:
        """Begin again, if the last exchange did not come to its end.

        Raises
        ------
        NotLowtide, PortError
            As `connect` does.
        """
        if not self._whole:
            self.connect()

    def number(self) -> int:
        """The next number."""
        number, self._next = self._next, (self._next + 1) % NUMBERS
        return number

    def deadline(self, outstanding: int) -> float:
        """Seconds after which an answer is lost, while so many bytes are on their way."""
        return self.patience + 20 * outstanding / self.port.baudrate

    def _until(self, wanted: Callable[[Frame], bool], seconds: float) -> Iterator[Frame]:
        """Frames up to one that is wanted, or until nothing has come for so long."""
        ends = time.monotonic() + max(4 * seconds, PRATTLE)
        while time.monotonic() < ends:
            for frame in self.line.read(seconds):
                if frame is SILENCE:
                    return
                yield frame
                if wanted(frame):
                    return
