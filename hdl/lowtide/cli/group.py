"""A command group that other packages can add to, and that knows what was probably meant."""

import difflib
from importlib.metadata import entry_points

import click

from lowtide.formats.parameter import value_text

__all__ = ["CommandGroup"]


class CommandGroup(click.Group):
    """A group with the commands of installed packages beside its own.

    A package adds a command by an entry point in ``lowtide.commands``, which is loaded when the command is used.
    So the generator does not import what simulates it. An unknown command is answered with the nearest known one.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Own commands and those of other packages."""
        return sorted({*super().list_commands(ctx), *entry_points(group="lowtide.commands").names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """An own command, or one of another package, which must be importable."""
        own = super().get_command(ctx, cmd_name)
        found = entry_points(group="lowtide.commands", name=cmd_name)
        if own or not found:
            return own
        try:
            return next(iter(found)).load()
        except ModuleNotFoundError as error:
            return _unavailable(cmd_name, f"{cmd_name} needs {error.name}: pip install 'lowtide[sim]'")

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


def _unavailable(name: str, reason: str) -> click.Command:
    """A command that only says why it cannot run."""

    def refuse(**_: object) -> None:
        raise click.ClickException(reason)

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, help=reason, callback=refuse, context_settings=anything)
