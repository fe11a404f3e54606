"""Results that come together."""

import attrs

__all__ = ["Beat"]


@attrs.frozen
class Beat:
    """A payload, and how many of its results are to be counted, of each kind that is."""

    payload: int
    events: tuple[int, ...]
