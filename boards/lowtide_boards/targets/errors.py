"""What can go wrong on the way from a configuration to a board; each message is one line."""

from lowtide.synthesis import SynthesisError

__all__ = ["BoardError"]


class BoardError(SynthesisError):
    """There is no bitstream, or it did not get to the board."""
