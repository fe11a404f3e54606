"""A command group that knows what was probably meant."""

import difflib

import click

__all__ = ["SuggestingGroup"]


class SuggestingGroup(click.Group):
    """A group that answers an unknown command with the nearest known one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As in click; only the complaint differs."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            known = self.list_commands(ctx)
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            nearest = f", did you mean {close[0]}?" if close else ""
            raise click.UsageError(f"no command {name!r}{nearest}; commands: {', '.join(known)}", ctx)
        return super().resolve_command(ctx, args)
