"""Split of a product: every part fits, all of C is computed once, and panels that stay are not loaded again."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowtide.config import Config
from lowtide.engine.params import EngineParams
from lowtide.formats import Bfp
from lowtide_model.engine.passes import split


def config(depth=64, rows=4, columns=3, sums=0):
    """An engine with groups of four and at most 40 elements along K."""
    base = Config(bfp=Bfp(lanes=4, max_k=40), engine=EngineParams(buffer_depth=depth, transpose_depth=16))
    return base.changed(
        {"array.rows": rows, "array.columns": columns, "engine.output_width": 1, "engine.input_width": 1}
        | ({"engine.sum_rows": sums, "engine.sum_columns": 2 * sums, "engine.sum_max_k": 200} if sums else {})
    )


def parts_of(config, shape, chunks=(1, 1), in_order=(True, True)):
    m, k, n = shape
    return split(
        config,
        m=m,
        k=k,
        n=n,
        chunks_a=chunks[0],
        chunks_b=chunks[1],
        in_order_a=in_order[0],
        in_order_b=in_order[1],
    )


def test_without_transposers_the_order_in_memory_does_not_matter():
    engine = config().changed({"engine.transpose_depth": 0})
    for shape in ((70, 40, 70), (5, 200, 33)):
        assert parts_of(engine, shape, in_order=(False, False)) == parts_of(engine, shape)


def words(config, part, chunks):
    groups = math.ceil(part.shape[1] / config.bfp.lanes)
    panels = math.ceil(part.shape[0] / config.array.rows), math.ceil(part.shape[2] / config.array.columns)
    return [groups * count * of for count, of in zip(panels, chunks, strict=True)]


@settings(max_examples=300, deadline=None)
@given(
    depth=st.sampled_from([16, 32, 64, 256]),
    sums=st.sampled_from([0, 0, 5, 16]),
    shape=st.tuples(st.integers(1, 70), st.integers(1, 200), st.integers(1, 70)),
    chunks=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    in_order=st.tuples(st.booleans(), st.booleans()),
)
def test_parts_fit_and_cover_the_product(depth, sums, shape, chunks, in_order):
    engine = config(depth, sums=sums)
    parts = parts_of(engine, shape, chunks, in_order)
    macs = sum(math.prod(part.shape) for part in parts)
    assert macs == math.prod(shape)
    cells = {(part.rows.start, part.columns.start, part.k.start) for part in parts}
    assert len(cells) == len(parts)
    most = [size if along else 16 for size, along in zip((shape[0], shape[2]), in_order, strict=True)]
    for part in parts:
        assert max(words(engine, part, chunks)) <= depth
        assert part.shape[1] <= engine.bfp.max_k
        assert (part.shape[0], part.shape[2]) <= (most[0], part.shape[2])
        assert part.shape[2] <= most[1]
        assert part.k.start % engine.bfp.lanes == 0
        if part.add or part.keep:
            assert part.shape[0] <= math.ceil(sums / 4) * 4
            assert part.shape[2] <= math.ceil(2 * sums / 3) * 3
    seen, last = (set(), set()), (None, None)
    for part in parts:
        panels = (part.rows.start, part.k.start), (part.columns.start, part.k.start)
        assert (part.load_a, part.load_b) == (panels[0] != last[0], panels[1] != last[1])
        assert (part.first_a, part.first_b) == (panels[0] not in seen[0], panels[1] not in seen[1])
        last = panels
        for panel, its in zip(panels, seen, strict=True):
            its.add(panel)
    if any(part.keep for part in parts):
        for part, after in pairwise(parts):
            same = (part.rows, part.columns) == (after.rows, after.columns)
            assert part.keep == after.add == same
    else:
        assert [part.k.start for part in parts] == sorted(part.k.start for part in parts)


def loads(parts):
    return sum(part.load_a for part in parts), sum(part.load_b for part in parts)


@pytest.mark.parametrize(("shape", "expected"), [((64, 40, 9), (6, 1)), ((12, 40, 96), (1, 11))])
def test_operand_that_fits_into_one_block_is_loaded_once(shape, expected):
    """Three panels fit: twelve rows of A, or nine columns of B."""
    assert loads(parts_of(config(depth=32), shape)) == expected


def test_blocks_and_slices_are_equal():
    """Five panels fit, and 40 elements of K: a sixth panel is not sent alone, and neither is a last group of K."""
    parts = parts_of(config(depth=32), (24, 44, 3))
    assert [part.shape for part in parts] == [(12, 24, 3), (12, 24, 3), (12, 20, 3), (12, 20, 3)]


def test_a_direction_turns_around_and_saves_a_load():
    """Three blocks by three: nine parts, three loads of the operand that stays, and seven of the other one."""
    parts = parts_of(config(depth=16, columns=4), (12, 40, 12))
    assert len(parts) == 9
    assert sorted(loads(parts)) == [3, 7]


def test_sums_allow_larger_blocks():
    """With sums, K has more slices than the buffers need, and fewer chunks are loaded."""
    shape, chunks, order = (32, 160, 32), (2, 2), (True, True)

    def loaded(engine):
        return sum(
            math.ceil(part.shape[1] / 4) * (part.load_a * part.shape[0] + part.load_b * part.shape[2])
            for part in parts_of(engine, shape, chunks, order)
        )

    without, with_sums = config(depth=32, rows=4), config(depth=32, rows=4, sums=16)
    assert loaded(with_sums) < loaded(without) / 1.5


def test_reduction_longer_than_the_sums_is_refused():
    with pytest.raises(ValueError, match=r"K must be at most 200, the engine.sum_max_k, not 201"):
        parts_of(config(sums=16), (4, 201, 4))
