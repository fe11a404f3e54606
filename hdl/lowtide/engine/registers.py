"""The registers of an engine: one table, from which the hardware, its drivers and its page are made."""

from collections.abc import Iterator
from typing import Literal

import attrs
from amaranth.hdl import Shape

from lowtide.engine.counters import COUNTERS
from lowtide.engine.operand import ROUNDINGS, OperandLayout
from lowtide.units.conversion.ratio_meter import THRESHOLD

__all__ = ["BYTES", "ERRORS", "IDENTITY", "Access", "Register", "register_table"]

Access = Literal["constant", "setting", "action", "status", "flags"]

BYTES = 4
"""Bytes of a register: its address is this times its place in the table."""

IDENTITY = int.from_bytes(b"tide", "big")
"""What the first register reads as."""

ERRORS = ("refused", "short_a", "short_b", "long_a", "long_b")
"""Bits of the register ``errors``, the lowest first."""

_OPERAND = {
    "lines": "lines: rows of A, columns of B",
    "length": "elements along K",
    "across": "1: the stream brings the first element of every line, then the second; 0: line by line",
    "chunks": "chunks of a magnitude: the precision",
    "rounding": ", ".join(f"{n} {name}" for n, name in enumerate(ROUNDINGS)),
    "seed": "seed of the random words, not 0",
    "found": "1: the bias is the one that was found last",
    "bias": "exponent of code 0, in two's complement",
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
    """

    name: str
    access: Access
    bits: int
    meaning: str


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
        yield Register(f"{side}_{name}", "setting", Shape.cast(field.shape).width, _OPERAND[str(name)])


def _ratio(side: str, bits: int) -> Iterator[Register]:
    yield Register(f"{side}_above", "status", 1, "the ratio of what was loaded last is above the threshold")
    for name, meaning in (("rest", "second chunks"), ("kept", "first chunks")):
        yield Register(f"{side}_{name}", "status", min(bits, 32), f"sum of its {meaning}, the low 32 bits")
        if bits > 32:
            yield Register(f"{side}_{name}_high", "status", bits - 32, f"sum of its {meaning}, the bits above")
