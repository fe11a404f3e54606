"""What a command says when it cannot do what it was asked for."""

from typing import IO, Any

import click

__all__ = ["Failure", "one_line"]

LONGEST = 2000
"""Most characters of a message."""


class Failure(click.ClickException):
    """A complaint in one line, and exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it on stderr, as every command does."""
        click.echo(f"lowtide: {one_line(self.format_message())}", file=file, err=True)


def one_line(message: str) -> str:
    """A message in one line that a terminal shows as it is: control characters are escaped, and a long end is cut."""
    words = " ".join(message[: 2 * LONGEST].split())
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
