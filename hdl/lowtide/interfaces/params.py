"""Parameters of a register space on a bus."""

import attrs
from amaranth.hdl import Shape

from lowtide.formats.parameter import parameter

__all__ = ["RegisterSpace"]


@attrs.frozen(kw_only=True)
class RegisterSpace:
    """Register space: consecutive 32-bit registers on a bus.

    Parameters
    ----------
    registers : int
        Number of registers.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    registers: int = parameter(56, range(2, 1025), "registers of 32 bits")

    @property
    def place_bits(self) -> int:
        """Width of a register number in bits."""
        return Shape.cast(range(self.registers)).width
