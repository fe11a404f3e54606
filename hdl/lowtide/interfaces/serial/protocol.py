"""Protocol table of the serial engine: the source of the hardware, its drivers and its documentation."""

from typing import Literal

import attrs

__all__ = [
    "CONSTANTS",
    "ESCAPE",
    "FLAG",
    "FLIP",
    "LEVELS",
    "MAGIC",
    "REQUESTS",
    "STATUSES",
    "VERSION",
    "WORDS",
    "Kind",
    "Request",
    "code_of",
]

VERSION = 1
"""Version of the protocol."""

MAGIC = int.from_bytes(b"tide", "little")
"""First word of the answer to ``hello``."""

FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
"""A flag ends a frame. Byte stuffing sends a flag or escape byte as an escape and the byte with one bit flipped."""

WORDS = 255
"""Maximum number of words of a payload."""

LEVELS = 2
"""Words at the start of every answer: status and next sequence number; free operand words and stored results."""

STATUSES = ("done", "busy", "order", "refused")
"""Status of a request, by its number in an answer."""

Kind = Literal[
    "hello",
    "read",
    "write",
    "load_a",
    "load_b",
    "load_d",
    "last_a",
    "last_b",
    "last_d",
    "read_results",
    "set_baud",
]


@attrs.frozen
class Request:
    """Request of the protocol.

    Parameters
    ----------
    name : str
    code : int
        First byte of its frame; the answer has bit 7 set.
    payload : str
        Words of the request: two, or numbers of an operand.
    answer : str
        Words of its answer after the two that every answer has.
    meaning : str
    """

    name: Kind
    code: int
    payload: str
    answer: str
    meaning: str


CONSTANTS = ("magic", "version", "clock", "divisor", "queue", "digest", "digest_high")
"""Words of the answer to ``hello``."""

REQUESTS = (
    Request(
        "hello",
        0x01,
        "version of the protocol, 0",
        ", ".join(CONSTANTS),
        "resets the engine and empties the queues; the next sequence number is this one plus one",
    ),
    Request("read", 0x02, "first register, count", "the registers", "reads consecutive registers"),
    Request("write", 0x03, "register, value", "", "writes a register"),
    Request("load_a", 0x10, "numbers of A", "", "sends the next numbers of operand A"),
    Request("load_b", 0x11, "numbers of B", "", "sends the next numbers of operand B"),
    Request("last_a", 0x12, "numbers of A", "", "sends the last numbers of operand A"),
    Request("last_b", 0x13, "numbers of B", "", "sends the last numbers of operand B"),
    Request("load_d", 0x14, "addends", "", "sends the next addends; only with post operations"),
    Request("last_d", 0x16, "addends", "", "sends the last addends of a product; only with post operations"),
    Request(
        "read_results",
        0x20,
        "position + (received << 16), count",
        "results from the position on, as many as are available",
        "reads results; discards results before position `received`",
    ),
    Request("set_baud", 0x30, "clock cycles per bit, 0", "", "sets the baud rate after the answer"),
)


def code_of(name: str) -> int:
    """Return the code of a request."""
    return next(request.code for request in REQUESTS if request.name == name)
