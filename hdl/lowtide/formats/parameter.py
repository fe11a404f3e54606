"""Parameters: frozen attrs fields that know their meaning and their legal values."""

from collections.abc import Sequence
from typing import Any

import attrs

__all__ = ["IllegalValue", "legal_text", "parameter"]


class IllegalValue(ValueError):
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
        super().__init__(f"{key} must be {legal}, not {value!r}")
        self.key, self.legal, self.value = key, legal, value

    def within(self, section: str) -> "IllegalValue":
        """The same complaint about ``section.key``."""
        return IllegalValue(f"{section}.{self.key}", self.legal, self.value)


def legal_text(legal: Sequence[Any]) -> str:
    """Say a range or a list of values in words."""
    if isinstance(legal, range):
        return f"from {legal[0]} to {legal[-1]}"
    return "one of " + ", ".join(map(str, legal))


def parameter(default: Any, legal: Sequence[Any], meaning: str, because: str = "") -> Any:
    """An attrs field whose value is one of ``legal``, of the same type as ``default``.

    ``because`` is a reason for the limits, where they would surprise. ``legal`` and ``meaning`` stay readable in
    the field's metadata, from which the command line lists them.
    """

    def check(_instance: Any, attribute: attrs.Attribute, value: Any) -> None:
        if type(value) is not type(default) or value not in legal:
            raise IllegalValue(attribute.name, legal_text(legal) + (because and f" ({because})"), value)

    return attrs.field(default=default, validator=check, metadata={"legal": legal, "meaning": meaning})
