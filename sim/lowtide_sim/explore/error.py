"""What a search says when it cannot be made."""

from typing import IO, Any

import click

__all__ = ["ExploreError"]


class ExploreError(click.ClickException):
    """A complaint in one line, and exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it on stderr, as every command does."""
        click.echo(f"lowtide: {' '.join(self.format_message().split())}", file=file, err=True)
