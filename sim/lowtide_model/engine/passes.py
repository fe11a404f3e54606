"""Split of a product of any size into products that fit into an engine."""

from collections.abc import Iterator

import attrs

from lowtide.config import Config

__all__ = ["Part", "split"]


@attrs.frozen(kw_only=True)
class Part:
    """A product that fits into an engine, as a part of a larger one.

    Parameters
    ----------
    rows, columns, k : slice
        Rows of A, columns of B, and elements along the reduction.
    panel_a, panel_b : int
        Numbers of the panels of A and of B, for their seeds; equal panels have equal numbers.
    first_a, first_b : bool
        Whether the panel of A or of B is sent for the first time.
    add : bool
        Whether the part adds the sums on chip.
    keep : bool
        Whether the sums of the part stay on chip, so that the part has no results.
    """

    rows: slice
    columns: slice
    k: slice
    panel_a: int
    panel_b: int
    first_a: bool
    first_b: bool
    add: bool
    keep: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        """M, K and N of the part."""
        return _size(self.rows), _size(self.k), _size(self.columns)


def split(
    config: Config, shape: tuple[int, int, int], chunks: tuple[int, int], in_order: tuple[bool, bool]
) -> list[Part]:
    """Split a product into parts that fit into the buffers of an engine.

    K is split between groups. If all of K fits, the parts are as large as the buffers allow. Otherwise, an engine with
    sums on chip completes one block of C after the other, with K as the innermost loop: each part but the last of a
    block keeps its sums, and each but the first adds them. Without sums on chip, K is the outermost loop, and the host
    adds the results.

    Parameters
    ----------
    config : Config
        Configuration of the engine.
    shape : tuple of three int
        M, K and N.
    chunks : pair of int
        Chunks per magnitude of A and of B.
    in_order : pair of bool
        Whether the operand is sent in order. Otherwise the transposer limits its vectors.

    Raises
    ------
    ValueError
        If an engine with sums on chip cannot sum all of K.
    """
    m, k, n = shape
    array, engine = config.array, config.engine
    length = _length(config, max(chunks), k)
    limits = (m, n)
    sums = bool(engine.sum_rows) and length < k
    if sums:
        if k > engine.sum_max_k:
            raise ValueError(f"K must be at most {engine.sum_max_k}, the engine.sum_max_k, not {k}")
        down, across = engine.sum_tiles(array.rows, array.columns)
        limits = min(m, down * array.rows), min(n, across * array.columns)
        length = _sum_length(config, chunks, limits, k)
    high = min(limits[0], _vectors(config, length, chunks[0], array.rows, in_order[0]))
    wide = min(limits[1], _vectors(config, length, chunks[1], array.columns, in_order[1]))
    depths, downs, acrosses = (
        list(enumerate(_slices(size, step))) for size, step in ((k, length), (m, high), (n, wide))
    )
    if sums:
        order = ((depth, down, across) for down in downs for across in acrosses for depth in depths)
    else:
        order = ((depth, down, across) for depth in depths for down in downs for across in acrosses)
    return [
        Part(
            rows=ms,
            columns=ns,
            k=ks,
            panel_a=depth * len(downs) + down,
            panel_b=depth * len(acrosses) + across,
            first_a=across == 0,
            first_b=down == 0,
            add=sums and depth > 0,
            keep=sums and depth < len(depths) - 1,
        )
        for (depth, ks), (down, ms), (across, ns) in order
    ]


def _length(config: Config, chunks: int, k: int) -> int:
    """Elements along K per panel: whole groups, unless all of K fits or a group exceeds the engine's maximum."""
    bfp = config.bfp
    most = min(bfp.max_k, config.engine.buffer_depth // chunks * bfp.lanes)
    return k if k <= most else most // bfp.lanes * bfp.lanes or most


def _sum_length(config: Config, chunks: tuple[int, int], block: tuple[int, int], k: int) -> int:
    """Elements along K per pass of a block of sums: as many groups as fit with all panels of the block."""
    array, depth = config.array, config.engine.buffer_depth
    panels = -(-block[0] // array.rows), -(-block[1] // array.columns)
    groups = min(depth // (count * of) for count, of in zip(panels, chunks, strict=True))
    return min(_length(config, max(chunks), k), max(groups, 1) * config.bfp.lanes)


def _vectors(config: Config, length: int, chunks: int, panel: int, in_order: bool) -> int:
    """Vectors per panel: limited by the buffers and, for operands that may be sent transposed, by the transposer."""
    most = config.engine.buffer_depth // (-(-length // config.bfp.lanes) * chunks) * panel
    if not in_order:
        most = min(most, config.engine.transpose_depth)
    return most // panel * panel or most


def _slices(length: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, length)) for start in range(0, length, step))


def _size(of: slice) -> int:
    return of.stop - of.start
