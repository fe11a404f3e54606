"""Networks as lists of matrix products, read from ``configs/layers``."""

from pathlib import Path
from typing import Any

import attrs

from lowtide.config import PRESETS, ConfigError, nearest, section_from
from lowtide.formats.parameter import IllegalValue, value_text
from lowtide.toml_file import TomlError, read_toml
from lowtide_model.layer_cost import TEXT, Layer

__all__ = ["Network", "known_networks", "load_network"]

FOLDER = PRESETS / "layers"


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
