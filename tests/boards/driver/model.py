"""Model of the serial bridge: the expected answers to requests that concern settings."""

from lowtide.interfaces.serial.protocol import LEVELS, WORDS, code_of

__all__ = ["BridgeModel"]

DONE, BUSY, ORDER, REFUSED = range(4)


class BridgeModel:
    """Answers like a device.

    Parameters
    ----------
    registers : list of Register
        Registers of the engine.
    queue : int
        Words of a queue.
    constants : tuple of int
        Constants that the device reports.
    """

    def __init__(self, registers, queue, constants):
        self.registers, self.queue, self.constants = registers, queue, constants
        self.expected = 0
        self.values = {}

    def answer(self, frame):
        """Kind, number and words of the answer to a frame; None in place of a register's value that is no setting."""
        name = next((name for name in ("hello", "read", "write") if code_of(name) == frame.kind), None)
        first, second = frame.words if len(frame.words) == 2 else (1 << 32, 0)
        status, content = DONE, ()
        if name != "hello" and frame.number != self.expected:
            status = ORDER
        elif name == "hello" and len(frame.words) == 2:
            self.values.clear()
            content = self.constants
        elif name == "write" and first < len(self.registers):
            self.values[first] = second % 2 ** self.registers[first].bits
        elif name == "read" and 0 < second <= WORDS - LEVELS and first + second <= len(self.registers):
            content = tuple(self.value(place) for place in range(first, first + second))
        else:
            status = REFUSED
        if status == DONE:
            self.expected = (frame.number + 1) % 2**16
        return frame.kind | 0x80, frame.number, (status | self.expected << 16, self.queue, *content)

    def value(self, place):
        register = self.registers[place]
        return self.values.get(place, 0) if register.access == "setting" else None
