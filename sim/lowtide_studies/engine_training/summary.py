"""Totals over the steps of a run."""

from collections.abc import Sequence

from lowtide_studies.engine_training.schedule import HIGH
from lowtide_studies.engine_training.tensor_use import KINDS
from lowtide_studies.engine_training.trainer import Step

__all__ = ["beats_per_pair", "cycles", "high_shares"]


def beats_per_pair(steps: Sequence[Step]) -> float | None:
    """Pairs of chunks per pair of groups over all products, from 1 (low) to 4 (high); None without an engine."""
    pairs = sum(step.pairs for step in steps)
    return sum(step.beats for step in steps) / pairs if pairs else None


def high_shares(steps: Sequence[Step]) -> dict[str, float]:
    """Share of high uses by kind of tensor; empty without an engine."""
    shares = {}
    for kind in KINDS:
        found = [chunks for step in steps for key, chunks in step.chunks.items() if key.endswith(kind)]
        if found:
            shares[kind] = found.count(HIGH) / len(found)
    return shares


def cycles(steps: Sequence[Step]) -> int | None:
    """Cycles of the engine; None without a clock."""
    known = [step.cycles for step in steps if step.cycles is not None]
    return sum(known) if len(known) == len(steps) else None
