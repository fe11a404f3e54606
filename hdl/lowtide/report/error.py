"""What a report says when it cannot be made."""

__all__ = ["ReportError"]


class ReportError(RuntimeError):
    """A figure that could not be taken; the message is one line."""
