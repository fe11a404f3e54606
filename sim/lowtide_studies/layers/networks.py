"""Networks as lists of matrix products, read from ``configs/layers``."""

from pathlib import Path
from typing import Any

import attrs

from lowtide.config import PRESETS, ConfigError, nearest, section_from
from lowtide.formats.parameter import IllegalValue, count, flag, value_text
from lowtide.toml_file import TomlError, read_toml

__all__ = ["Layer", "Network", "known_networks", "load_network"]

FOLDER = PRESETS / "layers"
MOST = 2**20
"""Largest size of a product, and most repetitions of a layer."""


def _size(value: Any, field: Any) -> int:
    if count(field.name, value, 1) > MOST:
        raise IllegalValue(field.name, f"from 1 to {MOST}", value)
    return int(value)


def _text(value: Any, field: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or not value.strip():
        raise IllegalValue(field.name, "a line of text", value)
    return value


SIZE, TEXT = (attrs.Converter(function, takes_field=True) for function in (_size, _text))
FLAG = attrs.Converter(lambda value, field: flag(field.name, value), takes_field=True)


@attrs.frozen(kw_only=True)
class Layer:
    """A product of A (M × K) and B (K × N), repeated.

    Parameters
    ----------
    name : str
        Name of the layer.
    m, k, n : int
        Sizes. A convolution is a product of its im2col matrix and its weights.
    count : int
        Consecutive repetitions: heads, or equal layers.
    weights : bool
        Whether B has weights; otherwise B has activations too.
    transposed : bool
        Whether B lies in memory as K rows of N, so that FP32 numbers arrive transposed. Packed groups lie along K.
    """

    name: str = attrs.field(converter=TEXT)
    m: int = attrs.field(converter=SIZE)
    k: int = attrs.field(converter=SIZE)
    n: int = attrs.field(converter=SIZE)
    count: int = attrs.field(default=1, converter=SIZE)
    weights: bool = attrs.field(default=True, converter=FLAG)
    transposed: bool = attrs.field(default=False, converter=FLAG)

    @property
    def macs(self) -> int:
        """Multiplications of all repetitions."""
        return self.m * self.k * self.n * self.count


@attrs.frozen(kw_only=True)
class Network:
    """A network's products in order.

    Parameters
    ----------
    name : str
        Name of its file.
    title : str
        Name for tables and plots.
    unit : str
        Input of one run: image, batch, file.
    layers : sequence of Layer
        Products, in the order of computation.
    """

    name: str
    title: str = attrs.field(converter=TEXT)
    unit: str = attrs.field(converter=TEXT)
    layers: tuple[Layer, ...]

    @property
    def macs(self) -> int:
        """Multiplications of a run."""
        return sum(layer.macs for layer in self.layers)


def known_networks() -> list[str]:
    """Names of the networks in ``configs/layers``."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_network(source: str) -> Network:
    """Load a network by its name, or from a file whose name ends in ``.toml``.

    Raises
    ------
    ConfigError
        If the network or file does not exist, the file is not TOML, or a key or value is not legal.
    """
    known = known_networks()
    if source not in known and not source.endswith(".toml"):
        raise ConfigError(
            f"no network {value_text(source)}{nearest(source, known)}; networks: {', '.join(known)};"
            " or give a file whose name ends in .toml"
        )
    file = FOLDER / f"{source}.toml" if source in known else Path(source)
    try:
        tables = read_toml(file)
    except TomlError as error:
        raise ConfigError(str(error)) from None
    try:
        return _network(file.stem, tables)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


def _network(name: str, tables: dict[str, Any]) -> Network:
    for key in tables:
        if key not in ("title", "unit", "layer"):
            raise ConfigError(f"unknown key {value_text(key)}; keys: title, unit, [[layer]]")
    layers = tables.get("layer")
    if not isinstance(layers, list) or not layers or not all(isinstance(layer, dict) for layer in layers):
        raise ConfigError("layer must be one or more tables, [[layer]]")
    required = ("name", "m", "k", "n")
    for number, layer in enumerate(layers, 1):
        missing = [key for key in required if key not in layer]
        if missing:
            raise ConfigError(f"layer {number} must have the keys {', '.join(required)}; {missing[0]} is missing")
    found = tuple(section_from(Layer, layer, "layer") for layer in layers)
    try:
        return Network(name=name, title=tables.get("title", name), unit=tables.get("unit", "run"), layers=found)
    except IllegalValue as error:
        raise ConfigError(str(error)) from None
