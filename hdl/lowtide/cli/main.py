"""Entry point: the groups of commands, and errors in one line."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

import click

from lowtide import __version__
from lowtide.cli.group import CommandGroup
from lowtide.cli.summaries import GROUPS, OWN, SUMMARIES
from lowtide.errors import LowtideError

if TYPE_CHECKING:
    from lowtide.config import Config
    from lowtide.synthesis import Design

__all__ = ["lowtide", "main"]

LONGEST = 2000
"""Most characters of a message."""

EXAMPLES = """\b
Examples:
  lowtide emit                        write the Verilog of the default preset
  lowtide report tiny --target ecp5   report area and speed of the preset tiny
  lowtide board build --board ulx3s   build a bitstream
"""

GROUP_EXAMPLES = {
    "device": "\b\nExamples:\n  lowtide device info\n  lowtide device test --port /dev/ttyUSB0\n",
    "board": "\b\nExamples:\n  lowtide board build --board ulx3s\n  lowtide board flash --board ulx3s\n",
    "study": "\b\nExamples:\n  lowtide study rounders\n  lowtide study gradient-rounding --quick\n",
}


@click.group(
    cls=CommandGroup,
    plugins=GROUPS[""],
    own=OWN,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="lowtide", message="%(prog)s %(version)s")
def lowtide() -> None:
    """Generate RTL for low-precision neural-network arithmetic."""


for _name, _examples in GROUP_EXAMPLES.items():
    lowtide.add_command(CommandGroup(_name, path=_name, plugins=GROUPS[_name], help=SUMMARIES[_name], epilog=_examples))


def main(
    arguments: Sequence[str] | None = None,
    units_of: "Callable[[Config], Sequence[Design]] | None" = None,
) -> None:
    """Run the command line; an error that the user can correct is one line on stderr.

    The exit code is 1 for an illegal value, and 2 for an illegal option or command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments without the program's name; by default the arguments of the process.
    units_of : callable, optional
        Gives the units of a configuration for the report; by default `lowtide.synthesis.parts.parts_of`.
    """
    try:
        code = lowtide.main(arguments, prog_name="lowtide", obj=units_of, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.UsageError as error:
        hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        _fail(one_line(error.format_message()).removesuffix(".") + hint, error.exit_code)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code)
    except click.Abort:
        _fail("interrupted")
    except LowtideError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    sys.exit(code or 0)


def _fail(message: str, code: int = 1) -> NoReturn:
    click.echo(f"lowtide: {one_line(message)}", err=True)
    sys.exit(code)


def one_line(message: str) -> str:
    """A message in one line that a terminal shows as it is: control characters are escaped, and a long end is cut."""
    words = " ".join(message[: 2 * LONGEST].split())
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
