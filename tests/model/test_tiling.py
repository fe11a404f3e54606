"""Beats and results of tiled products, compared with a reference that accumulates beat by beat."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowtide.array.params import ArrayParams
from lowtide.config import Config
from lowtide.formats import Bfp, ChunkLayout
from lowtide_model import BfpTensor, matmul, quantize
from lowtide_model.tiling import Tiling, pack_words


def integer(row):
    return int.from_bytes(row.tobytes(), "little")


def plain_word(signed, codes, layout):
    """Chunks of groups as one integer, packed by the layout's constants."""
    word = 0
    for n, (elements, code) in enumerate(zip(signed, codes, strict=True)):
        lanes = [{"magnitude": abs(int(x)), "sign": int(x < 0)} for x in elements]
        word |= layout.const({"lane": lanes, "exponent": int(code)}).as_bits() << n * layout.size
    return word


def plain_chunks(word, layout, count):
    """Elements and code of each chunk in a word."""
    chunks = []
    for n in range(count):
        chunk = layout.from_bits(word >> n * layout.size & (1 << layout.size) - 1)
        elements = [-lane["magnitude"] if lane["sign"] else lane["magnitude"] for lane in chunk["lane"]]
        chunks.append((elements, chunk["exponent"]))
    return chunks


def plain_array(tiling):
    """``tdata`` of an array's results for the beats of a tiling, in Python integers."""
    config = tiling.config
    rows, columns, width = config.array.rows, config.array.columns, config.bfp.accumulator
    a = [plain_chunks(integer(word), config.bfp.layout_a, rows) for word in tiling.words_a]
    b = [plain_chunks(integer(word), config.bfp.layout_b, columns) for word in tiling.words_b]
    results = []
    order_a, order_b = (order.reshape(tiling.tiles, tiling.beats_per_tile) for order in tiling.order)
    for beats in zip(order_a, order_b, strict=True):
        sums = [[0] * columns for _ in range(rows)]
        for i, j in zip(*beats, strict=True):
            for r, (x, code_x) in enumerate(a[i]):
                for c, (y, code_y) in enumerate(b[j]):
                    sums[r][c] += sum(p * q for p, q in zip(x, y, strict=True)) << code_x + code_y
        for row in sums:
            word = sum((value & (1 << width) - 1) << c * width for c, value in enumerate(row))
            results.append(list(word.to_bytes(-(-columns * width // 8), "little")))
    return np.array(results, np.uint8)


def random_tensor(random, shape, axis, *, m, e, group):
    """A tensor with uniformly distributed magnitudes and codes."""
    others, K = shape[1 - axis], shape[axis]
    groups = -(-K // group)
    signed = random.integers(-(2**m) + 1, 2**m, (others, groups * group), np.int16)
    signed[:, K:] = 0
    return BfpTensor(
        signed=signed,
        codes=random.integers(0, 2**e, (others, groups)),
        bias=0,
        mantissa=m,
        exponent=e,
        group=group,
        length=K,
        axis=axis,
    )


@st.composite
def tilings(draw):
    chunk_a, chunk_b = draw(st.sampled_from([(2, 2), (4, 2), (1, 2), (4, 4), (3, 1), (3, 2)]))
    mantissa = draw(st.sampled_from([m for m in range(1, 13) if m % chunk_a == 0 == m % chunk_b]))
    bfp = Bfp(
        lanes=draw(st.sampled_from([4, 8])),
        chunk_a=chunk_a,
        chunk_b=chunk_b,
        mantissa=mantissa,
        exponent=draw(st.integers(1, 5)),
        max_k=draw(st.sampled_from([40, 4096])),
    )
    shape = ArrayParams(rows=draw(st.integers(1, 5)), columns=draw(st.integers(1, 5)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    M, K, N = draw(st.integers(1, 9)), draw(st.integers(1, 40)), draw(st.integers(1, 9))
    e, group = bfp.exponent, bfp.lanes * draw(st.integers(1, 3))
    ma = draw(st.sampled_from(range(chunk_a, mantissa + 1, chunk_a)))
    mb = draw(st.sampled_from(range(chunk_b, mantissa + 1, chunk_b)))
    a = random_tensor(random, (M, K), 1, m=ma, e=e, group=group)
    b = random_tensor(random, (K, N), 0, m=mb, e=draw(st.integers(1, e)), group=group)
    return Tiling(a=a, b=b, config=Config(array=shape, bfp=bfp))


@settings(max_examples=60, deadline=None)
@given(tilings())
def test_beats_carry_the_whole_product(tiling):
    words = tiling.words_of(plain_array(tiling))
    expected = matmul(tiling.a, tiling.b, bfp=tiling.config.bfp)
    np.testing.assert_array_equal(words, tiling.padded(expected))


@pytest.mark.parametrize("lanes", [4, 16, 64])
@pytest.mark.parametrize("chunk", [1, 2, 3, 4])
@pytest.mark.parametrize("max_code", [1, 6, 43])
@pytest.mark.parametrize("n", [1, 3])
def test_packing_equals_the_layout(lanes, chunk, max_code, n):
    random = np.random.default_rng([lanes, chunk, max_code, n])
    layout = ChunkLayout(lanes, chunk, max_code)
    signed = random.integers(1 - 2**chunk, 2**chunk, (5, n, lanes))
    codes = random.integers(0, max_code, (5, n), endpoint=True)
    packed = pack_words(signed, codes, layout)
    assert [integer(row) for row in packed] == [plain_word(*word, layout) for word in zip(signed, codes, strict=True)]
    assert packed.shape == (5, -(-n * layout.size // 8))


@pytest.mark.parametrize("width", [2, 7, 43, 63, 64, 65, 83, 128, 129])
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 3), (3, 1)])
def test_results_of_any_width_are_unpacked(width, rows, columns):
    """The widest and the narrowest sums, at every position of the product."""
    random = np.random.default_rng(width)
    config = Config(array=ArrayParams(rows=rows, columns=columns), bfp=narrow_or_wide(width))
    width = config.bfp.accumulator
    ends = [-(2 ** (width - 1)), 2 ** (width - 1) - 1, -1, 0, 1]
    tiling = Tiling(a=ones(5, 4), b=ones(4, 4, axis=0), config=config)
    down, across = tiling.grid
    expected = random.choice(np.array(ends, object), (down * rows, across * columns))
    results = [
        sum(
            (int(expected[r * rows + row, c * columns + column]) & (1 << width) - 1) << column * width
            for column in range(columns)
        ).to_bytes(-(-columns * width // 8), "little")
        for r in range(down)
        for c in range(across)
        for row in range(rows)
    ]
    words = tiling.words_of(np.array([list(word) for word in results], np.uint8))
    assert words.dtype == (np.int64 if width <= 64 else object)
    assert words.tolist() == expected.tolist()


def narrow_or_wide(width):
    """A format whose accumulator has about ``width`` bits."""
    formats = (
        Bfp(lanes=4, chunk_a=1, chunk_b=1, mantissa=m, exponent=e, max_k=k)
        for e in range(1, 6)
        for m in range(1, 13)
        for k in (4, 8, 2**20)
    )
    return min(formats, key=lambda bfp: abs(bfp.accumulator - width))


def ones(*shape, axis=-1, m=1, group=4):
    return quantize(np.ones(shape, np.float32), mantissa=m, exponent=1, group=group, axis=axis)


@pytest.mark.parametrize(
    ("m", "k", "n", "tiles", "beats_per_tile", "busy"),
    [
        (1, 1, 1, 1, 4, 4),
        (2, 4, 3, 1, 4, 24),
        (3, 5, 4, 4, 8, 96),
        (4, 9, 7, 6, 12, 336),
    ],
)
def test_counts(m, k, n, tiles, beats_per_tile, busy):
    tiling = Tiling(a=ones(m, k, m=4), b=ones(k, n, axis=0, m=4), config=Config.load("tiny"))
    assert (tiling.tiles, tiling.beats_per_tile, tiling.busy) == (tiles, beats_per_tile, busy)
    assert tiling.beats == tiles * beats_per_tile == len(tiling.order[0]) == len(tiling.order[1])


def test_words_are_packed_once():
    tiling = Tiling(a=ones(8, 8, m=4), b=ones(8, 9, axis=0, m=2), config=Config.load("tiny"))
    assert len(tiling.words_a) == 4 * 2 * 2  # panels, groups, chunks
    assert len(tiling.words_b) == 3 * 2 * 1


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (ones(2, 4, m=2), ones(5, 2, axis=0, m=2), "shapes (2, 4) and (5, 2) do not multiply"),
        (ones(2, 4, m=8), ones(4, 2, axis=0, m=2), "mantissa of a must be one of 2, 4 on this hardware, not 8"),
        (
            ones(2, 2, 4, m=2),
            ones(4, 2, axis=0, m=2),
            "a and b must be matrices, not of shapes (2, 2, 4) and (4, 2)",
        ),
        (ones(0, 4, m=2), ones(4, 2, axis=0, m=2), "dimensions must be 1 or more, not of shapes (0, 4) and (4, 2)"),
    ],
)
def test_products_that_cannot_be_tiled_are_rejected(a, b, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Tiling(a=a, b=b, config=Config.load("tiny"))


def test_results_of_another_shape_are_rejected():
    tiling = Tiling(a=ones(2, 4, m=2), b=ones(4, 3, axis=0, m=2), config=Config.load("tiny"))
    size = -(-3 * tiling.config.bfp.accumulator // 8)
    with pytest.raises(ValueError, match=re.escape(f"results must have shape (2, {size}), not (1, {size})")):
        tiling.words_of(np.zeros((1, size), np.uint8))
