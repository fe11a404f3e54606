"""The one configuration from which hardware, models, benches and reports are derived."""

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import attrs

from lowtide.array.params import ArrayParams, RequantizationParams
from lowtide.engine.params import EngineParams
from lowtide.errors import LowtideError
from lowtide.formats.bfp import Bfp
from lowtide.formats.parameter import IllegalValue, value_text
from lowtide.formats.terms import Terms
from lowtide.interfaces.serial.params import SerialParams
from lowtide.toml_file import TomlError, read_toml
from lowtide.units.stream.downsizer import check_lanes

__all__ = ["Config", "ConfigError", "nearest", "presets", "section_from"]

Section = TypeVar("Section")

# A wheel carries the presets inside the package; a checkout has them at its top.
PRESETS = next(
    folder for folder in (Path(__file__).parent / "configs", Path(__file__).parents[2] / "configs") if folder.is_dir()
)


class ConfigError(LowtideError, ValueError):
    """A configuration that cannot be used; the message is one line."""


@attrs.frozen(kw_only=True)
class Config:
    """A whole configuration.

    Parameters
    ----------
    array : ArrayParams
        Section ``[array]``.
    bfp : Bfp
        Section ``[bfp]``: operands of the element ``fmac``.
    terms : Terms
        Section ``[terms]``: operands of ``tmac``, ``pair_mac`` and, with its width and ``max_k``, ``pmac``.
    requantizer : RequantizationParams
        Section ``[requantizer]``: what makes integers of results, where these are to be integers.
    engine : EngineParams
        Section ``[engine]``: what is around the array of an engine.
    serial : SerialParams
        Section ``[serial]``: the serial line of an engine that has one.

    Raises
    ------
    ConfigError
        If sections do not go together.
    """

    array: ArrayParams = attrs.field(factory=ArrayParams)
    bfp: Bfp = attrs.field(factory=Bfp)
    terms: Terms = attrs.field(factory=Terms)
    requantizer: RequantizationParams = attrs.field(factory=RequantizationParams)
    engine: EngineParams = attrs.field(factory=EngineParams)
    serial: SerialParams = attrs.field(factory=SerialParams)

    def __attrs_post_init__(self):
        for field in attrs.fields(Config):
            if not isinstance(getattr(self, field.name), field.type):
                raise ConfigError(f"{field.name} must be of type {field.type.__name__}")
        if self.array.operands == "integers" and self.terms.parallel != 1:
            raise ConfigError(
                f"terms.parallel must be 1 where array.operands are integers, of which a cycle makes a term,"
                f" not {self.terms.parallel}"
            )
        if self.array.results == "integers":
            try:
                check_lanes("requantizer.lanes", self.requantizer.lanes, self.array.columns, "array.columns")
            except IllegalValue as error:
                raise ConfigError(str(error)) from None

    @classmethod
    def load(cls, source: str = "default") -> Self:
        """The configuration of a preset's name, or of a TOML file.

        Raises
        ------
        ConfigError
            If there is no such preset or file, if it is no TOML, or if a key or a value in it is not legal.
        """
        if source in presets():
            path = PRESETS / f"{source}.toml"
        elif source.endswith(".toml"):
            path = Path(source)
        else:
            raise ConfigError(
                f"no preset {value_text(source)}{nearest(source, presets())}; presets: {', '.join(presets())};"
                " or give a file whose name ends in .toml"
            )
        try:
            tables = read_toml(path)
        except TomlError as error:
            raise ConfigError(str(error)) from None
        try:
            return cls.from_tables(tables)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None

    @classmethod
    def from_tables(cls, tables: Mapping[str, Any]) -> Self:
        """The configuration of a mapping of sections, each a mapping of keys.

        Raises
        ------
        ConfigError
            If a section, a key or a value is not legal.
        """
        kinds = {field.name: field.type for field in attrs.fields(cls)}
        sections = {}
        for name, values in tables.items():
            if name not in kinds:
                raise ConfigError(
                    f"unknown section [{_key_text(name)}]{nearest(name, kinds)}; sections: {', '.join(kinds)}"
                )
            if not isinstance(values, Mapping):
                raise ConfigError(f"{name} must be a section, [{name}], not {value_text(values)}")
            sections[name] = section_from(kinds[name], values, name)
        return cls(**sections)

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """The same configuration with some keys, named ``section.key``, changed.

        Raises
        ------
        ConfigError
            If a key or a value is not legal.
        """
        tables = self.to_tables()
        for name, value in changes.items():
            section, dot, key = name.partition(".")
            if not dot:
                raise ConfigError(f"key {_key_text(name)} must name its section, as in array.rows")
            tables.setdefault(section, {})[key] = value
        return self.from_tables(tables)

    def to_tables(self) -> dict[str, dict[str, Any]]:
        """The configuration as plain tables: what `from_tables` takes."""
        return attrs.asdict(self)


def presets() -> list[str]:
    """Names of the presets."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def section_from(kind: type[Section], values: Mapping[str, Any], name: str = "") -> Section:
    """One section from its keys and values; ``name`` prefixes the keys in error messages."""
    prefix = f"{name}." if name else ""
    keys = [field.name for field in attrs.fields(kind)]
    for key in values:
        if key not in keys:
            raise ConfigError(f"unknown key {prefix}{_key_text(key)}{nearest(key, keys)}; keys: {', '.join(keys)}")
    try:
        return kind(**values)
    except IllegalValue as error:
        raise ConfigError(str(error.within(name) if name else error)) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """A question naming the known word most like ``word``, if there is one."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f", did you mean {close[0]}?" if close else ""


def _key_text(key: str) -> str:
    """A key as a message shows it: bare if it can be written so, otherwise in quotes and cut where it is too long."""
    return key if re.fullmatch(r"[\w.-]{1,80}", key) else value_text(key)
