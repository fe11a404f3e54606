"""Random legal configurations and units, drawn from the keys' metadata, which includes new keys automatically."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, TypeVar

import attrs

from lowtide.config import Config, ConfigError
from lowtide.emission.registry import UNITS
from lowtide.formats.parameter import IllegalValue
from lowtide.units.random.taps import TAPS

__all__ = ["draw_config", "draw_engine_config", "draw_parameters", "draw_unit", "try_config", "try_parameters"]

Drawn = TypeVar("Drawn")

TRIES = 10_000
"""Draws before an error: so many illegal draws mean that the rules between keys leave too little."""

WIDE = 32
"""Longest range whose values are drawn with equal probability."""

TERMS = {"array": {"element": "tmac", "operands": "integers", "results": "accumulators"}}

ENGINES = [
    {
        "array": {"element": "fmac", "operands": "packed", "results": "accumulators"},
        "engine": {"column_scale": False},
    },
    {**TERMS, "terms": {"parallel": 1, "values": 1}},
    {**TERMS, "terms": {"parallel": 1, "group": 24}},
    {"array": {"element": "pmac", "operands": "packed", "results": "accumulators"}},
]
"""Keys for which an engine allows only one value, by element; groups of any size, or several values per cycle."""


def draw_config(random: Random, fixed: Mapping[str, Mapping[str, Any]] | None = None) -> Config:
    """A legal configuration.

    Parameters
    ----------
    random : Random
        Source of all random numbers.
    fixed : mapping of mappings, optional
        Keys that are not drawn, by section.
    """
    return _first(lambda: try_config(random, fixed or {}))


def draw_engine_config(
    random: Random,
    fixed: Mapping[str, Mapping[str, Any]] | None = None,
    kind: Mapping[str, Mapping[str, Any]] | None = None,
) -> Config:
    """A legal configuration with an engine, one of `ENGINES`; for parameters, see `draw_config`."""
    kind, fixed = kind or random.choice(ENGINES), fixed or {}
    keys = {name: {**kind.get(name, {}), **fixed.get(name, {})} for name in {*kind, *fixed}}
    return _first(lambda: try_config(random, keys, engine=True))


def draw_unit(random: Random, kind: str | None = None) -> tuple[str, Any]:
    """Name and legal parameters of a unit of the registry: of ``kind``, or of a random unit."""
    name = kind or random.choice(list(UNITS))
    return name, draw_parameters(random, UNITS[name].parameters)


def draw_parameters(random: Random, kind: type, fixed: Mapping[str, Any] | None = None) -> Any:
    """Legal parameters of a class: a section of a configuration, or the parameters of a unit."""
    return _first(lambda: try_parameters(random, kind, fixed or {}))


def try_config(random: Random, fixed: Mapping[str, Mapping[str, Any]], *, engine: bool = False) -> Config | None:
    """One draw of sections, each of them legal; None if their combination is illegal."""
    sections = {
        section.name: draw_parameters(random, section.type, fixed.get(section.name)) for section in attrs.fields(Config)
    }
    try:
        config = Config(**sections)
        if engine:
            config.check_engine()
    except ConfigError:
        return None
    return config


def try_parameters(random: Random, kind: type, fixed: Mapping[str, Any]) -> Any | None:
    """One draw of every key; None if their combination is illegal."""
    values = dict(fixed)
    for key in attrs.fields(kind):
        if key.name not in values:
            values[key.name] = _taps(random) if key.name == "taps" else _value(random, key.metadata["legal"])
    try:
        return kind(**values)
    except IllegalValue:
        return None


def _value(random: Random, legal: Sequence[Any]) -> Any:
    """A legal value; from long ranges mostly a small one, to keep designs small, or the largest; often 0, if legal."""
    if not isinstance(legal, range) or len(legal) <= WIDE:
        return random.choice(legal)
    if legal[0] == 0:
        return 0 if random.random() < 1 / 2 else _value(random, legal[1:])
    if random.random() < 1 / 16:
        return legal[-1]
    return min(round(legal[0] * (legal[-1] / legal[0]) ** (random.random() ** 2)), legal[-1])


def _taps(random: Random) -> str | tuple[int, ...]:
    """Taps, the only key without a list of legal values: the default, or the reciprocal of a known polynomial."""
    bits = random.choice(list(TAPS))
    return random.choice(["default", (bits, *(bits - tap for tap in reversed(TAPS[bits][1:])))])


def _first(draw: Callable[[], Drawn | None]) -> Drawn:
    """The first draw that is legal."""
    for _ in range(TRIES):
        drawn = draw()
        if drawn is not None:
            return drawn
    raise AssertionError(f"{TRIES} consecutive draws were illegal")
