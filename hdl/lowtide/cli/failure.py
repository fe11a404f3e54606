"""What a command says when it cannot do what it was asked for."""

from typing import IO, Any

import click

__all__ = ["Failure"]


class Failure(click.ClickException):
    """A complaint in one line, and exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it on stderr, as every command does."""
        click.echo(f"lowtide: {' '.join(self.format_message().split())}", file=file, err=True)
