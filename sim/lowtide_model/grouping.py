"""Groups of an array: consecutive elements along one axis, padded with zeros to whole groups.

Inside the models a grouped array always has the shape ``(n, group, inner)``, where ``inner`` counts the elements of the
axes after the grouped one. Nothing is transposed, so grouping along rows costs no more than grouping along columns.
"""

from collections.abc import Iterator

import numpy as np

__all__ = ["block_shape", "blocks", "group_max", "grouped", "spread"]

# Elements per block: few enough to stay in a core's own cache during most passes, and enough to hide a call's time.
BLOCK = 1 << 17


def grouped(x: np.ndarray, axis: int, group: int) -> tuple[np.ndarray, tuple[int, ...]]:
    """The array as ``(n, group, inner)`` and its padded shape; a view if no padding is needed."""
    missing = -x.shape[axis] % group
    if missing:
        x = np.pad(x, [(0, missing if i == axis else 0) for i in range(x.ndim)])
    inner = int(np.prod(x.shape[axis + 1 :]))
    n = x.size // (group * inner) if inner else 0
    return np.ascontiguousarray(x).reshape(n, group, inner), x.shape


def blocks(groups: np.ndarray) -> Iterator[slice]:
    """Slices of ``n`` that cover ``(n, group, inner)`` in blocks of a few groups."""
    n, group, inner = groups.shape
    step = max(1, BLOCK // max(1, group * inner))
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def block_shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Shape of the largest block of an array of a shape."""
    n, group, inner = shape
    return min(n, max(1, BLOCK // max(1, group * inner))), group, inner


def group_max(x: np.ndarray) -> np.ndarray:
    """Largest element of every group: ``(n, group, inner)`` to ``(n, inner)``."""
    n, group, inner = x.shape
    if inner != 1:
        return np.maximum.reduce(x, axis=1)
    # Reducing many short rows costs one call per row. Instead, whole arrays are compared in windows that double until
    # they span a group; then only the windows that start at a group are used.
    window, width = x.reshape(-1), 1
    while width < group and n:
        step = min(width, group - width)
        window = np.maximum(window[:-step], window[step:])
        width += step
    return window[::group].reshape(n, 1)


def spread(per_group: np.ndarray, group: int) -> np.ndarray:
    """Repeat one value per group: ``(n, inner)`` to a shape that broadcasts with ``(n, group, inner)``."""
    if per_group.shape[1] != 1:
        return per_group[:, np.newaxis, :]
    return np.repeat(per_group, group).reshape(-1, group, 1)
