"""The registers of an engine: one table, from which the hardware, its drivers and its page are made."""

from collections.abc import Iterator
from typing import Literal

import attrs
from amaranth.hdl import Shape

from lowtide.engine.counters import COUNTERS
from lowtide.engine.operand import LEAST_BIAS, MOST_BIAS, ROUNDINGS, OperandLayout
from lowtide.formats.parameter import IllegalValue, whole_number
from lowtide.units.conversion.improvement_meter import THRESHOLD

__all__ = ["ALL_ERRORS", "BYTES", "ERRORS", "IDENTITY", "Access", "Register", "errors_text", "register_table"]

Access = Literal["constant", "setting", "action", "status", "flags"]

BYTES = 4
"""Bytes of a register: its address is this times its place in the table."""

IDENTITY = int.from_bytes(b"tide", "big")
"""What the first register reads as."""

ERRORS = ("refused", "a_short", "b_short", "a_long", "b_long")
"""Bits of the register ``errors``, the lowest first."""

ALL_ERRORS = 2 ** len(ERRORS) - 1
"""What clears every error, written to the register ``errors``."""

_OPERAND = {
    "lines": "lines: rows of A, columns of B",
    "length": "elements along K",
    "transposed": "1: the stream brings the first element of every line, then the second; 0: line by line",
    "chunks": "chunks of a magnitude: the precision",
    "rounding": ", ".join(f"{n} {name}" for n, name in enumerate(ROUNDINGS)),
    "seed": "seed of the random words, not 0",
    "bias_auto": "1: the bias is the one that was found last",
    "bias": f"exponent of code 0, from {LEAST_BIAS} to {MOST_BIAS}, in two's complement of 32 bits",
}


@attrs.frozen
class Register:
    """A register.

    Parameters
    ----------
    name : str
    access : str
        - ``constant``: says what the hardware was generated for;
        - ``setting``: keeps what is written;
        - ``action``: does something in the cycle in which it is written, and reads as zero;
        - ``status``: says what is going on;
        - ``flags``: bits that stay high until a one is written to them.
    bits : int
        Bits that it has; the others read as zero.
    meaning : str
    least, most : int
        Legal values of a register that is written, as a signed number where ``least`` is negative.
    """

    name: str
    access: Access
    bits: int
    meaning: str
    least: int = 0
    most: int = attrs.field(default=attrs.Factory(lambda self: 2**self.bits - 1, takes_self=True))

    @property
    def signed(self) -> bool:
        """Whether it holds a number in two's complement."""
        return self.least < 0

    def checked(self, value: object) -> int:
        """A value that is to be written, if the register takes it.

        Raises
        ------
        IllegalValue
            If the register is not written by hosts, or the value is not legal.
        """
        if self.access in ("constant", "status"):
            written = "one that can be written: a setting, start, clear or errors"
            raise IllegalValue("the register", written, self.name)
        return whole_number(self.name, value, range(self.least, self.most + 1))

    def number(self, word: int) -> int:
        """The number that a word of the register stands for."""
        return word - 2**self.bits if self.signed and word >> self.bits - 1 & 1 else word


def errors_text(flags: int) -> str:
    """Names of the errors that the register ``errors`` flags."""
    return ", ".join(name for place, name in enumerate(ERRORS) if flags >> place & 1)


def register_table(
    constants: dict[str, int], a: OperandLayout, b: OperandLayout, counter: int, ratios: dict[str, int]
) -> list[Register]:
    """All registers of an engine, in the order of their addresses.

    Parameters
    ----------
    constants : dict
        What the hardware was generated for, by names.
    a, b : OperandLayout
        Settings of the operands.
    counter : int
        Bits of a counter.
    ratios : dict
        Bits of the sums of a ratio meter, for each side that has one.
    """
    return [
        Register("identity", "constant", 32, "tells an engine from other hardware"),
        *(Register(name, "constant", 32, "as in the configuration") for name in constants),
        *_settings("a", a),
        *_settings("b", b),
        *(
            Register(f"{side}_threshold", "setting", THRESHOLD, "of the ratio of what was loaded last, in 256ths")
            for side in ratios
        ),
        Register("start", "action", 3, "bits 0, 1: load A, load B; bit 2: only find their biases"),
        Register("clear", "action", 1, "bit 0: start all counters again"),
        Register("status", "status", 2, "bit 0: a product can be started; bit 1: none is in the engine"),
        Register("errors", "flags", len(ERRORS), "from bit 0: " + ", ".join(ERRORS)),
        *(register for side, bits in ratios.items() for register in _ratio(side, bits)),
        *(Register(name, "status", counter, meaning) for name, meaning in COUNTERS.items()),
        Register("overflows", "status", counter, "results that were infinite"),
        Register("underflows", "status", counter, "results that were zero though their sums were not"),
    ]


def _settings(side: str, layout: OperandLayout) -> Iterator[Register]:
    for name, field in layout:
        legal, bits = layout.legal[str(name)], Shape.cast(field.shape).width
        yield Register(f"{side}_{name}", "setting", bits, _OPERAND[str(name)], legal[0], legal[-1])


def _ratio(side: str, bits: int) -> Iterator[Register]:
    yield Register(f"{side}_above_threshold", "status", 1, "the ratio of what was loaded last is above the threshold")
    for name, meaning in (("low_sum", "second chunks"), ("high_sum", "first chunks")):
        yield Register(f"{side}_{name}", "status", min(bits, 32), f"sum of its {meaning}, the low 32 bits")
        if bits > 32:
            yield Register(f"{side}_{name}_hi", "status", bits - 32, f"sum of its {meaning}, the bits above")
