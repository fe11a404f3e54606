"""Errors of building and loading a bitstream; each message is one line."""

from lowtide.synthesis import SynthesisError

__all__ = ["BoardError"]


class BoardError(SynthesisError):
    """A bitstream cannot be built or loaded."""
