"""Connection to a device: the device executes each request once, even if the port loses or damages frames."""

import random
import time
from collections.abc import Callable, Iterable, Iterator

from lowtide.interfaces.serial.protocol import CONSTANTS, LEVELS, MAGIC, VERSION, Kind, code_of
from lowtide_boards.driver.errors import NotLowtide
from lowtide_boards.driver.framed_port import SILENCE, FramedPort, Port
from lowtide_boards.driver.request_window import ANSWER, NUMBERS, Request, RequestWindow
from lowtide_model.serial_frames import Frame, frame_bytes

__all__ = ["Connection"]

MINIMUM_WAIT = 2.0
"""Least seconds until `Connection.connect` stops reading a port that delivers bytes but no answer: the bytes may come
from a busy host."""


class Connection:
    """Requests to a device, several of them in flight.

    A device executes requests in the order of their numbers, each once; its answer has the next number that the device
    expects. So the driver sends a lost request again under its number, and knows that the device executed a request
    whose answer was lost.

    Parameters
    ----------
    port : Port
        Serial port.
    timeout : float
        Seconds to wait for an answer, in addition to the transfer time.
    name : str
        Name of the port, for messages.

    Attributes
    ----------
    constants : dict of str to int
        Constants that the device reported: `CONSTANTS`.
    framed_port : FramedPort
        Frames of the port.
    credits : int
        Operand words for which the device's queue has space, less the words in flight.
    resent : int
        Number of frames that the driver sent again.
    resets : int
        Number of connects. Each one resets the device, which then forgets its settings.
    """

    def __init__(self, port: Port, *, timeout: float = 0.5, name: str = "the port"):
        self.port, self.timeout, self.name = port, timeout, name
        self.constants: dict[str, int] = {}
        self.resent = self.resets = 0
        self._synchronized = False  # the last exchange was complete
        self.random = random.Random()
        self.framed_port = FramedPort(port, name)
        self._next = 0
        self.credits = 0

    def connect(self, tries: int = 5) -> None:
        """Connect to the device, which resets itself.

        Raises
        ------
        NotLowtide
            If no lowtide device with this version of the protocol answers.
        PortError
            If the port fails.
        """
        self.framed_port.discard()
        number = self.random.randrange(NUMBERS)
        for _ in range(tries):
            self.framed_port.write(b"~" + frame_bytes(code_of("hello"), number, (VERSION, 0)))
            for frame in self._frames_until(lambda frame: frame.number == number, self.answer_timeout(64)):
                if frame.kind == code_of("hello") | ANSWER and frame.number == number and len(frame.words) > LEVELS:
                    self._start(frame, number)
                    return
        raise NotLowtide(f"no lowtide device at {self.name}: no answer at {self.port.baudrate} baud")

    def _start(self, frame: Frame, number: int) -> None:
        """Check the device's answer to ``hello``, and start to count requests."""
        words = frame.words[LEVELS:]
        magic, version = words[:2]
        if magic != MAGIC:
            raise NotLowtide(f"no lowtide device at {self.name}: expected magic {MAGIC:#010x}, got {magic:#010x}")
        if version != VERSION:
            raise NotLowtide(f"device at {self.name} not supported: expected protocol version {VERSION}, got {version}")
        self.constants = dict(zip(CONSTANTS, words, strict=False))
        self.resets += 1
        self._synchronized = True
        self._next, self.credits = (number + 1) % NUMBERS, frame.words[1] & 0xFFFF

    def request(self, kind: Kind, *words: int) -> tuple[int, ...]:
        """Execute one request, and return the words of its answer."""
        answers: list[tuple[int, ...]] = []
        self.execute([Request(kind, words, answers.append)])
        return answers[0]

    def execute(self, requests: Iterable[Request | None]) -> None:
        """Send requests; returns when the device has executed all of them.

        Parameters
        ----------
        requests : iterable of Request
            The driver takes a request when it can send one. None: the iterable needs another answer first.

        Raises
        ------
        ConnectionLost
            If the device does not answer, or was reset.
        Refused
            If the device refuses a request.
        PortError
            If the port fails.
        """
        self.synchronize()
        try:
            RequestWindow(self, iter(requests)).run()
        except BaseException:  # an interrupt too: requests are in flight, and nobody waits for their answers
            self._synchronized = False
            raise

    def synchronize(self) -> None:
        """Connect again if the last exchange was incomplete.

        Raises
        ------
        NotLowtide, PortError
            As `connect`.
        """
        if not self._synchronized:
            self.connect()

    def next_number(self) -> int:
        """Number of the next request."""
        number, self._next = self._next, (self._next + 1) % NUMBERS
        return number

    def answer_timeout(self, outstanding: int) -> float:
        """Seconds after which an answer is lost while ``outstanding`` bytes are in flight."""
        return self.timeout + 20 * outstanding / self.port.baudrate

    def _frames_until(self, wanted: Callable[[Frame], bool], seconds: float) -> Iterator[Frame]:
        """Frames up to a wanted one, or until no byte arrives for so many seconds."""
        ends = time.monotonic() + max(4 * seconds, MINIMUM_WAIT)
        while time.monotonic() < ends:
            for frame in self.framed_port.read(seconds):
                if frame is SILENCE:
                    return
                yield frame
                if wanted(frame):
                    return
