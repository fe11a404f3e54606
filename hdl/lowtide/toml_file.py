"""TOML files: reads a file and reports every fault in one line."""

import tomllib
from pathlib import Path
from typing import Any

from lowtide.errors import LowtideError
from lowtide.paths import PathError, read_text

__all__ = ["MOST_BYTES", "TomlError", "read_toml"]

MOST_BYTES = 16 * 1024
"""Maximum size of a file in bytes, many times the size of all keys. Python's parser is slow for long dotted keys."""


class TomlError(LowtideError, ValueError):
    """File that cannot be read or is not TOML; the message is one line."""


def read_toml(file: Path) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Raises
    ------
    TomlError
        If the file cannot be read, or is not TOML.
    """
    try:
        text = read_text(file, MOST_BYTES)
    except PathError as error:
        raise TomlError(str(error)) from None
    if text.startswith("\ufeff"):
        raise TomlError(f"{file} is not valid TOML: it starts with a byte-order mark; save it as UTF-8 without one")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TomlError(f"{file} is not valid TOML: {error}") from None
    except RecursionError:
        raise TomlError(f"{file} is not valid TOML: its brackets are nested too deeply") from None
    except ValueError:  # Python's own limit on the digits of an integer
        raise TomlError(f"{file} is not valid TOML: an integer has too many digits") from None
