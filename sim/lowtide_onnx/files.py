"""Files of NumPy arrays: inputs and labels of networks."""

import zipfile
import zlib
from typing import Any

import numpy as np

from lowtide.errors import CommandError

__all__ = ["read_array", "read_inputs"]


def read_inputs(file: str) -> dict[str, Any]:
    """Arrays of a ``.npz`` file.

    Raises
    ------
    CommandError
        If the file cannot be read, or is another file.
    """
    found = _read(file, "no .npz file of numbers")
    if not isinstance(found, dict):
        raise CommandError(f"cannot read {file}: it is no .npz file, which has an array per input")
    return found


def read_array(file: str) -> np.ndarray:
    """Array of a ``.npy`` file.

    Raises
    ------
    CommandError
        If the file cannot be read, or is another file.
    """
    found = _read(file, "no .npy file of numbers")
    if isinstance(found, dict):
        raise CommandError(f"cannot read {file}: it is no .npy file, which has one array")
    return found


def _read(file: str, other: str) -> np.ndarray | dict[str, Any]:
    """An array, or the arrays of a ``.npz`` file."""
    try:
        found = np.load(file, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return found
        with found:
            return dict(found)
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror or error}") from None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        raise CommandError(f"cannot read {file}: it is {other}") from None
