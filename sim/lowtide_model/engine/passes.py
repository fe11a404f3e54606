"""Split of a product of any size into products that fit into an engine."""

from collections.abc import Iterator, Sequence

import attrs

from lowtide.config import Config
from lowtide.formats.parameter import count, flag, instance, whole_number

__all__ = ["Part", "longest_k", "split"]

SIZES = range(1, 2**31)
"""Legal sizes of a product."""


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
        Whether the panel of A or of B is needed for the first time.
    load_a, load_b : bool
        Whether the panel differs from the panel of the part before. Otherwise the engine still has it.
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
    load_a: bool
    load_b: bool
    add: bool
    keep: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        """M, K and N of the part."""
        return _size(self.rows), _size(self.k), _size(self.columns)


def split(
    config: Config,
    *,
    m: int,
    k: int,
    n: int,
    chunks_a: int,
    chunks_b: int,
    in_order_a: bool = True,
    in_order_b: bool = True,
    group: int | None = None,
) -> list[Part]:
    """Split a product into parts that fit into the buffers of an engine, in the order in which they are sent.

    K is split into equal slices of whole groups, and C into equal blocks of whole tiles, as few as possible. Without
    sums on chip, K has as few slices as possible and is the outermost loop, and the host adds the results. An engine
    with sums on chip completes one block of C after the other: K is the innermost loop, each part but the last of a
    block keeps its sums, and each but the first adds them. More slices of K then allow larger blocks, up to the size of
    the sums.

    The blocks are visited by rows or by columns. Each row, column and loop over K runs against the direction of the one
    before, so that a panel of A or of B stays in the engine. Of both orders and all numbers of slices, the split is the
    one with the fewest chunks to load; of equal ones, the one with the fewest parts.

    Parameters
    ----------
    config : Config
        Configuration of the engine.
    m, k, n : int
        Rows of A, elements along K, and columns of B.
    chunks_a, chunks_b : int
        Chunks per magnitude of A and of B.
    in_order_a, in_order_b : bool
        Whether A and B are sent in order. Otherwise the transposer limits their vectors.
    group : int, optional
        Elements of a group along K, a multiple of `Config.lanes`; by default this number.

    Raises
    ------
    ValueError
        If an argument is illegal, or an engine with sums on chip cannot sum all of K.
    """
    bfp = instance("config", config, Config).bfp
    m, k, n = (whole_number(name, size, SIZES) for name, size in (("m", m), ("k", k), ("n", n)))
    converts = config.array.element == "fmac"
    most = (bfp.mantissa // bfp.chunk_a, bfp.mantissa // bfp.chunk_b) if converts else (1, 1)
    chunks = (
        whole_number("chunks_a", chunks_a, range(1, most[0] + 1)),
        whole_number("chunks_b", chunks_b, range(1, most[1] + 1)),
    )
    in_order = flag("in_order_a", in_order_a), flag("in_order_b", in_order_b)
    group = config.lanes if group is None else count("group", group, 1)
    candidates = _candidates(config, (m, k, n), chunks, in_order, group)
    return min(candidates, key=lambda parts: (_loaded(parts, config.lanes, chunks), len(parts)))


def longest_k(config: Config, chunks: int) -> int:
    """Return the longest reduction of a product whose operands have up to ``chunks`` chunks per magnitude."""
    return min(config.max_k, config.engine.buffer_depth // chunks * config.lanes)


def _candidates(
    config: Config, shape: tuple[int, int, int], chunks: tuple[int, int], in_order: tuple[bool, bool], group: int
) -> Iterator[list[Part]]:
    """Splits in both orders of the blocks, with more slices of K as long as these enlarge the blocks."""
    m, k, n = shape
    array, engine, lanes = config.array, config.engine, config.lanes
    down, across = engine.sum_tiles(array.rows, array.columns)
    block = down * array.rows, across * array.columns
    longest = longest_k(config, max(chunks))
    ks = _slices(k, longest, group)
    if engine.sum_rows and len(ks) > 1 and k > engine.sum_max_k:
        raise ValueError(f"K must be at most {engine.sum_max_k}, the engine.sum_max_k, not {k}")
    groups = -(-k // group)
    for number in range(len(ks), max(groups, len(ks)) + 1):
        if number > len(ks):
            ks = _slices(k, -(-groups // number) * group, group)
        words = -(-_size(ks[0]) // lanes)
        most = [
            _most_vectors(config, words * chunks[0], array.rows, in_order[0]),
            _most_vectors(config, words * chunks[1], array.columns, in_order[1]),
        ]
        sums = bool(engine.sum_rows) and len(ks) > 1
        limits = [min(some, limit) if sums else some for some, limit in zip(most, block, strict=True)]
        rows, columns = _slices(m, limits[0], array.rows), _slices(n, limits[1], array.columns)
        for by_rows in (True, False):
            yield _parts(ks, rows, columns, by_rows, sums)
        fits = most[0] >= min(m, block[0]) and most[1] >= min(n, block[1])
        if fits or not engine.sum_rows:
            return


def _parts(
    ks: Sequence[slice], rows: Sequence[slice], columns: Sequence[slice], by_rows: bool, sums: bool
) -> list[Part]:
    """All slices of K of all blocks of C, in the order in which they are sent."""
    if by_rows:
        blocks = list(_turning(len(rows), len(columns)))
    else:
        blocks = [(down, across) for across, down in _turning(len(columns), len(rows))]
    if sums:
        order = [(depth, *blocks[at]) for at, depth in _turning(len(blocks), len(ks))]
    else:
        order = [(depth, *block) for depth in range(len(ks)) for block in blocks]
    parts: list[Part] = []
    sent: set[tuple[str, int]] = set()
    last = -1, -1
    for number, (depth, down, across) in enumerate(order):
        a, b = depth * len(rows) + down, depth * len(columns) + across
        parts.append(
            Part(
                rows=rows[down],
                columns=columns[across],
                k=ks[depth],
                panel_a=a,
                panel_b=b,
                first_a=("a", a) not in sent,
                first_b=("b", b) not in sent,
                load_a=a != last[0],
                load_b=b != last[1],
                add=sums and number % len(ks) > 0,
                keep=sums and number % len(ks) < len(ks) - 1,
            )
        )
        sent |= {("a", a), ("b", b)}
        last = a, b
    return parts


def _turning(outer: int, inner: int) -> Iterator[tuple[int, int]]:
    """Pairs of two loops; the inner loop changes its direction each time."""
    for one in range(outer):
        for other in range(inner) if one % 2 == 0 else reversed(range(inner)):
            yield one, other


def _loaded(parts: Sequence[Part], lanes: int, chunks: tuple[int, int]) -> int:
    """Chunks to load."""
    return sum(
        -(-_size(part.k) // lanes)
        * (part.load_a * _size(part.rows) * chunks[0] + part.load_b * _size(part.columns) * chunks[1])
        for part in parts
    )


def _most_vectors(config: Config, words: int, panel: int, in_order: bool) -> int:
    """Most vectors of ``words`` chunks that fit: the buffers limit panels, and a transposer limits vectors."""
    most, longest = config.engine.buffer_depth // words * panel, config.engine.transpose_depth
    return most if in_order or not longest else min(most, longest)


def _slices(length: int, most: int, unit: int) -> list[slice]:
    """Equal slices of whole units, as few as possible; if ``most`` is less than a unit, slices of any size."""
    unit = unit if most >= unit or length <= most else 1
    count = -(-length // (most // unit * unit)) if length > most else 1
    step = -(-length // (count * unit)) * unit
    return [slice(start, min(start + step, length)) for start in range(0, length, step)]


def _size(of: slice) -> int:
    return of.stop - of.start
