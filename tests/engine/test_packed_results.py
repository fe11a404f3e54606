"""Packed results: words and events of random products, with stalls, for many shapes of tiles and groups."""

import attrs
import numpy as np
import pytest
from amaranth.hdl import Module
from hypothesis import given, settings
from hypothesis import strategies as st
from result_streams import Port, beats_of_tiles, run

from lowtide.config import Config
from lowtide.engine import packed_results
from lowtide.engine.group_packer import GroupPacker
from lowtide.engine.operand import ROUNDINGS
from lowtide.engine.output_stage import OutputStage
from lowtide.engine.packed_results import PackedResults
from lowtide_model import SteppingSource
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.output_cycles import Output, OutputCycles
from lowtide_model.engine.post_operations import packed_results as converted
from lowtide_model.engine.post_operations import packed_words, results_from_words, words_of_results

# Rows, columns, numbers per beat, and keys of the format.
ENGINES = [
    (8, 8, 4, {}),
    (1, 1, 1, {"bfp.lanes": 4}),
    (2, 16, 8, {"bfp.mantissa": 8}),
    (3, 6, 3, {"bfp.chunk_a": 1, "bfp.chunk_b": 4}),
    (4, 5, 5, {"bfp.lanes": 4, "bfp.exponent": 5}),
    (2, 64, 1, {"bfp.chunk_a": 4}),
    (1, 12, 2, {"bfp.lanes": 8, "bfp.mantissa": 12, "bfp.chunk_a": 3}),
    (5, 1, 1, {"bfp.lanes": 8, "engine.lfsr_bits": 3, "engine.random_plateau": True}),
]


def config_of(rows, columns, numbers, keys):
    shape = {"array.rows": rows, "array.columns": columns, "engine.output_width": numbers, "engine.buffer_depth": 64}
    return Config().changed(shape | keys)


def values_of(rng, shape, bias):
    """Results around the window of a bias, with zeros, infinities and NaNs."""
    x = rng.standard_normal(shape) * 2.0 ** rng.integers(bias - 6, bias + 9, shape)
    x[rng.random(x.shape) < 0.1] = 0
    x[rng.random(x.shape) < 0.02] = np.inf
    x[rng.random(x.shape) < 0.02] = np.nan
    return x.astype(np.float32)


def random_settings(config, rng):
    return OperandSettings(
        chunks=int(rng.integers(1, config.bfp.mantissa // config.bfp.chunk_a + 1)),
        rounding=rng.choice(ROUNDINGS),
        seed=int(rng.integers(1, 2**config.engine.lfsr_bits)),
        bias=int(rng.integers(-20, 20)),
    )


def send(config, products, stall=0.0, seed=1):
    """Send products; return the words and events of each, and the cycles of all."""
    rows, columns, numbers = config.array.rows, config.array.columns, config.engine.output_width
    dut, found, cycles = PackedResults(rows, columns, config.bfp, config.engine), [], 0

    async def bench(ctx):
        nonlocal cycles
        for number, (values, its) in enumerate(products):
            fields = {
                "chunks": its.chunks,
                "rounding": ROUNDINGS.index(its.rounding),
                "seed": its.seed,
                "bias": its.bias,
            }
            ctx.set(dut.settings, fields)
            ctx.set(dut.vectors, values.shape[0])
            ctx.set(dut.length, values.shape[1])
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            # Results beyond M and N must not matter.
            beats = beats_of_tiles(values.view(np.uint32), rows, columns, numbers, fill=0x7F800000)
            i, o = Port(dut.i, beats, stall, seed + number), Port(dut.o, None, stall, seed - number)
            events, idle = [0, 0, 0], 0
            while ctx.get(dut.busy) or i.left:
                i.drive(ctx)
                o.accept(ctx)
                before = len(o.received), len(i.left)
                o.take(ctx)
                i.sent(ctx)
                idle = 0 if before != (len(o.received), len(i.left)) else idle + 1
                assert idle < 1000, "hangs"
                ports = (dut.exp_saturated, dut.saturated, dut.nonfinite)
                events = [count + ctx.get(port) for count, port in zip(events, ports, strict=True)]
                await ctx.tick()
                cycles += 1
            lasts = [beat >> 32 * numbers for beat in o.received]
            assert lasts == [0] * (len(lasts) - 1) + [1]
            words = [beat >> 32 * n & 0xFFFFFFFF for beat in o.received for n in range(numbers)]
            found.append((np.array(words, np.uint32), events))

    run(dut, bench)
    return found, cycles


def check(config, products, stall=0.0, seed=1):
    found, cycles = send(config, products, stall, seed)
    for (values, its), (words, events) in zip(products, found, strict=True):
        tensor = converted(config, values, its)
        count = packed_words(config, len(values), values.shape[1], its.chunks)
        assert len(words) == -(-count // config.engine.output_width) * config.engine.output_width
        assert words[:count].tolist() == words_of_results(config, tensor).tolist()
        assert not words[count:].any()
        bad = np.pad(~np.isfinite(values), ((0, 0), (0, -values.shape[1] % tensor.group)))
        nonfinite = bad.reshape(*tensor.codes.shape, tensor.group).any(axis=-1).sum()
        assert events == [tensor.saturated_groups, tensor.saturated_elements, nonfinite]
    return cycles


def random_products(config, rng, count):
    products = []
    for _ in range(count):
        its = random_settings(config, rng)
        # A buffer has room for the tiles of a row.
        most = min(3 * max(config.array.columns, config.bfp.lanes), config.array.columns * config.engine.buffer_depth)
        shape = rng.integers(1, (3 * config.array.rows + 1, most + 1))
        products.append((values_of(rng, shape, its.bias), its))
    return products


@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_words_and_events_equal_the_model(engine, stall):
    config = config_of(*engine)
    check(config, random_products(config, np.random.default_rng(1), 3), stall)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(1, 40), st.sampled_from([4, 8, 16, 32, 64]), st.integers(0, 2**32 - 1))
def test_any_shape(rows, columns, lanes, seed):
    rng = np.random.default_rng(seed)
    widths = [n for n in range(1, columns + 1) if columns % n == 0]
    config = config_of(rows, columns, int(rng.choice(widths)), {"bfp.lanes": lanes})
    check(config, random_products(config, rng, 2), float(rng.choice([0, 0.3])), seed)


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_cycles_equal_the_model(engine):
    config = config_of(*engine).changed({"engine.packed_results": True})
    rows, columns, numbers = config.array.rows, config.array.columns, config.engine.output_width
    for values, its in random_products(config, np.random.default_rng(4), 4):
        model = OutputCycles(config, OutputStage(rows, columns, config.bfp, config.engine, sums=False))
        tiles = [(0, 0)] * (-(-values.shape[0] // rows) * -(-values.shape[1] // columns))
        due = model.ends(Output(chunks=its.chunks), values.shape, 0, tiles, rows * columns // numbers)
        assert check(config, [(values, its)]) == due


def test_the_rate_is_a_number_per_cycle():
    """4 x 4 tiles of 8 x 8 are 1,024 numbers, and the first row of groups waits for two tiles."""
    config = config_of(8, 8, 4, {})
    its = OperandSettings(chunks=2, bias=-7)
    latency = 21
    assert check(config, [(values_of(np.random.default_rng(1), (32, 32), -7), its)]) == 1024 + 2 * 64 + latency


@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_words_of_results_and_back(engine):
    config = config_of(*engine)
    for values, its in random_products(config, np.random.default_rng(2), 5):
        tensor = converted(config, values, its)
        again = results_from_words(config, words_of_results(config, tensor), values.shape, its)
        assert again.signed.tolist() == tensor.signed.tolist()
        assert again.codes.tolist() == tensor.codes.tolist()
        assert (again.bias, again.shape, again.axis) == (tensor.bias, tensor.shape, tensor.axis)


def test_random_words_follow_the_order_of_the_groups():
    """Stochastic rounding, one element at a time, with a source that steps."""
    config = config_of(3, 2, 1, {"bfp.lanes": 4, "engine.lfsr_bits": 5, "engine.random_plateau": True})
    rng, its = np.random.default_rng(3), OperandSettings(chunks=1, rounding="stochastic", seed=19, bias=-3)
    values = (rng.random((8, 11)) * 15.9).astype(np.float32)
    source = SteppingSource(attrs.evolve(config.engine.source(4), seed=19))
    r, top, expected = source.source.width, 2**config.bfp.chunk_a - 1, np.zeros((8, 12), int)
    padded = np.pad(values, ((0, 0), (0, 1))).astype(float)
    for tile in range(0, 8, 3):
        rows = range(tile, min(tile + 3, 8))
        for group in range(3):
            for row in rows:
                numbers = padded[row, 4 * group : 4 * group + 4]
                code = min(max(int(np.floor(np.log2(numbers.max()))) + 3, 0), 7)
                for lane, word in enumerate(source.words()):
                    scaled = numbers[lane] * 2.0 ** (config.bfp.chunk_a - 1 - code + 3)
                    up = int(scaled % 1 * 2 ** (r + 1)) + 2 * word + 1 >= 2 ** (r + 1)
                    expected[row, 4 * group + lane] = min(int(scaled) + up, top)
                source.step(row == rows[-1])
    assert converted(config, values, its).signed.tolist() == expected.tolist()


class Swapped(GroupPacker):
    """Sends the magnitudes' planes with the most significant first."""

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = GroupPacker(self.params)
        m.d.comb += [core.chunks.eq(self.chunks), core.i.payload.last.eq(self.i.payload.last)]
        m.d.comb += [core.i.valid.eq(self.i.valid), self.i.ready.eq(core.i.ready)]
        m.d.comb += core.i.payload.group.exponent.eq(self.i.payload.group.exponent)
        for mine, its in zip(self.i.payload.group.lane, core.i.payload.group.lane, strict=True):
            m.d.comb += [its.sign.eq(mine.sign), its.magnitude.eq(mine.magnitude[::-1])]
        m.d.comb += [self.o.payload.eq(core.o.payload), self.o.valid.eq(core.o.valid), core.o.ready.eq(self.o.ready)]
        return m


def test_a_packer_with_another_order_of_planes_is_caught(monkeypatch):
    monkeypatch.setattr(packed_results, "GroupPacker", Swapped)
    config = config_of(8, 8, 4, {})
    with pytest.raises(AssertionError):
        check(config, random_products(config, np.random.default_rng(1), 2))
