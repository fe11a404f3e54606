"""Groups of an array: consecutive elements along one axis, padded with zeros to whole groups.

Inside the models a grouped array is always seen as ``(n, group, inner)``: ``inner`` the elements behind the axis in
memory. Nothing is transposed, so that an operand grouped along its rows costs no more than one along its columns.
"""

from collections.abc import Iterator

import numpy as np

__all__ = ["blocks", "group_max", "grouped", "spread"]

# Elements worked on at once: few enough that every pass over them finds them in a core's own cache.
BLOCK = 1 << 16


def grouped(x: np.ndarray, axis: int, group: int) -> tuple[np.ndarray, tuple[int, ...]]:
    """The array as ``(n, group, inner)``, a view where no padding is needed, and its padded shape."""
    missing = -x.shape[axis] % group
    if missing:
        x = np.pad(x, [(0, missing if i == axis else 0) for i in range(x.ndim)])
    inner = int(np.prod(x.shape[axis + 1 :]))
    n = x.size // (group * inner) if inner else 0
    return np.ascontiguousarray(x).reshape(n, group, inner), x.shape


def blocks(groups: np.ndarray) -> Iterator[slice]:
    """Slices of ``n`` that together cover ``(n, group, inner)``, a few groups at a time."""
    n, group, inner = groups.shape
    step = max(1, BLOCK // max(1, group * inner))
    return (slice(start, start + step) for start in range(0, n, step))


def group_max(x: np.ndarray) -> np.ndarray:
    """Largest element of every group: ``(n, group, inner)`` to ``(n, inner)``."""
    n, group, inner = x.shape
    if inner != 1:
        return np.maximum.reduce(x, axis=1)
    # Reducing many short rows costs a call for each. A window that doubles until it spans a group does not: whole
    # arrays are compared, and of all windows only those that start a group are kept.
    window, width = x.reshape(-1), 1
    while width < group and n:
        step = min(width, group - width)
        window = np.maximum(window[:-step], window[step:])
        width += step
    return window[::group].reshape(n, 1)


def spread(per_group: np.ndarray, group: int) -> np.ndarray:
    """One value a group, for each of its elements: ``(n, inner)`` to what broadcasts with ``(n, group, inner)``."""
    if per_group.shape[1] != 1:
        return per_group[:, np.newaxis, :]
    return np.repeat(per_group, group).reshape(-1, group, 1)
