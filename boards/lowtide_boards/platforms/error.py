"""What can go wrong on the way from a configuration to a board; each message is one line."""

from lowtide.report import ReportError

__all__ = ["BoardError"]


class BoardError(ReportError):
    """There is no bitstream, or it did not get to the board."""
