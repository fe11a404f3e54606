"""The units that can be emitted, listed and reported one by one."""

from collections.abc import Callable
from typing import Any

import attrs

from lowtide.config import ConfigError, nearest, section_from
from lowtide.formats.bfp import Bfp
from lowtide.hierarchy import Unit
from lowtide.units.fmac import Fmac

__all__ = ["UNITS", "UnitKind", "describe", "unit_of"]


@attrs.frozen
class UnitKind:
    """A kind of unit: its class, and the class of its parameters."""

    make: Callable[[Any], Unit]
    parameters: type

    @property
    def meaning(self) -> str:
        """The first line of the class' docstring."""
        return (self.make.__doc__ or "").splitlines()[0]


UNITS = {
    "fmac": UnitKind(Fmac, Bfp),
}


def unit_of(name: str, settings: dict[str, Any]) -> Unit:
    """One unit, with the parameters given and the defaults of the others.

    Raises
    ------
    ConfigError
        If there is no such unit, or a parameter is not legal.
    """
    if name not in UNITS:
        raise ConfigError(f"no unit {name!r}{nearest(name, UNITS)}; units: {', '.join(UNITS)}")
    kind = UNITS[name]
    return kind.make(section_from(kind.parameters, settings))


def describe(section: type) -> list[dict[str, Any]]:
    """Keys of a section of parameters, with their defaults, legal values and meanings."""
    rows = []
    for field in attrs.fields(section):
        legal = field.metadata["legal"]
        rows.append(
            {
                "key": field.name,
                "default": field.default,
                "legal": {"from": legal[0], "to": legal[-1]} if isinstance(legal, range) else list(legal),
                "meaning": field.metadata["meaning"],
            }
        )
    return rows
