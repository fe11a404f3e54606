"""How the array's recursive parts are cut in two."""

__all__ = ["halves"]


def halves(count: int) -> tuple[int, int]:
    """``count`` in two parts, the first the largest power of two below it.

    So parts recur: for any number of rows there are at most twice as many distinct parts as it has bits.
    """
    first = 1 << (count - 1).bit_length() - 1
    return first, count - first
