"""How many registers are on a bus."""

import attrs
from amaranth.hdl import Shape

from lowtide.formats.parameter import parameter

__all__ = ["RegisterSpace"]


@attrs.frozen(kw_only=True)
class RegisterSpace:
    """Registers of 32 bits that a bus reaches, without a gap between them.

    Parameters
    ----------
    registers : int
        How many there are.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    registers: int = parameter(56, range(2, 1025), "registers of 32 bits")

    @property
    def place_bits(self) -> int:
        """Bits that count registers."""
        return Shape.cast(range(self.registers)).width
