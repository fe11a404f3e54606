"""Options of commands on ONNX networks."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from lowtide.cli.options import integer
from lowtide.formats.parameter import IllegalValue

if TYPE_CHECKING:
    from lowtide_onnx.operand import Bits

__all__ = ["precision_options"]


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
