"""Parameters and arguments: conversion and checks with one-line errors that name the parameter."""

import reprlib
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, TypeVar

import attrs

from lowtide.errors import LowtideError

__all__ = [
    "IllegalValue",
    "Unquoted",
    "choice",
    "count",
    "flag",
    "host_parameters",
    "instance",
    "legal_text",
    "parameter",
    "real_number",
    "value_text",
    "whole_number",
]

Kind = TypeVar("Kind")

LONGEST_VALUE = 80
"""Maximum number of characters of a value in a message."""


class IllegalValue(LowtideError, ValueError):
    """Illegal value of a parameter.

    The message is one line with the key, the legal values, and the actual value.

    Parameters
    ----------
    key : str
        Name of the parameter, as the user wrote it.
    legal : str
        Legal values as the end of a sentence: "from 1 to 4".
    value : object
        Actual value.
    """

    def __init__(self, key: str, legal: str, value: object):
        super().__init__(f"{key} must be {legal}, not {value_text(value)}")
        self.key, self.legal, self.value = key, legal, value

    def within(self, section: str) -> "IllegalValue":
        """Return the same error for ``section.key``."""
        return IllegalValue(f"{section}.{self.key}", self.legal, self.value)


class Unquoted(str):
    """Text that a message shows without quotes: the name of a type."""

    def __repr__(self):
        return str(self)


def legal_text(legal: Sequence[Any]) -> str:
    """Describe a range or a list of values in words."""
    if isinstance(legal, range):
        return f"from {legal[0]} to {legal[-1]}"
    return "one of " + ", ".join(map(str, legal))


def value_text(value: Any) -> str:
    """Return a value for a message: one line, shortened if too long."""
    shown = _Shown()
    shown.maxstring = shown.maxother = LONGEST_VALUE
    shown.maxlong = 2 * LONGEST_VALUE
    return " ".join(shown.repr(value).split())


def whole_number(name: str, value: Any, legal: Sequence[int], because: str = "") -> int:
    """Return an integer as ``int``, if it is one of ``legal``.

    NumPy's integers are integers. Booleans, floats, strings, arrays and None are not, whatever their value.

    Parameters
    ----------
    name : str
        Name of the value in the message.
    value : object
        Value.
    legal : range or sequence of int
        Legal values.
    because : str
        Reason for the limits, if they are surprising.

    Raises
    ------
    IllegalValue
        If the value is not an integer, or not one of ``legal``.
    """
    if _is_whole(value) and int(value) in legal:
        return int(value)
    raise IllegalValue(name, legal_text(legal) + (because and f" ({because})"), _plain(value))


def count(name: str, value: Any, least: int = 0) -> int:
    """Return an integer as ``int``, if it is at least ``least``; `whole_number` defines integers.

    Raises
    ------
    IllegalValue
        If the value is not an integer, or less.
    """
    if _is_whole(value) and int(value) >= least:
        return int(value)
    raise IllegalValue(name, f"{least} or more", _plain(value))


def real_number(name: str, value: Any, least: float, most: float) -> float:
    """Return a number as ``float``, if it is from ``least`` to ``most``; NaN, booleans and strings are refused.

    Raises
    ------
    IllegalValue
        If the value is not a real number, or out of range.
    """
    number: Any = value
    if isinstance(value, Real) and not isinstance(value, bool) and least <= number <= most:
        return float(number)
    raise IllegalValue(name, f"from {least:g} to {most:g}", _plain(value))


def flag(name: str, value: Any) -> bool:
    """Return a boolean of Python or NumPy as ``bool``.

    Raises
    ------
    IllegalValue
        If the value is anything else, 0 and 1 included.
    """
    if isinstance(value, bool) or (str(getattr(value, "dtype", "")) == "bool" and value.shape == ()):
        return bool(value)
    raise IllegalValue(name, legal_text((False, True)), value)


def choice(name: str, value: Any, legal: Sequence[str], because: str = "") -> str:
    """Return a name as ``str``, if it is one of ``legal``.

    Raises
    ------
    IllegalValue
        If the value is not a string, or not one of ``legal``.
    """
    if isinstance(value, str) and value in legal:
        return str(value)
    raise IllegalValue(name, legal_text(legal) + (because and f" ({because})"), value)


def instance(name: str, value: Any, kind: type[Kind], what: str = "") -> Kind:
    """Return an object if it is of a class.

    Parameters
    ----------
    name : str
        Name of the value in the message.
    value : object
        Value.
    kind : type
        The class.
    what : str
        Description of a legal object in the message; by default, from its class.

    Raises
    ------
    IllegalValue
        If the object is of another class.
    """
    if isinstance(value, kind):
        return value
    raise IllegalValue(name, what or f"of type {kind.__name__}", value)


def parameter(
    default: Any,
    legal: Sequence[Any],
    meaning: str,
    because: str = "",
    *,
    internal: bool = False,
    feature: str | None = None,
) -> Any:
    """Return an attrs field whose value is one of ``legal``, of the type of ``default``: int, bool or str.

    `whole_number`, `flag` and `choice` convert the values. ``because`` is a reason for the limits, if they are
    surprising. ``internal`` marks a parameter that changes neither results nor what a host sends: `host_parameters`
    omits it. ``feature`` names the parameter of the section that enables a feature to which this one belongs: while
    that parameter is 0, `host_parameters` omits this one. ``legal``, ``meaning``, ``internal`` and ``feature`` are
    stored in the field's metadata; the command line lists the first two.
    """

    def convert(value: Any, field: attrs.Attribute) -> Any:
        if isinstance(default, bool):
            return flag(field.name, value)
        if isinstance(default, int):
            return whole_number(field.name, value, legal, because)
        return choice(field.name, value, legal, because)

    converter = attrs.Converter(convert, takes_field=True)
    return attrs.field(
        default=default,
        converter=converter,
        metadata={"legal": legal, "meaning": meaning, "internal": internal, "feature": feature},
    )


def host_parameters(section: Any) -> dict[str, Any]:
    """Return the parameters of a section that matter to a host, by name."""
    return {
        field.name: getattr(section, field.name)
        for field in attrs.fields(type(section))
        if not field.metadata["internal"]
        and (field.metadata["feature"] is None or getattr(section, field.metadata["feature"]))
    }


class _Shown(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        """Return the width instead of the digits of a long integer, whose digits Python refuses to write."""
        return repr(x) if x.bit_length() <= 4 * LONGEST_VALUE else f"an integer of {x.bit_length()} bits"


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    """Convert NumPy's integers to Python's, so that a message shows the number alone."""
    return int(value) if _is_whole(value) else value
