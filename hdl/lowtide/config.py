"""Configuration: the source of the hardware, models, benches and reports."""

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
from lowtide.formats.parameter import IllegalValue, legal_text, value_text
from lowtide.formats.terms import Terms
from lowtide.interfaces.serial.params import SerialParams
from lowtide.toml_file import TomlError, read_toml
from lowtide.units.stream.width_converters import check_lanes

__all__ = ["Config", "ConfigError", "nearest", "presets", "section_from"]

Section = TypeVar("Section")

# A wheel has the presets inside the package; a checkout has them in its root folder.
PRESETS = next(
    folder for folder in (Path(__file__).parent / "configs", Path(__file__).parents[2] / "configs") if folder.is_dir()
)


RENAMED = {
    "requantiser": "requantizer",
    "requantizer.counter": "counter_bits",
    "engine.numbers": "input_width",
    "engine.results": "output_width",
    "engine.words": "buffer_depth",
    "engine.turn": "transpose_depth",
    "engine.random": "random_bits",
    "engine.generator": "lfsr_bits",
    "engine.counter": "counter_bits",
}
"""Former names of sections and keys."""

ENGINE_ELEMENTS = ("fmac", "tmac", "pmac")
"""Elements of which an engine can be made: the operands of ``pair_mac`` are terms, which no loader encodes."""


class ConfigError(LowtideError, ValueError):
    """Invalid configuration; the message is one line."""


@attrs.frozen(kw_only=True)
class Config:
    """Configuration of an array and of what surrounds it.

    Parameters
    ----------
    array : ArrayParams
        Section ``[array]``.
    bfp : Bfp
        Section ``[bfp]``: operands of the element ``fmac``.
    terms : Terms
        Section ``[terms]``: operands of ``tmac``, ``pair_mac`` and, with its width and ``max_k``, ``pmac``.
    requantizer : RequantizationParams
        Section ``[requantizer]``: requantizer of an array whose results are integers.
    engine : EngineParams
        Section ``[engine]``: parameters of an engine around its array.
    serial : SerialParams
        Section ``[serial]``: serial interface of an engine behind a UART.

    Raises
    ------
    ConfigError
        If sections conflict.
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
                "terms.parallel must be 1 where array.operands are integers (one term per cycle),"
                f" not {self.terms.parallel}"
            )
        if self.array.results == "integers":
            try:
                check_lanes("requantizer.lanes", self.requantizer.lanes, self.array.columns, "array.columns")
            except IllegalValue as error:
                raise ConfigError(str(error)) from None

    def check_engine(self) -> None:
        """Refuse a configuration from which no engine can be made.

        Raises
        ------
        ConfigError
            If the element or the streams of the array do not suit an engine, or sections conflict in an engine.
        """
        array = self.array
        try:
            if array.element == "fmac":
                self.engine.check(array.rows, array.columns, self.bfp)
            else:
                self._check_integer_engine()
        except IllegalValue as error:
            raise ConfigError(str(error)) from None

    def check_bfp_engine(self) -> None:
        """Refuse a configuration from which no engine of block floating point can be made.

        Raises
        ------
        ConfigError
            If the array's element is not ``fmac``, or `check_engine` refuses the configuration.
        """
        if self.array.element != "fmac":
            raise ConfigError(f"array.element must be fmac for block floating point, not {self.array.element!r}")
        self.check_engine()

    def _check_integer_engine(self) -> None:
        """Refuse an array of integers that an engine cannot feed."""
        array = self.array
        if array.element not in ENGINE_ELEMENTS:
            raise IllegalValue("array.element", f"{legal_text(ENGINE_ELEMENTS)} (for an engine)", array.element)
        operands = "integers" if array.element == "tmac" else "packed"
        if array.operands != operands:
            raise IllegalValue(
                "array.operands", f"{operands} for an engine with array.element = {array.element}", array.operands
            )
        if array.results != "accumulators":
            raise IllegalValue("array.results", "accumulators for an engine", array.results)
        self.engine.check_integers(array.rows, array.columns, array.element, self.terms)

    @property
    def lanes(self) -> int:
        """Elements along K that an engine's array takes per beat: of a group, or integers."""
        by_element = {"fmac": self.bfp.lanes, "tmac": self.terms.values}
        return by_element.get(self.array.element, 1)

    @property
    def max_k(self) -> int:
        """Maximum length of the reduction of an engine's product."""
        return self.bfp.max_k if self.array.element == "fmac" else self.terms.max_k

    @classmethod
    def load(cls, source: str = "default") -> Self:
        """Load a preset, or a TOML file whose name ends in ``.toml``.

        Raises
        ------
        ConfigError
            If the preset or file does not exist, the file is not TOML, or a key or value is not legal.
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
        """Make a configuration from a mapping of sections, each a mapping of keys.

        Raises
        ------
        ConfigError
            If a section, a key or a value is not legal.
        """
        kinds = {field.name: field.type for field in attrs.fields(cls)}
        sections = {}
        for name, values in tables.items():
            if name in RENAMED:
                raise ConfigError(f"section [{name}] was renamed to [{RENAMED[name]}]")
            if name not in kinds:
                raise ConfigError(
                    f"unknown section [{_key_text(name)}]{nearest(name, kinds)}; sections: {', '.join(kinds)}"
                )
            if not isinstance(values, Mapping):
                raise ConfigError(f"{name} must be a section, [{name}], not {value_text(values)}")
            if name == "array" and values.get("operands") == "words":
                raise ConfigError("array.operands = 'words' was renamed to 'packed'")
            sections[name] = section_from(kinds[name], values, name)
        return cls(**sections)

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """Return a copy with some keys, named ``section.key``, changed.

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
        """Return the configuration as plain tables, the argument of `from_tables`."""
        return attrs.asdict(self)


def presets() -> list[str]:
    """Return the names of the presets."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def section_from(kind: type[Section], values: Mapping[str, Any], name: str = "") -> Section:
    """Make a section from its keys and values; ``name`` prefixes the keys in error messages."""
    prefix = f"{name}." if name else ""
    keys = [field.name for field in attrs.fields(kind)]
    for key in values:
        if (old := f"{prefix}{key}") in RENAMED:
            raise ConfigError(f"{old} was renamed to {prefix}{RENAMED[old]}")
        if key not in keys:
            raise ConfigError(f"unknown key {prefix}{_key_text(key)}{nearest(key, keys)}; keys: {', '.join(keys)}")
    try:
        return kind(**values)
    except IllegalValue as error:
        raise ConfigError(str(error.within(name) if name else error)) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a question that names the known word most similar to ``word``, if there is one."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f", did you mean {close[0]}?" if close else ""


def _key_text(key: str) -> str:
    """Return a key for a message: bare if it is a legal TOML key, otherwise quoted and shortened."""
    return key if re.fullmatch(r"[\w.-]{1,80}", key) else value_text(key)
