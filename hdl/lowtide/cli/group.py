"""Command groups that import a command only when it runs."""

import difflib
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

import click

from lowtide.cli.summaries import RENAMED, SUMMARIES
from lowtide.errors import CommandError

__all__ = ["CommandGroup"]


class CommandGroup(click.Group):
    """A group of commands, its own and commands that installed packages add by entry points.

    A command is imported when it runs, so help needs neither Amaranth nor the packages of the extras. An unknown
    command is refused with the nearest known command, and an earlier name with the present name.

    An entry point names the extra that its command needs. If a package is missing when a command is imported or while
    the command runs, the error names the extra.

    Parameters
    ----------
    path : str
        Name of the group below ``lowtide``; empty for ``lowtide`` itself.
    plugins : str
        Group of entry points.
    own : mapping of str to str, optional
        Module and object of each command that needs no extra.
    """

    def __init__(self, *arguments, path: str = "", plugins: str = "", own: Mapping[str, str] | None = None, **options):
        super().__init__(*arguments, **options)
        self.path, self.plugins = path, plugins
        self._own = {name: EntryPoint(name, where, plugins) for name, where in (own or {}).items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, in the order of the summaries; commands without a summary follow."""
        names = {*super().list_commands(ctx), *self._own, *entry_points(group=self.plugins).names}
        order = [name for name in map(self._name_of, SUMMARIES) if name in names]
        return [*order, *sorted(names.difference(order))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; if a package is missing, return a command that reports the missing package."""
        if command := super().get_command(ctx, cmd_name):
            return command
        if not (entry := self._entry(cmd_name)):
            return None
        try:
            return entry.load()
        except ModuleNotFoundError as error:
            return _unavailable(cmd_name, self._missing(cmd_name, error))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands. Only a command without a summary is imported."""
        rows = []
        for name in self.list_commands(ctx):
            summary = SUMMARIES.get(self._full(name))
            if summary is None and (command := self.get_command(ctx, name)):
                summary = command.get_short_help_str(50)
            rows.append((name, summary or ""))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the group's options; refuse the options of an earlier command that had the group's name."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption:
            if self.path != "study":
                raise
            raise _renamed(ctx, "study with options", "study gradient-rounding") from None

    def invoke(self, ctx: click.Context) -> object:
        """Run a command, which may import a package of its extra only now."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            raise CommandError(self._missing(ctx.invoked_subcommand or "lowtide", error)) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve a name as click does, with another message for an unknown command."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            from lowtide.formats.parameter import value_text  # imports Amaranth

            if not self.path and name in RENAMED:
                raise _renamed(ctx, name, RENAMED[name])
            known = self.list_commands(ctx)
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            nearest = f", did you mean {close[0]}?" if close else ""
            raise click.UsageError(f"no command {value_text(name)}{nearest}; commands: {', '.join(known)}", ctx)
        return super().resolve_command(ctx, args)

    def _full(self, name: str) -> str:
        return f"{self.path} {name}".strip()

    def _name_of(self, full: str) -> str | None:
        """Name in this group of a command with a full name; none if another group has the command."""
        path, _, name = full.rpartition(" ")
        return name if path == self.path else None

    def _entry(self, command: str) -> EntryPoint | None:
        if command in self._own:
            return self._own[command]
        return next(iter(entry_points(group=self.plugins, name=command)), None)

    def _missing(self, command: str, error: ModuleNotFoundError) -> str:
        """One line with the package that a command lacks and the extra that brings the package."""
        if (error.name or "").startswith("lowtide"):
            raise error  # a fault of this package's own
        full = self._full(command)
        if error.name in sys.stdlib_module_names:
            return f"{full} needs Python's module {error.name}, which this system does not have"
        entry = self._entry(command)
        extra = entry.extras[0] if entry and entry.extras else "report"  # of the own commands, only report needs one
        return f"{full} needs {error.name}: pip install 'lowtide[{extra}]'"


def _renamed(ctx: click.Context, old: str, new: str) -> click.UsageError:
    return click.UsageError(f"{old} is now `lowtide {new}`", ctx)


def _unavailable(name: str, reason: str) -> click.Command:
    def refuse(**_: object) -> None:
        raise CommandError(reason)

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, help=reason, callback=refuse, context_settings=anything)
