"""Passes of a product: the products that an engine computes where operands exceed its buffers."""

from collections.abc import Iterator, Sequence

import attrs

from lowtide.config import Config
from lowtide_model.engine.cycles import Shape, Work

__all__ = ["passes"]


def passes(config: Config, a: Shape, b: Shape) -> list[Work]:
    """Passes of a product, in the order in which they are sent.

    The host splits K into slices of whole groups, then the vectors of both operands into blocks that fit into a bank of
    a buffer. The passes of a slice visit all pairs of a block of A and a block of B. The blocks of one operand are
    visited once, and each stays while all blocks of the other operand are sent; their order turns around each time, so
    that the last block stays, too. The operand whose blocks stay is the one for which fewer chunks are loaded.

    Parameters
    ----------
    config : Config
        Configuration of the engine.
    a, b : Shape
        Whole operands; both have the length K.
    """
    done: list[Work] = []
    for length in _parts(a.length, _longest(config, max(a.chunks, b.chunks), a.length)):
        blocks_a = _blocks(config, attrs.evolve(a, length=length), config.array.rows)
        blocks_b = _blocks(config, attrs.evolve(b, length=length), config.array.columns)
        stays_a = list(_visits(blocks_a, blocks_b))
        stays_b = [(y, x, load_y, load_x) for x, y, load_x, load_y in _visits(blocks_b, blocks_a)]
        visits = min(stays_a, stays_b, key=_loaded)
        done += [Work(a=x, b=y, load_a=load_a, load_b=load_b) for x, y, load_a, load_b in visits]
    return done


def _longest(config: Config, chunks: int, k: int) -> int:
    """Elements along K per slice: whole groups, unless all of K fits or a group exceeds the engine's maximum."""
    bfp = config.bfp
    most = min(bfp.max_k, config.engine.buffer_depth // chunks * bfp.lanes)
    return k if k <= most else most // bfp.lanes * bfp.lanes or most


def _blocks(config: Config, operand: Shape, panel: int) -> list[Shape]:
    """Blocks of an operand: whole panels that fit into a bank; the transposer limits those that arrive transposed."""
    most = config.engine.buffer_depth // (-(-operand.length // config.bfp.lanes) * operand.chunks) * panel
    if operand.transposed:
        most = min(most, config.engine.transpose_depth)
    return [attrs.evolve(operand, lines=lines) for lines in _parts(operand.lines, most // panel * panel or most)]


def _parts(whole: int, most: int) -> list[int]:
    return [min(most, whole - start) for start in range(0, whole, most)]


def _visits(stay: Sequence[Shape], move: Sequence[Shape]) -> Iterator[tuple[Shape, Shape, bool, bool]]:
    """Pairs of a block that stays and a block that moves, and whether each is loaded."""
    for row, one in enumerate(stay):
        for at, other in enumerate(move if row % 2 == 0 else move[::-1]):
            yield one, other, at == 0, at > 0 or row == 0


def _loaded(visits: Sequence[tuple[Shape, Shape, bool, bool]]) -> int:
    """Chunks that the visits load."""
    return sum(
        load * operand.lines * operand.chunks
        for a, b, load_a, load_b in visits
        for operand, load in ((a, load_a), (b, load_b))
    )
