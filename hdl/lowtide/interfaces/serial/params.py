"""Parameters of a serial engine."""

import attrs

from lowtide.formats.parameter import IllegalValue, parameter

__all__ = ["SerialParams"]


@attrs.frozen(kw_only=True)
class SerialParams:
    """Serial interface: clock, baud rate and queues.

    Parameters
    ----------
    clock : int
        Clock frequency in Hz.
    baud : int
        Baud rate after reset, in bits per second.
    queue : int
        Words per queue, for operands and for results.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or the clock is too slow or too fast for the baud rate.
    """

    clock: int = parameter(25_000_000, range(1_000_000, 1_000_000_001), "clock frequency in Hz")
    baud: int = parameter(115_200, range(1_200, 20_000_001), "baud rate after reset, at most a quarter of the clock")
    queue: int = parameter(1024, (256, 512, 1024, 2048), "words per queue, for operands and for results")

    def __attrs_post_init__(self):
        least, most = max(1_200, -(-self.clock // (2**16 - 1))), min(20_000_000, self.clock // 4)
        if not least <= self.baud <= most:
            legal = f"from {least} to {most} (a bit takes 4 to 65535 cycles of clock = {self.clock})"
            raise IllegalValue("baud", legal, self.baud)

    @property
    def divisor(self) -> int:
        """Clock cycles per bit after reset."""
        return round(self.clock / self.baud)

    @property
    def timeout(self) -> int:
        """Timeout in cycles, one to two seconds: without a valid frame the initial baud rate is restored."""
        return 1 << self.clock.bit_length()
