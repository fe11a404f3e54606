"""Options that commands share, and types of options whose errors name the legal values in one line."""

import os
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import click

from lowtide.formats.parameter import IllegalValue, legal_text, value_text
from lowtide.paths import check_output_file, check_output_folder

__all__ = [
    "InputFolder",
    "Name",
    "Names",
    "Number",
    "OutputFile",
    "OutputFolder",
    "OutputLink",
    "Pairs",
    "Picture",
    "Whole",
    "Wholes",
    "config_argument",
    "integer",
    "json_option",
    "number",
    "output_option",
    "quiet_option",
    "set_option",
    "settings",
]

INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,99})")
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][-+]?[0-9]{1,3})?")


def integer(text: str) -> int | None:
    """The integer that a text is, as TOML writes decimal integers: without a plus, underscores or leading zeros."""
    return int(text) if INTEGER.fullmatch(text) else None


def number(text: str) -> float | None:
    """The number that a text is, as `integer` or with a point or an exponent of ten."""
    return float(text) if NUMBER.fullmatch(text) else None


class Name(click.ParamType):
    """One of several names."""

    name = "NAME"

    def __init__(self, key: str, known: Collection[str]):
        self.key, self.known = key, tuple(known)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.known:
            raise IllegalValue(self.key, legal_text(self.known), value)
        return value


class Names(click.ParamType):
    """Names with commas between them, each of which must be known."""

    name = "NAME,..."

    def __init__(self, key: str, known: Collection[str]):
        self.one = Name(key, known)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.one.convert(name.strip(), param, ctx) for name in value.split(",")))


class Whole(click.ParamType):
    """An integer within limits."""

    name = "N"

    def __init__(self, key: str, legal: range):
        self.key, self.legal = key, legal

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = integer(value) if isinstance(value, str) else value
        if found is None or found not in self.legal:
            raise IllegalValue(self.key, legal_text(self.legal), value if found is None else found)
        return found


class Wholes(click.ParamType):
    """Integers within limits, with commas between them."""

    name = "N,..."

    def __init__(self, key: str, legal: range):
        self.one = Whole(key, legal)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        return tuple(dict.fromkeys(self.one.convert(one, param, ctx) for one in value.split(",")))


class Pairs(click.ParamType):
    """Pairs of integers within limits, such as 4x2, with commas between them."""

    name = "NxN,..."

    def __init__(self, key: str, legal: range):
        self.key, self.legal = key, legal

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[tuple[int, int], ...]:
        return tuple(dict.fromkeys(self._pair(pair) for pair in value.split(",")))

    def _pair(self, value: str) -> tuple[int, int]:
        found = [integer(text) for text in value.split("x")]
        if len(found) != 2 or any(number not in self.legal for number in found):
            raise IllegalValue(self.key, f"pairs of integers {legal_text(self.legal)}, such as 4x2", value)
        return found[0] or 0, found[1] or 0


class Number(click.ParamType):
    """A number above one limit and below another; ``closed`` includes the upper limit, ``both`` includes both."""

    name = "X"

    def __init__(self, key: str, above: float, below: float, *, closed: bool = False, both: bool = False):
        self.key, self.above, self.below, self.closed, self.both = key, above, below, closed, both

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = number(value) if isinstance(value, str) else value
        included = (self.above if self.both else None, self.below if self.closed or self.both else None)
        if found is None or not (self.above < found < self.below or found in included):
            raise IllegalValue(self.key, self._legal(), value if found is None else found)
        return found

    def _legal(self) -> str:
        if self.both:
            return f"from {self.above:g} to {self.below:g}"
        return f"above {self.above:g} and {'at most' if self.closed else 'below'} {self.below:g}"


class OutputFolder(click.ParamType):
    """A folder into which files are written; made if need be, but only once there is something to write."""

    name = "FOLDER"

    def __init__(self, key: str):
        self.key = key

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not os.fspath(value):
            raise IllegalValue(self.key, "the name of a folder", value)
        check_output_folder(Path(value))
        return Path(value)


class OutputFile(click.ParamType):
    """A file that is written; its folder is made if need be."""

    name = "FILE"

    def __init__(self, key: str):
        self.key = key

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        text = os.fspath(value)
        if not text or text.endswith(("/", os.sep)):
            raise IllegalValue(self.key, "the name of a file", value)
        check_output_file(Path(value))
        return Path(value)


class Picture(OutputFile):
    """A file that is written by Matplotlib, of a kind that its ending names."""

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        file = super().convert(value, param, ctx)
        from matplotlib.backend_bases import FigureCanvasBase  # here, so that other options do without

        # PGF is written by a TeX that need not be installed.
        endings = sorted(f".{kind}" for kind in FigureCanvasBase.get_supported_filetypes() if kind != "pgf")
        if file.suffix.lower() not in endings:
            raise IllegalValue(self.key, f"a file whose name ends in {', '.join(endings)}", str(value))
        return file


class OutputLink(OutputFile):
    """A symbolic link that is made; it may replace another, and nothing else."""

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not os.path.islink(value):
            if super().convert(value, param, ctx).exists():
                raise IllegalValue(self.key, "a name that nothing else has", str(value))
        else:
            check_output_folder(Path(value).parent)
        return Path(value)


class InputFolder(click.ParamType):
    """A folder from which files are read."""

    name = "FOLDER"

    def __init__(self, key: str):
        self.key = key

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if not os.fspath(value) or "\0" in os.fspath(value) or (os.path.lexists(value) and not os.path.isdir(value)):
            raise IllegalValue(self.key, "the name of a folder", str(value))
        return Path(value)


def settings(_ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """Keys and values of a repeatable KEY=VALUE option: integers and booleans as in TOML, all else as text."""
    pairs = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{value_text(value)} is not KEY=VALUE")
        found = integer(text)
        pairs[key] = {"true": True, "false": False}.get(text, text) if found is None else found
    return pairs


config_argument = click.argument("config", default="default")
"""CONFIG: a preset or a TOML file."""

set_option = click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", callback=settings, help="Changed parameter. Repeatable."
)
"""--set: parameters of CONFIG that change."""

json_option = click.option("--json", "as_json", is_flag=True, help="JSON on stdout instead of text.")
"""--json: output for programs."""

quiet_option = click.option("--quiet", is_flag=True, help="No progress on stderr.")
"""--quiet: results and errors alone."""


def output_option(folder: str, what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """-o/--output: the folder into which a command writes, as ``output``.

    Parameters
    ----------
    folder : str
        Default folder.
    what : str
        What the folder is for, in the help.
    """
    return click.option(
        "-o", "--output", type=OutputFolder("output"), default=Path(folder), show_default=True, help=what
    )
