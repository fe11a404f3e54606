"""Messages in one line."""

__all__ = ["one_line"]

LONGEST = 2000
"""Most characters of a message."""


def one_line(message: str) -> str:
    """A message in one line that a terminal shows as it is: control characters are escaped, and a long end is cut."""
    words = " ".join(message[: 2 * LONGEST].split())
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
