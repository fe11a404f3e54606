"""A command group that other packages can add to, and that knows what was probably meant."""

import difflib
import sys
from importlib.metadata import EntryPoint, entry_points

import click

from lowtide.errors import CommandError
from lowtide.formats.parameter import value_text

__all__ = ["CommandGroup"]


class CommandGroup(click.Group):
    """A group with the commands of installed packages beside its own.

    A package adds a command by an entry point in ``lowtide.commands``, which is loaded when the command is used.
    So the generator does not import what simulates it. An unknown command is answered with the nearest known one.

    An entry point names the extra that its command needs. Where a package is missing, when a command is loaded or while
    it runs, the error names the extra.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Own commands and those of other packages."""
        return sorted({*super().list_commands(ctx), *entry_points(group="lowtide.commands").names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """An own command, or one of another package, which must be importable."""
        own, entry = super().get_command(ctx, cmd_name), _entry(cmd_name)
        if own or not entry:
            return own
        try:
            return entry.load()
        except ModuleNotFoundError as error:
            return _unavailable(cmd_name, _missing(cmd_name, error))

    def invoke(self, ctx: click.Context) -> object:
        """Run a command, which may import packages of its extra only now."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            raise CommandError(_missing(ctx.invoked_subcommand or "lowtide", error)) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As in click; only the complaint differs."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            known = self.list_commands(ctx)
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            nearest = f", did you mean {close[0]}?" if close else ""
            raise click.UsageError(f"no command {value_text(name)}{nearest}; commands: {', '.join(known)}", ctx)
        return super().resolve_command(ctx, args)


def _entry(command: str) -> EntryPoint | None:
    return next(iter(entry_points(group="lowtide.commands", name=command)), None)


def _missing(command: str, error: ModuleNotFoundError) -> str:
    """One line: which package a command lacks, and which extra has it."""
    if (error.name or "").startswith("lowtide"):
        raise error  # a fault of this package's own
    if error.name in sys.stdlib_module_names:
        return f"{command} needs Python's module {error.name}, which this system does not have"
    entry = _entry(command)
    extra = entry.extras[0] if entry and entry.extras else "report"  # of the own commands, those that synthesize
    return f"{command} needs {error.name}: pip install 'lowtide[{extra}]'"


def _unavailable(name: str, reason: str) -> click.Command:
    """A command that only says why it cannot run."""

    def refuse(**_: object) -> None:
        raise CommandError(reason)

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, help=reason, callback=refuse, context_settings=anything)
