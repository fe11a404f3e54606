"""What a search says when it cannot be made."""

from lowtide.cli.failure import Failure

__all__ = ["ExploreError"]


class ExploreError(Failure):
    """A search cannot be made; the message is one line."""
