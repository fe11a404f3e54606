"""Quality of a network's outputs: a share from 0 to 1, more is better."""

from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["METRICS", "accuracy", "agreement", "characters"]

BLANK = 0
"""Class of connectionist temporal classification that stands for no character."""


def accuracy(outputs: np.ndarray, truth: np.ndarray) -> float:
    """Share of samples whose largest output, along the last axis, is the label."""
    return float((outputs.argmax(-1) == truth).mean())


def agreement(outputs: np.ndarray, expected: np.ndarray) -> float:
    """Share of places whose largest output, along the last axis, is the largest output in FP32."""
    return float((outputs.argmax(-1) == expected.argmax(-1)).mean())


def characters(outputs: np.ndarray, expected: np.ndarray) -> float:
    """One minus the character error rate, against labels, or against the text that the network reads in FP32.

    Outputs are steps × classes for each sample. The text has the largest class of each step, without repetitions and
    without class 0. Labels are a row of classes for each sample, integers with zeros after the last one. The error rate
    is the sum of edit distances over the characters of the expected texts.
    """
    labels = expected.dtype.kind in "iu"
    pairs = [
        (_text(one), [int(c) for c in other if c != BLANK] if labels else _text(other))
        for one, other in zip(outputs, expected, strict=True)
    ]
    length = sum(len(other) for _, other in pairs)
    errors = sum(_distance(one, other) for one, other in pairs)
    return 1 - errors / max(1, length)


METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "accuracy": accuracy,
    "agreement": agreement,
    "characters": characters,
}


def _text(steps: np.ndarray) -> list[int]:
    """Classes of the characters of one sample."""
    best = steps.argmax(-1)
    return [int(this) for last, this in zip([BLANK, *best], best, strict=False) if this not in (last, BLANK)]


def _distance(one: Sequence[int], other: Sequence[int]) -> int:
    """Edit distance: fewest insertions, deletions and substitutions."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (left != right))
    return row[-1]
