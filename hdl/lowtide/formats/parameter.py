"""Parameters and arguments: values that are converted and checked once, and refused by name in one line."""

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
    "instance",
    "legal_text",
    "parameter",
    "real_number",
    "value_text",
    "whole_number",
]

Kind = TypeVar("Kind")

LONGEST_VALUE = 80
"""Most characters of a value in a message."""


class IllegalValue(LowtideError, ValueError):
    """A parameter got a value that is not legal.

    The message is one line: the key, what is legal, and the value that was given.

    Parameters
    ----------
    key : str
        Name of the parameter, as the user wrote it.
    legal : str
        What would have been accepted, as the end of a sentence: "from 1 to 4".
    value : object
        What was given.
    """

    def __init__(self, key: str, legal: str, value: object):
        super().__init__(f"{key} must be {legal}, not {value_text(value)}")
        self.key, self.legal, self.value = key, legal, value

    def within(self, section: str) -> "IllegalValue":
        """The same complaint about ``section.key``."""
        return IllegalValue(f"{section}.{self.key}", self.legal, self.value)


class Unquoted(str):
    """Text that stands for a value in a message, and is shown without quotes: the name of a type."""

    def __repr__(self):
        return str(self)


def legal_text(legal: Sequence[Any]) -> str:
    """Say a range or a list of values in words."""
    if isinstance(legal, range):
        return f"from {legal[0]} to {legal[-1]}"
    return "one of " + ", ".join(map(str, legal))


def value_text(value: Any) -> str:
    """A value as a message shows it: one line, cut where the value is too long."""
    shown = _Shown()
    shown.maxstring = shown.maxother = LONGEST_VALUE
    shown.maxlong = 2 * LONGEST_VALUE
    return " ".join(shown.repr(value).split())


def whole_number(name: str, value: Any, legal: Sequence[int], because: str = "") -> int:
    """An integer as ``int``, if it is one of ``legal``.

    NumPy's integers are integers. Booleans, floats, strings, arrays and None are not, whatever their value.

    Parameters
    ----------
    name : str
        What the message calls the value.
    value : object
        What was given.
    legal : range or sequence of int
        What is legal.
    because : str
        A reason for the limits, where they would surprise.

    Raises
    ------
    IllegalValue
        If it is no integer, or none of ``legal``.
    """
    if _is_whole(value) and int(value) in legal:
        return int(value)
    raise IllegalValue(name, legal_text(legal) + (because and f" ({because})"), _plain(value))


def count(name: str, value: Any, least: int = 0) -> int:
    """An integer as ``int``, if it is ``least`` or more; otherwise as `whole_number`.

    Raises
    ------
    IllegalValue
        If it is no integer, or less.
    """
    if _is_whole(value) and int(value) >= least:
        return int(value)
    raise IllegalValue(name, f"{least} or more", _plain(value))


def real_number(name: str, value: Any, least: float, most: float) -> float:
    """A number as ``float``, if it is from ``least`` to ``most``: NaN, booleans and strings are not.

    Raises
    ------
    IllegalValue
        If it is no real number, or outside.
    """
    number: Any = value
    if isinstance(value, Real) and not isinstance(value, bool) and least <= number <= most:
        return float(number)
    raise IllegalValue(name, f"from {least:g} to {most:g}", _plain(value))


def flag(name: str, value: Any) -> bool:
    """A boolean, Python's or NumPy's, as ``bool``.

    Raises
    ------
    IllegalValue
        If it is anything else: neither 0 nor 1 is a boolean.
    """
    if isinstance(value, bool) or (str(getattr(value, "dtype", "")) == "bool" and value.shape == ()):
        return bool(value)
    raise IllegalValue(name, legal_text((False, True)), value)


def choice(name: str, value: Any, legal: Sequence[str], because: str = "") -> str:
    """A name as ``str``, if it is one of ``legal``.

    Raises
    ------
    IllegalValue
        If it is no string, or none of them.
    """
    if isinstance(value, str) and value in legal:
        return str(value)
    raise IllegalValue(name, legal_text(legal) + (because and f" ({because})"), value)


def instance(name: str, value: Any, kind: type[Kind], what: str = "") -> Kind:
    """An object of a class.

    Parameters
    ----------
    name, value : str, object
        As of `whole_number`.
    kind : type
        The class.
    what : str
        What the message calls such an object, by default after its class.

    Raises
    ------
    IllegalValue
        If it is of another class.
    """
    if isinstance(value, kind):
        return value
    raise IllegalValue(name, what or f"of type {kind.__name__}", value)


def parameter(default: Any, legal: Sequence[Any], meaning: str, because: str = "") -> Any:
    """An attrs field whose value is one of ``legal``, of the type of ``default``: int, bool or str.

    Values are converted as `whole_number`, `flag` and `choice` do. ``because`` is a reason for the limits, where they
    would surprise. ``legal`` and ``meaning`` stay readable in the field's metadata, from which the command line lists
    them.
    """

    def convert(value: Any, field: attrs.Attribute) -> Any:
        if isinstance(default, bool):
            return flag(field.name, value)
        if isinstance(default, int):
            return whole_number(field.name, value, legal, because)
        return choice(field.name, value, legal, because)

    converter = attrs.Converter(convert, takes_field=True)
    return attrs.field(default=default, converter=converter, metadata={"legal": legal, "meaning": meaning})


class _Shown(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        """Not its digits where they are too many, at any level: Python refuses to write them."""
        return repr(x) if x.bit_length() <= 4 * LONGEST_VALUE else f"an integer of {x.bit_length()} bits"


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    """NumPy's integers as Python's, so that a message shows the number alone."""
    return int(value) if _is_whole(value) else value
