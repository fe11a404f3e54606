"""Options of the studies that train networks: networks, data and the length of training."""

from collections.abc import Callable, Collection
from typing import Any

import click

from lowtide.cli.options import Names, Number, Whole
from lowtide_studies.harness.options import typed_option

__all__ = [
    "batch_option",
    "epochs_option",
    "images_option",
    "networks_option",
    "rate_option",
    "samples_option",
    "text_option",
    "width_option",
]

BY_NETWORK = "  [default: by network]"

text_option = click.option(
    "--text", metavar="NAME|FILE", default="kjv", show_default=True, help="Text: kjv, or a file of UTF-8 text."
)
epochs_option = typed_option(Whole("epochs", range(1, 100001)), None, f"Epochs.{BY_NETWORK}")
samples_option = typed_option(Whole("samples", range(1, 10**9 + 1)), None, f"Most samples of an epoch.{BY_NETWORK}")
width_option = typed_option(Whole("width", range(4, 4097, 4)), None, f"Channels or features.{BY_NETWORK}")
batch_option = typed_option(Whole("batch", range(2, 65537)), None, f"Samples of a step.{BY_NETWORK}")
rate_option = typed_option(Number("rate", 0, 100), None, f"Learning rate at the start.{BY_NETWORK}")


def networks_option(networks: Collection[str], default: str) -> Callable[[Any], Any]:
    """``--network``: some of ``networks``, separated by commas."""
    return click.option(
        "--network",
        "networks",
        type=Names("network", tuple(networks)),
        default=default,
        show_default=True,
        help=f"Networks: of {', '.join(networks)}.",
    )


def images_option(default: str | None, *, shown: str | bool = True) -> Callable[[Any], Any]:
    """``--images``: a set of images or a folder. ``shown`` is the default in the help."""
    return click.option(
        "--images",
        metavar="NAME|FOLDER",
        default=default,
        show_default=shown,
        help="Images: glyphs, digits, or a folder with train/CLASS, val/CLASS and test/CLASS.",
    )
