"""Entry point: the group of commands, and errors in one line."""

import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

import click

from lowtide import __version__
from lowtide.cli.emit import emit
from lowtide.cli.group import CommandGroup
from lowtide.cli.list import list_
from lowtide.cli.one_line import one_line
from lowtide.cli.report import report
from lowtide.config import Config
from lowtide.errors import LowtideError
from lowtide.synthesis import Design
from lowtide.synthesis.parts import parts_of

__all__ = ["lowtide", "main"]

EXAMPLES = """\b
Examples:
  lowtide emit                        Verilog of the default preset, into build/verilog
  lowtide report                      area and speed of every unit of the default preset
  lowtide report tiny --target ecp5   of a preset or a .toml file, for one FPGA family
"""


@click.group(cls=CommandGroup, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lowtide", message="%(prog)s %(version)s")
def lowtide() -> None:
    """Generate synthesizable RTL for low-precision neural-network arithmetic."""


for command in (emit, list_, report):
    lowtide.add_command(command)


def main(arguments: Sequence[str] | None = None, units_of: Callable[[Config], Sequence[Design]] = parts_of) -> None:
    """Run the command line; an error that the user can mend is one line on stderr.

    The exit code is 1 for an illegal value, and 2 for an illegal option or command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; by default those of the process.
    units_of : callable
        The units of a configuration, for the report.
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
