"""Integer results: words and saturation of random products, with stalls; every tie and both ends of small widths."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from result_streams import Port, beats_of_tiles, run

from fixtures.plain_requantization import integer_of
from lowtide.config import Config
from lowtide.engine import integer_results
from lowtide.engine.integer_results import IntegerResults
from lowtide.engine.output_stage import OutputStage
from lowtide.units.requantization.rounding_shifter import RoundingShifter
from lowtide_model.engine.integer_operand import packed_integers
from lowtide_model.engine.output_cycles import Output, OutputCycles

# Rows, columns, numbers per beat, bits of an integer.
ENGINES = [(8, 8, 4, 8), (1, 1, 1, 8), (2, 16, 8, 5), (3, 6, 3, 2), (4, 5, 5, 16), (2, 12, 1, 3), (5, 1, 1, 11)]


def config_of(rows, columns, numbers, width):
    keys = {"array.element": "pmac", "terms.width": width, "terms.data_terms": 1, "terms.budget": 8}
    keys["engine.packed_results"] = True
    shape = {"array.rows": rows, "array.columns": columns, "engine.output_width": numbers, "engine.buffer_depth": 64}
    return Config().changed(shape | keys)


def send(config, products, stall=0.0, seed=1):
    """Send products of values, bias and ReLU; return the words, the saturated integers of each, and all cycles."""
    rows, columns, numbers = config.array.rows, config.array.columns, config.engine.output_width
    dut, found, cycles = IntegerResults(rows, columns, config.terms.width, config.engine), [], 0

    async def bench(ctx):
        nonlocal cycles
        for number, (values, bias, relu) in enumerate(products):
            ctx.set(dut.bias, bias)
            ctx.set(dut.relu, relu)
            ctx.set(dut.vectors, values.shape[0])
            ctx.set(dut.length, values.shape[1])
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            # Results beyond M and N must not matter.
            beats = beats_of_tiles(values.view(np.uint32), rows, columns, numbers, fill=0x7F800000)
            i, o = Port(dut.i, beats, stall, seed + number), Port(dut.o, None, stall, seed - number)
            saturated, idle = 0, 0
            while ctx.get(dut.busy) or i.left:
                i.drive(ctx)
                o.accept(ctx)
                before = len(o.received), len(i.left)
                o.take(ctx)
                i.sent(ctx)
                idle = 0 if before != (len(o.received), len(i.left)) else idle + 1
                assert idle < 1000, "hangs"
                saturated += ctx.get(dut.saturated)
                await ctx.tick()
                cycles += 1
            lasts = [beat >> 32 * numbers for beat in o.received]
            assert lasts == [0] * (len(lasts) - 1) + [1]
            words = [beat >> 32 * n & 0xFFFFFFFF for beat in o.received for n in range(numbers)]
            found.append((words, saturated))

    run(dut, bench)
    return found, cycles


def check(config, products, stall=0.0, seed=1):
    found, cycles = send(config, products, stall, seed)
    rows, numbers, width = config.array.rows, config.engine.output_width, config.terms.width
    for (values, bias, relu), (words, saturated) in zip(products, found, strict=True):
        due = [[integer_of(float(value), bias, width, relu) for value in row] for row in values]
        packed = packed_integers(np.array([[value for value, _ in row] for row in due]), width).view(np.uint32)
        ordered = [int(word) for top in range(0, len(packed), rows) for word in packed[top : top + rows].T.reshape(-1)]
        assert words == ordered + [0] * (-len(ordered) % numbers)
        assert saturated == sum(beyond for row in due for _, beyond in row)
    return cycles


def random_products(config, rng, count):
    products = []
    for _ in range(count):
        shape = rng.integers(1, 3 * np.array((config.array.rows, config.array.columns)) + 1)
        bias = int(rng.choice([-160, 128, 0, *rng.integers(-20, 20, 3)]))
        near = np.clip(bias + rng.integers(-4, config.terms.width + 3, shape), -126, 124)
        values = np.clip(rng.standard_normal(shape), -4, 4) * 2.0**near
        special = rng.choice([0, np.inf, -np.inf, np.nan, 2.0**-126, -(2.0**127)], shape)
        values = np.where(rng.random(shape) < 0.1, special, values).astype(np.float32)
        values[np.abs(values) < 2.0**-126] = 0  # results are never subnormal
        products.append((values, bias, bool(rng.integers(2))))
    return products


@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_words_and_saturation(engine, stall):
    config = config_of(*engine)
    check(config, random_products(config, np.random.default_rng(1), 3), stall)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 40), st.integers(2, 16), st.integers(0, 2**32 - 1))
def test_any_shape(rows, columns, width, seed):
    rng = np.random.default_rng(seed)
    widths = [n for n in range(1, columns + 1) if columns % n == 0]
    config = config_of(rows, columns, int(rng.choice(widths)), width)
    check(config, random_products(config, rng, 2), float(rng.choice([0, 0.3])), seed)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("width", [2, 3, 4, 5])
def test_every_tie_and_both_ends(width, relu):
    """All multiples of 1/4 up to beyond saturation, and the nearest FP32 numbers on both sides of each."""
    config = config_of(4, 8, 8, width)
    exact = np.arange(-5 * 2**width, 5 * 2**width + 1) / np.float32(4)
    beside = [exact, np.nextafter(exact, np.float32(np.inf)), np.nextafter(exact, np.float32(-np.inf))]
    values = np.stack(beside).astype(np.float32)
    values[np.abs(values) < 2.0**-126] = 0
    check(config, [(np.ldexp(values, bias).astype(np.float32), bias, relu) for bias in (0, -7)])


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_cycles_equal_the_model(engine):
    config = config_of(*engine)
    rows, columns, numbers = config.array.rows, config.array.columns, config.engine.output_width
    for product in random_products(config, np.random.default_rng(4), 4):
        model = OutputCycles(config, OutputStage(rows, columns, None, config.engine, False, config.terms.width))
        shape = product[0].shape
        tiles = [(0, 0)] * (-(-shape[0] // rows) * -(-shape[1] // columns))
        due = model.ends(Output(integers=True), shape, 0, tiles, rows * columns // numbers)
        assert check(config, [product]) == due


def test_the_rate_is_a_number_per_cycle():
    """4 x 4 tiles of 8 x 8 are 1,024 numbers, and the first word waits for a tile."""
    config = config_of(8, 8, 4, 8)
    values = np.random.default_rng(1).standard_normal((32, 32)).astype(np.float32)
    latency = 13
    assert check(config, [(values, -5, False)]) <= 1024 + 64 + latency


def test_a_wrong_converter_is_caught(monkeypatch):
    def shifted(in_width, places, width):
        return RoundingShifter(in_width, places - 1, width)

    monkeypatch.setattr(integer_results, "RoundingShifter", shifted)
    config = config_of(8, 8, 4, 8)
    with pytest.raises(AssertionError):
        check(config, random_products(config, np.random.default_rng(1), 2))
