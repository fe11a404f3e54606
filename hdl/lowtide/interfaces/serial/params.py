"""What a serial bridge is generated for."""

import attrs

from lowtide.formats.parameter import IllegalValue, parameter

__all__ = ["SerialParams"]


@attrs.frozen(kw_only=True)
class SerialParams:
    """A serial line, and what waits at its end.

    Parameters
    ----------
    clock : int
        Of the hardware, in Hz.
    baud : int
        Bits a second after reset.
    queue : int
        Words that wait on their way into the engine, and on their way out.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or the clock is too slow or too fast for the rate.
    """

    clock: int = parameter(25_000_000, range(1_000_000, 1_000_000_001), "clock of the hardware, in Hz")
    baud: int = parameter(115_200, range(1_200, 20_000_001), "bits a second after reset, a fourth of the clock at most")
    queue: int = parameter(1024, (256, 512, 1024, 2048), "words that wait on their way into the engine, or out")

    def __attrs_post_init__(self):
        least, most = max(1_200, -(-self.clock // (2**16 - 1))), min(20_000_000, self.clock // 4)
        if not least <= self.baud <= most:
            legal = f"from {least} to {most} (a bit takes 4 to 65535 cycles of clock = {self.clock})"
            raise IllegalValue("baud", legal, self.baud)

    @property
    def divisor(self) -> int:
        """Clocks of a bit after reset."""
        return round(self.clock / self.baud)

    @property
    def patience(self) -> int:
        """Cycles without a good frame after which another rate than the first is given up: a second or two."""
        return 1 << self.clock.bit_length()
