"""Options of commands on ONNX networks: precision, and files of inputs."""

import zipfile
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from lowtide.cli.options import integer
from lowtide.errors import CommandError
from lowtide.formats.parameter import IllegalValue

if TYPE_CHECKING:
    from lowtide_onnx.operand import Bits

__all__ = ["precision_options", "read_inputs"]


def _precision(_ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> "dict[str, int | str | Bits]":
    """Precision of each name or pattern: BITS, BITSxBITS or fp32, with NAME= before it or for all layers."""
    found: dict[str, int | str | Bits] = {}
    for value in values:
        name, equals, text = value.rpartition("=")
        bits = [integer(part) for part in text.split("x")]
        if (equals and not name) or (text != "fp32" and (len(bits) > 2 or None in bits)):
            raise IllegalValue("precision", "a number of bits such as 4, 4x2 or fp32, or NAME=4", value)
        sides = [one or 0 for one in bits]
        found[name or "*"] = text if text == "fp32" else sides[0] if len(sides) == 1 else (sides[0], sides[1])
    return found


def precision_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--precision`` and ``--precision-file`` to a command."""
    for option in (
        click.option(
            "--precision-file", metavar="FILE", help="TOML file with bits of layers; --precision has priority."
        ),
        click.option(
            "--precision",
            multiple=True,
            metavar="[NAME=]BITS",
            callback=_precision,
            help="Magnitude bits: 4, 4x2 for A and B, or fp32 for the host; of all layers, or of a name or pattern."
            " Repeatable.  [default: bfp.mantissa]",
        ),
    ):
        command = option(command)
    return command


def read_inputs(file: str) -> dict[str, Any]:
    """Arrays of a .npz file.

    Raises
    ------
    CommandError
        If the file cannot be read.
    """
    try:
        arrays = np.load(file, allow_pickle=False)
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise CommandError(f"cannot read {file}: it is no .npz file, which has an array per input")
        with arrays:
            return dict(arrays)
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror or error}") from None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        raise CommandError(f"cannot read {file}: it is no .npz file of numbers") from None
