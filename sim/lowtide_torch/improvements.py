"""Relative improvements of operands, from sums of their low and high chunks."""

from lowtide_model import Improvement
from lowtide_torch.conversion import Converted

__all__ = ["add_sums", "improvement", "total_improvement"]


def add_sums(sums: list[int], *operands: Converted) -> list[int]:
    """Add the sums of chunks of converted operands, low before high, to running sums."""
    found = []
    for one in operands:
        for part in (one.low_sums, one.high_sums):
            found.append(-1 if part is None else int(part.sum()))
    return [-1 if part < 0 else total + part for total, part in zip(sums, found, strict=True)]


def improvement(sums: list[int]) -> Improvement | None:
    """Relative improvement of an operand from its sums of low and high chunks."""
    return None if sums[0] < 0 else Improvement(low_sum=sums[0], high_sum=sums[1])


def total_improvement(found: list[Improvement | None]) -> Improvement | None:
    """Relative improvement of several matrices; None if one of them is unknown."""
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    return Improvement(low_sum=sum(one.low_sum for one in known), high_sum=sum(one.high_sum for one in known))
