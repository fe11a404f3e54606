"""Sums on chip in the model: exact over any K, refusals in one line, and the split of a product into passes."""

from fractions import Fraction

import attrs
import numpy as np
import pytest

from fixtures.engines import SUM_ENGINE
from lowtide_model import BfpTensor, quantize
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import multiply
from lowtide_model.engine.passes import split
from lowtide_model.engine.sums import Pass

BIASED = OperandSettings(bias=-5)


def matrices(m, k, n, seed=1):
    """Positive numbers of several binades along K, so that long sums have more than 24 bits."""
    random = np.random.default_rng(seed)
    scales = np.exp2(np.repeat(random.integers(-6, 2, -(-k // 4)), 4)[:k])
    a, b = np.abs(random.standard_normal((m, k))) * scales, np.abs(random.standard_normal((k, n))) * scales[:, None]
    return a.astype(np.float32), b.astype(np.float32)


def passes(count, m=4, k=8, n=6, **changes):
    found = []
    for seed in range(count):
        a, b = matrices(m, k, n, seed)
        found.append(Pass(a=a, b=b, a_settings=BIASED, b_settings=BIASED))
    return [*found[:-1], attrs.evolve(found[-1], **changes)] if changes else found


@pytest.mark.parametrize("shape", [(3, 101, 4), (5, 700, 8), (13, 333, 20), (1, 699, 1)])
def test_a_long_reduction_is_rounded_once(shape):
    """By exact fractions: the sum of the products of the quantized numbers, then one rounding to float32."""
    a, b = matrices(*shape)
    settings = [OperandSettings(bias=-7, chunks=2), OperandSettings(bias=-7, chunks=3)]
    found = multiply(GoldenEngine(SUM_ENGINE), a, b, *settings).values
    x, y = (
        quantize(z, mantissa=bits, exponent=3, group=4, axis=axis, bias=-7).to_float()
        for z, bits, axis in ((a, 4, 1), (b, 3, 0))
    )
    for row, column in {(0, 0), (shape[0] - 1, shape[2] - 1), (shape[0] // 2, shape[2] // 2)}:
        exact = sum(Fraction(float(p)) * Fraction(float(q)) for p, q in zip(x[row], y[:, column], strict=True))
        # The sum has fewer than 53 bits, so the division is exact, and float32 rounds once.
        assert found[row, column] == np.float32(exact.numerator / exact.denominator)


def test_the_host_without_sums_rounds_more_often(small):
    """The test's data tell one rounding from several."""
    a, b = matrices(8, 700, 12)
    settings = [OperandSettings(bias=-7, chunks=2), OperandSettings(bias=-7, chunks=3)]
    once = multiply(GoldenEngine(SUM_ENGINE), a, b, *settings).values
    often = multiply(GoldenEngine(small), a, b, *settings).values
    assert once.tobytes() != often.tobytes()
    np.testing.assert_allclose(once, often, rtol=1e-6)


def test_packed_operands_in_passes():
    a, b = matrices(6, 500, 9)
    golden = GoldenEngine(SUM_ENGINE)
    x, y = (quantize(z, mantissa=2, exponent=3, group=4, axis=axis, bias=-5) for z, axis in ((a, 1), (b, 0)))
    assert isinstance(x, BfpTensor)
    settings = [OperandSettings(bias=-5), OperandSettings(bias=-5, chunks=2)]
    assert multiply(golden, x, y, None, None).values.tobytes() == multiply(golden, a, b, *settings).values.tobytes()


COMPLAINTS = {
    "another shape": (
        {"b": np.ones((8, 5), np.float32)},
        r"shape of pass 1 must be \(4, 6\), the shape of pass 0, not \(4, 5\)",
    ),
    "another scale": (
        {"a_settings": OperandSettings(bias=-4)},
        r"scale of pass 1 must be -11, the scale of pass 0, not -10",
    ),
    "no bias": (
        {"b_settings": OperandSettings()},
        r"bias of b in pass 1 must be an integer, as the sums on chip have one scale, not None",
    ),
}


@pytest.mark.parametrize("name", COMPLAINTS)
def test_passes_that_do_not_add_up(name):
    changes, complaint = COMPLAINTS[name]
    with pytest.raises(ValueError, match=f"^{complaint}$"):
        GoldenEngine(SUM_ENGINE).multiply_sum(passes(2, **changes))


@pytest.mark.parametrize(
    ("of", "complaint"),
    [
        (passes(2, m=7), r"rows of a must be from 1 to 6 \(the block of sums on chip\), not 7"),
        (passes(2, n=10), r"columns of b must be from 1 to 9 \(the block of sums on chip\), not 10"),
        (passes(8, k=100, m=2, n=3), r"K of all passes must be at most 700, the engine\.sum_max_k, not 800"),
        ([], r"passes must be a sequence of one Pass or more, not \[\]"),
        (5, r"passes must be a sequence of one Pass or more, not 5"),
        ([None], r"passes\[0\] must be of type Pass, not None"),
    ],
)
def test_sums_that_the_engine_has_not(of, complaint):
    with pytest.raises(ValueError, match=f"^{complaint}$"):
        GoldenEngine(SUM_ENGINE).multiply_sum(of)


def test_an_engine_without_sums_adds_none(small):
    with pytest.raises(ValueError, match=r"^engine\.sum_rows must be 1 or more for a sum of 2 passes, not 0$"):
        GoldenEngine(small).multiply_sum(passes(2))
    one = passes(1)
    found = GoldenEngine(small).multiply_sum(one)
    assert found.values.tobytes() == GoldenEngine(small).multiply(one[0].a, one[0].b, BIASED, BIASED).values.tobytes()


def test_a_reduction_beyond_the_bound_is_refused():
    a, b = matrices(2, 701, 2)
    with pytest.raises(ValueError, match=r"^K must be at most 700, the engine\.sum_max_k, not 701$"):
        multiply(GoldenEngine(SUM_ENGINE), a, b, BIASED, BIASED)


@pytest.mark.parametrize("sum_rows", [0, 1, 5, 16])
def test_parts_cover_a_product_once(small, sum_rows):
    """Parts fit the buffers; parts of a block follow each other, the first adds nothing, the last keeps nothing."""
    config, rng = small.changed({"engine.sum_rows": sum_rows, "engine.sum_columns": 7}), np.random.default_rng(1)
    down, across = config.engine.sum_tiles(2, 3)
    for _ in range(200):
        m, k, n = (int(rng.integers(1, most)) for most in (40, 400, 40))
        chunks, in_order = rng.integers(1, 3, 2), rng.integers(0, 2, 2).astype(bool)
        parts = split(
            config,
            m=m,
            k=k,
            n=n,
            chunks_a=chunks[0],
            chunks_b=chunks[1],
            in_order_a=in_order[0],
            in_order_b=in_order[1],
        )
        done, open_block, firsts = np.zeros((m, k, n), np.int8), None, {"a": set(), "b": set()}
        for part in parts:
            done[part.rows, part.k, part.columns] += 1
            block = part.rows.start, part.columns.start
            assert part.add == (open_block is not None)
            assert open_block in (None, block)
            open_block = block if part.keep else None
            assert part.shape == tuple(of.stop - of.start for of in (part.rows, part.k, part.columns))
            for (rows, length), panel, count, ordered in zip(
                ((part.shape[0], part.shape[1]), (part.shape[2], part.shape[1])), (2, 3), chunks, in_order, strict=True
            ):
                assert -(-rows // panel) * -(-length // 4) * count <= 64
                assert ordered or rows <= 16
            if part.add or part.keep:
                assert (part.shape[0] <= 2 * down, part.shape[2] <= 3 * across) == (True, True)
            for side, number, first in (("a", part.panel_a, part.first_a), ("b", part.panel_b, part.first_b)):
                assert first == (number not in firsts[side])
                firsts[side].add(number)
        assert (done == 1).all()
        assert open_block is None
