"""Post operations: results of random products with random operations, stalls, and streams of the wrong length."""

import numpy as np
import pytest
from amaranth.hdl import Const
from hypothesis import given, settings
from hypothesis import strategies as st
from result_streams import Port, beats_of_tiles, run, tiles_of, with_last

from fixtures.plain_fp32_sum import CORNERS, plain_sum
from fixtures.slow_cases import one_in
from lowtide.engine import post_operations
from lowtide.engine.post_operations import PostOperations as Unit
from lowtide.units.floating.fp32_adder import Fp32Adder
from lowtide_model.engine.post_operations import PostOperations

TILES, ACROSS, VECTORS = 4, 9, 40


def words_of(rng, *shape):
    """Random FP32 words near one, and corner cases."""
    words = 0x3F800000 ^ rng.integers(0, 2**26, shape) ^ rng.integers(0, 2, shape) << 31
    corners = rng.choice(np.array(CORNERS), shape)
    return np.where(rng.random(shape) < 0.2, corners, words).astype(np.uint32)


def results_of(rng, rows, columns):
    """Results of a product: neither subnormal numbers nor NaNs nor -0."""
    words = words_of(rng, rows, columns)
    field = words >> 23 & 255
    words = np.where(field == 0, 0, words)
    return np.where(field == 255, words & 0xFF800000, words).astype(np.uint32)


def plain(results, post):
    """Words of the results after the operations, one at a time."""
    found = np.empty(results.shape, np.uint32)
    for (row, column), word in np.ndenumerate(results):
        bias = 0 if post.bias is None else int(post.bias.view(np.uint32)[column])
        residual = 0 if post.residual is None else int(post.residual.view(np.uint32)[row, column])
        found[row, column] = plain_sum(plain_sum(int(word), bias, post.relu), residual, post.final_relu)
    return found


def random_post(rng, rows, columns):
    return PostOperations(
        bias=words_of(rng, columns).view(np.float32) if rng.random() < 0.6 else None,
        relu=bool(rng.integers(2)),
        residual=words_of(rng, rows, columns).view(np.float32) if rng.random() < 0.6 else None,
        final_relu=bool(rng.integers(2)),
    )


def addend_beats(post, rows, columns, numbers, junk):
    """Beats of ``d``: the column bias, then the residual; ``junk`` fills the rows beyond M of the residual."""
    beats = []
    if post.bias is not None:
        bias = post.bias.view(np.uint32)
        beats.append(np.pad(bias, (0, -len(bias) % columns)).reshape(-1, numbers))
    if post.residual is not None:
        residual = post.residual.view(np.uint32)
        across = -(-residual.shape[1] // columns) * columns
        padded = np.pad(residual, [(0, -len(residual) % rows), (0, across - residual.shape[1])])
        padded[len(residual) :] = junk
        beats.append(tiles_of(padded, rows, columns).reshape(-1, numbers))
    return np.concatenate(beats) if beats else np.zeros((0, numbers), np.uint32)


def send(shape, products, stall=0.0, seed=1):
    """Send products of ``(results, post, beats of d)``; return results, faults, and cycles of each."""
    rows, columns, numbers = shape
    dut, found = Unit(rows, columns, numbers, TILES, ACROSS, VECTORS), []

    async def bench(ctx):
        for number, (results, post, beats) in enumerate(products):
            flags = {"add_bias": post.bias is not None, "residual": post.residual is not None}
            ctx.set(dut.settings, flags | {"relu": post.relu | post.final_relu << 1})
            ctx.set(dut.across, -(-results.shape[1] // columns))
            ctx.set(dut.vectors, len(results))
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            i = Port(dut.i, beats_of_tiles(results, rows, columns, numbers), stall, seed + number)
            d = Port(dut.d, beats, stall, seed + number + 100)
            o = Port(dut.o, None, stall, seed - number)
            faults, cycles = [0, 0], 0
            while ctx.get(dut.busy) or i.left:
                i.drive(ctx)
                d.drive(ctx)
                o.accept(ctx)
                o.take(ctx)
                i.sent(ctx)
                d.sent(ctx)
                faults = [faults[0] + ctx.get(dut.too_short), faults[1] + ctx.get(dut.too_long)]
                await ctx.tick()
                cycles += 1
                assert cycles < 10_000, "hangs"
            assert not d.left
            lasts = [beat >> 32 * numbers for beat in o.received]
            assert lasts == [0] * (len(lasts) - 1) + [1]
            words = [beat >> 32 * n & 0xFFFFFFFF for beat in o.received for n in range(numbers)]
            found.append((np.array(words, np.uint32).reshape(-1, rows, columns), faults, cycles))

    run(dut, bench)
    return found


def check(shape, seed, count, stall):
    rows, columns, numbers = shape
    rng, products = np.random.default_rng(seed), []
    for _ in range(count):
        size = rng.integers(1, 2 * rows + 2), rng.integers(1, min(TILES, 3) * columns + 1)
        results, post = results_of(rng, *size), random_post(rng, *size)
        products.append((results, post, with_last(addend_beats(post, rows, columns, numbers, 0x7F800000))))
    for (results, post, _), (got, faults, _) in zip(products, send(shape, products, stall, seed), strict=True):
        due = plain(results, post)
        assert got.tolist() == tiles_of(due, rows, columns).tolist()
        assert post.applied(results.view(np.float32)).view(np.uint32).tolist() == due.tolist()
        assert faults == [0, 0]


SHAPES = [(8, 8, 4), (1, 1, 1), (2, 6, 3), (3, 4, 1), (2, 2, 2)]


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_results_equal_exact_fractions(shape, stall):
    check(shape, 1, 3, stall)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.integers(1, 9), st.integers(0, 2**32 - 1), st.booleans())
def test_any_shape(rows, columns, seed, stalls):
    widths = [n for n in range(1, columns + 1) if columns % n == 0]
    check((rows, columns, widths[seed % len(widths)]), seed, 3, 0.3 * stalls)


def whole(shape, rng, bias=True, residual=True):
    """A product of whole tiles with operations, and the beats of its addends."""
    rows, columns, numbers = shape
    results = results_of(rng, 2 * rows, 3 * columns)
    post = PostOperations(
        bias=words_of(rng, 3 * columns).view(np.float32) if bias else None,
        residual=words_of(rng, 2 * rows, 3 * columns).view(np.float32) if residual else None,
        relu=True,
    )
    return results, post, addend_beats(post, rows, columns, numbers, 0)


def test_a_beat_per_cycle():
    shape = (4, 4, 2)
    results, post, beats = whole(shape, np.random.default_rng(1))
    _, _, cycles = send(shape, [(results, post, with_last(beats))])[0]
    unit = Unit(*shape, TILES, ACROSS, VECTORS)
    assert cycles == 6 + 2 * 3 * 8 + unit.latency


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize(("bias", "residual"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("missing", one_in(3, [1, 2, 5]))
def test_missing_addends_are_zero(bias, residual, missing, stall):
    """The product is complete, the fault is flagged once, and the next product is right."""
    shape = rows, columns, _ = (2, 4, 2)
    rng = np.random.default_rng(missing)
    results, post, beats = whole(shape, rng, bias, residual)
    short = beats.copy()
    short[-missing:] = 0
    got = send(shape, [(results, post, with_last(beats[:-missing])), (results, post, with_last(beats))], stall)
    zeroed = post_of(short, post, shape)
    for (found, faults, _), its, flagged in zip(got, (zeroed, post), ([1, 0], [0, 0]), strict=True):
        assert found.tolist() == tiles_of(plain(results, its), rows, columns).tolist()
        assert faults == flagged


def post_of(beats, post, shape):
    """The operations with the addends that beats have."""
    rows, columns, _ = shape
    words, bias = beats.reshape(-1), None
    if post.bias is not None:
        bias, words = words[: len(post.bias)], words[len(post.bias) :]
    residual = None
    if post.residual is not None:
        tiles = words.reshape(-1, post.residual.shape[1] // columns, rows, columns)
        residual = np.ascontiguousarray(tiles.transpose(0, 2, 1, 3).reshape(post.residual.shape)).view(np.float32)
    bias = None if bias is None else bias.view(np.float32)
    return PostOperations(bias=bias, relu=post.relu, residual=residual, final_relu=post.final_relu)


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize(("bias", "residual"), [(True, True), (True, False), (False, True)])
def test_excess_addends_are_dropped(bias, residual, stall):
    shape = rows, columns, numbers = (2, 4, 2)
    results, post, beats = whole(shape, np.random.default_rng(1), bias, residual)
    long = np.concatenate([beats, np.full((3, numbers), 0x7FC00000, np.uint32)])
    got = send(shape, [(results, post, with_last(long)), (results, post, with_last(beats))], stall)
    for (found, faults, _), flagged in zip(got, ([0, 1], [0, 0]), strict=True):
        assert found.tolist() == tiles_of(plain(results, post), rows, columns).tolist()
        assert faults == flagged


class WithoutRelu(Fp32Adder):
    """The adder ignores ``relu``."""

    def elaborate(self, platform):
        self.relu = Const(0)
        return super().elaborate(platform)


def test_an_adder_without_relu_is_caught(monkeypatch):
    monkeypatch.setattr(post_operations, "Fp32Adder", WithoutRelu)
    with pytest.raises(AssertionError):
        check((2, 4, 2), 1, 3, 0.0)


def test_a_bias_in_rows_beyond_m_is_caught(monkeypatch):
    monkeypatch.setattr(post_operations, "_if", lambda selected, word: word)
    with pytest.raises(AssertionError):
        check((2, 4, 2), 1, 3, 0.0)


@pytest.mark.parametrize(
    ("addends", "message"),
    [
        ({"bias": [1.0]}, r"bias must be an array of float32 of 1 dimension, or None, not \[1.0\]"),
        (
            {"bias": np.zeros(3)},
            "bias must be an array of float32 of 1 dimension, or None, not float64 of 1",
        ),
        ({"residual": np.zeros(3, np.float32)}, "residual must be an array of float32 of 2 dimensions, or None"),
        ({"relu": 1}, "relu must be one of False, True, not 1"),
    ],
)
def test_illegal_operations_are_refused(addends, message):
    with pytest.raises(ValueError, match=message):
        PostOperations(**addends)


@pytest.mark.parametrize(
    ("addends", "message"),
    [
        ({"bias": np.zeros(3, np.float32)}, r"bias of the post operations must have shape \(4,\), not \(3,\)"),
        ({"residual": np.zeros((4, 2), np.float32)}, r"residual of .* must have shape \(2, 4\), not \(4, 2\)"),
    ],
)
def test_addends_of_another_size_are_refused(addends, message):
    with pytest.raises(ValueError, match=message):
        PostOperations(**addends).applied(np.zeros((2, 4), np.float32))
