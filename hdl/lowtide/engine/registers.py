"""Register table of an engine: the source of the hardware, its drivers and its documentation."""

from collections.abc import Iterator
from typing import Literal

import attrs
from amaranth.hdl import Shape

from lowtide.array.terms.settings import Settings
from lowtide.engine.counters import counters_of
from lowtide.engine.integer_layout import IntegerLayout
from lowtide.engine.operand import LEAST_BIAS, MOST_BIAS, ROUNDINGS, OperandLayout
from lowtide.engine.result_layout import ResultLayout
from lowtide.formats.parameter import IllegalValue, whole_number
from lowtide.units.conversion.improvement_meter import THRESHOLD

__all__ = [
    "ALL_ERRORS",
    "BYTES",
    "ERRORS",
    "IDENTITIES",
    "Access",
    "Register",
    "errors_of",
    "errors_text",
    "register_table",
]

Access = Literal["constant", "setting", "action", "status", "flags"]

BYTES = 4
"""Bytes per register: a register's address is its number in the table times this."""

IDENTITIES = {
    element: int.from_bytes(text, "big") for element, text in (("fmac", b"tide"), ("tmac", b"tmac"), ("pmac", b"pmac"))
}
"""Value of the first register, by the element of the engine's array."""

ERRORS = ("refused", "a_short", "b_short", "a_long", "b_long")
"""Bits of the register ``errors``, lowest first."""

ADDEND_ERRORS = ("d_short", "d_long")
"""Further bits of the register ``errors`` of an engine with the stream of addends."""

ALL_ERRORS = 2 ** len(ERRORS + ADDEND_ERRORS) - 1
"""Value that clears every error when written to the register ``errors``."""

_OPERAND = {
    "vectors": "number of vectors: rows of A, columns of B",
    "length": "elements per vector, along K",
    "transposed": "1: transposed, element 0 of every vector, then element 1; 0: in order, vector by vector",
    "chunks": "chunks per magnitude: the precision",
    "rounding": ", ".join(f"{n} {name}" for n, name in enumerate(ROUNDINGS)),
    "seed": "seed of the random words, not 0",
    "bias_auto": "1: use the bias found last",
    "bias": f"exponent of code 0, from {LEAST_BIAS} to {MOST_BIAS}, in 32-bit two's complement",
    "packed": "1: packed groups, in order and with a given bias; 0: FP32 numbers",
    "slot": "slot of the buffer into which the operand is loaded, or in which it stays",
}

_INTEGERS = {
    "vectors": _OPERAND["vectors"],
    "length": "integers per vector, along K",
    "bias": f"exponent of the scale, from {LEAST_BIAS} to {MOST_BIAS}, in 32-bit two's complement",
    "slot": _OPERAND["slot"],
}

_TERMS = {
    "reveal": "1: term revealing; 0: every term is kept",
    "group": "weights per group, a multiple of values",
    "budget": "terms kept per group of weights",
    "data_terms": "terms kept per value of the data",
}

_RESULTS = {
    "scale": "1: add an offset and multiply by a scale, per column",
    "add_bias": "1: add a number per column",
    "relu": "bit 0: ReLU before the residual is added; bit 1: ReLU at the end",
    "residual": "1: add a matrix of the size of the product",
    "packed": "1: packed groups along N; 0: FP32 numbers",
    "chunks": "chunks of A per magnitude of packed results",
    "rounding": _OPERAND["rounding"],
    "seed": _OPERAND["seed"],
    "bias": _OPERAND["bias"],
}

_INTEGER_RESULTS = _RESULTS | {
    "packed": "1: packed integers along N; 0: FP32 numbers",
    "bias": _INTEGERS["bias"],
}

_ONLY_RELU = {"relu": "1: packed integers below zero become 0"}


@attrs.frozen
class Register:
    """Register of an engine.

    Parameters
    ----------
    name : str
    access : str
        - ``constant``: a parameter of the hardware;
        - ``setting``: stores the value written last;
        - ``action``: triggers an action when written, and reads as zero;
        - ``status``: reports the current state;
        - ``flags``: bits that stay high until a one is written to them.
    bits : int
        Width in bits; higher bits read as zero.
    meaning : str
    least, most : int
        Legal values of a writable register, as a signed number if ``least`` is negative.
    """

    name: str
    access: Access
    bits: int
    meaning: str
    least: int = 0
    most: int = attrs.field(default=attrs.Factory(lambda self: 2**self.bits - 1, takes_self=True))

    @property
    def signed(self) -> bool:
        """Whether the register holds a number in two's complement."""
        return self.least < 0

    def checked(self, value: object) -> int:
        """Return a value to write, if the register accepts it.

        Raises
        ------
        IllegalValue
            If the register is read-only, or the value is not legal.
        """
        if self.access in ("constant", "status"):
            written = "writable: a setting, start, clear or errors"
            raise IllegalValue("the register", written, self.name)
        return whole_number(self.name, value, range(self.least, self.most + 1))

    def number(self, word: int) -> int:
        """Return the number that a word of the register represents."""
        return word - 2**self.bits if self.signed and word >> self.bits - 1 & 1 else word


def errors_text(flags: int) -> str:
    """Return the names of the errors that the register ``errors`` flags."""
    return ", ".join(name for place, name in enumerate(ERRORS + ADDEND_ERRORS) if flags >> place & 1)


def errors_of(c: ResultLayout | None) -> tuple[str, ...]:
    """Return the bits of the register ``errors`` of an engine with these settings of results, lowest first."""
    return ERRORS + (ADDEND_ERRORS if c and not c.legal.keys().isdisjoint(("residual", "scale")) else ())


def register_table(
    constants: dict[str, int],
    a: OperandLayout | IntegerLayout,
    b: OperandLayout | IntegerLayout,
    counter: int,
    sum_bits: dict[str, int],
    sums: bool,
    c: ResultLayout | None,
    terms: Settings | None = None,
) -> list[Register]:
    """Return all registers of an engine, in the order of their addresses.

    Parameters
    ----------
    constants : dict
        Parameters of the hardware, by name.
    a, b : OperandLayout or IntegerLayout
        Settings of the operands.
    counter : int
        Width of a counter in bits.
    sum_bits : dict
        Width of the sums of an improvement meter in bits, by operand, for each operand with a meter.
    sums : bool
        Whether the engine has sums on chip.
    c : ResultLayout, optional
        Settings of the results.
    terms : Settings, optional
        Settings of term revealing.
    """
    converts = isinstance(a, OperandLayout)
    errors, counters = errors_of(c), counters_of(converts, c is not None and "packed" in c.legal)
    results = _RESULTS if converts else _INTEGER_RESULTS
    if c and "residual" not in c.legal:
        results = results | _ONLY_RELU
    start = "bits 0, 1: load A, load B; bit 2: " + ("only find the biases" if converts else "refused")
    if sums:
        start += "; bit 3: add the sums on chip; bit 4: keep the sums on chip"
    return [
        Register("identity", "constant", 32, "identifies the engine"),
        *(Register(name, "constant", 32, "value of the configuration key") for name in constants),
        *_settings("a", a, _OPERAND if converts else _INTEGERS),
        *_settings("b", b, _OPERAND if converts else _INTEGERS),
        *(_settings("c", c, results) if c else ()),
        *(_settings("terms", terms, _TERMS) if terms else ()),
        *(
            Register(f"{side}_threshold", "setting", THRESHOLD, "threshold of the improvement, in units of 1/256")
            for side in sum_bits
        ),
        Register("start", "action", 5 if sums else 3, start),
        Register("clear", "action", 1, "bit 0: clear all counters"),
        Register("status", "status", 2, "bit 0: ready for a product; bit 1: idle, no product in the engine"),
        Register("errors", "flags", len(errors), "from bit 0: " + ", ".join(errors)),
        *(register for side, bits in sum_bits.items() for register in _meter(side, bits)),
        *(Register(name, "status", counter, meaning) for name, meaning in counters.items()),
        Register("overflows", "status", counter, "infinite results"),
        Register("underflows", "status", counter, "zero results whose sums were not zero"),
    ]


def _settings(
    side: str, layout: OperandLayout | IntegerLayout | ResultLayout | Settings, meanings: dict[str, str]
) -> Iterator[Register]:
    for name, field in layout:
        legal, bits = layout.legal[str(name)], Shape.cast(field.shape).width
        yield Register(f"{side}_{name}", "setting", bits, meanings[str(name)], legal[0], legal[-1])


def _meter(side: str, bits: int) -> Iterator[Register]:
    yield Register(
        f"{side}_above_threshold",
        "status",
        1,
        "1: the relative improvement of the operand loaded last is above the threshold",
    )
    for name, meaning in (("low_sum", "second chunks"), ("high_sum", "first chunks")):
        yield Register(f"{side}_{name}", "status", min(bits, 32), f"sum of the {meaning} loaded last, low 32 bits")
        if bits > 32:
            yield Register(
                f"{side}_{name}_hi",
                "status",
                bits - 32,
                f"sum of the {meaning} loaded last, bits 32 and up",
            )
