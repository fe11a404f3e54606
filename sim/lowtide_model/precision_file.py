"""Precision file: the bits of each layer of a network, in TOML."""

from pathlib import Path

from lowtide.errors import LowtideError
from lowtide.formats.parameter import value_text
from lowtide.toml_file import read_toml

__all__ = ["PrecisionFileError", "read_precision"]

HOST = "fp32"


class PrecisionFileError(LowtideError, ValueError):
    """File that has no precision of layers; the message is one line."""


def read_precision(file: str | Path) -> dict[str, tuple[int, int] | None]:
    """Read the magnitude bits of A and of B of each layer, by names or patterns.

    The file has one table::

        [precision]
        conv1 = 4
        "block.*" = [4, 2]
        head = "fp32"

    Returns
    -------
    dict of str to (int, int) or None
        Bits of A, the activations, and of B, the weights; None for a layer on the host in FP32.

    Raises
    ------
    TomlError
        If the file cannot be read, or is not TOML.
    PrecisionFileError
        If the file has other contents.
    """
    tables = read_toml(Path(file))
    layers = tables.pop("precision", None)
    if tables or not isinstance(layers, dict):
        extra = f", and not {value_text(min(tables))}" if tables else ""
        raise PrecisionFileError(f"{file} must have the table [precision]{extra}")
    return {name: _bits(file, name, value) for name, value in layers.items()}


def _bits(file: str | Path, name: str, value: object) -> tuple[int, int] | None:
    """The bits of a value of the table."""
    if value == HOST:
        return None
    sides = value if isinstance(value, list) else [value, value]
    if len(sides) != 2 or not all(type(bits) is int and 1 <= bits <= 64 for bits in sides):
        legal = "a number of bits, [bits of A, bits of B] or 'fp32'"
        raise PrecisionFileError(f"{file}: precision.{name} must be {legal}, not {value_text(value)}")
    return sides[0], sides[1]
