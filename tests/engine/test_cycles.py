"""The cycle model against simulation: single products, and products that follow each other."""

import numpy as np
import pytest
from operands import Case, random_case, random_matrix

from lowtide.config import Config
from lowtide.engine.params import EngineParams
from lowtide_model.engine.cycles import CycleModel, Shape, Work
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.passes import split
from lowtide_model.engine.results import result_beats
from lowtide_sim.engine.queue import Queued, run_queued
from lowtide_sim.engine.verilated import ADD, KEEP, LOAD_A, LOAD_B, VerilatedEngine


def work(config, case, **sums):
    """A product as the model takes it."""
    shapes = [
        Shape(
            lines=side.x.shape[0],
            length=side.length,
            chunks=operand.chunks,
            transposed=side.transposed,
            packed=bool(side.packed),
        )
        for side, operand in zip(case.lines(config), case.settings(config), strict=True)
    ]
    return Work(a=shapes[0], b=shapes[1], **sums)


def check_single_products(engine):
    """Of most products the model knows every cycle; all others differ by one or two cycles."""
    rng, model = np.random.default_rng(1), CycleModel(engine.config)
    measured, modeled = [], []
    for _ in range(60):
        case = random_case(rng, engine.config, found=0)
        measured.append(engine.multiply(case.a, case.b, case.a_settings, case.b_settings).cycles)
        modeled.append(model.products([work(engine.config, case)]))
    errors = np.subtract(measured, modeled)
    assert np.count_nonzero(errors) <= len(errors) // 8
    assert np.abs(errors).max() <= 2


def test_single_products(engine):
    check_single_products(engine)


@pytest.mark.slow
@pytest.mark.parametrize(("write_width", "input_width"), [(1, 4), (4, 4), (2, 1)])
def test_single_products_with_other_writes(engine, fresh_engine, write_width, input_width):
    keys = {"engine.write_width": write_width, "engine.input_width": input_width}
    check_single_products(fresh_engine(engine.config.changed(keys)))


@pytest.mark.slow
@pytest.mark.parametrize("input_width", [1, 2])
def test_single_products_without_transposers(engine, fresh_engine, input_width):
    keys = {"engine.transpose_depth": 0, "engine.input_width": input_width}
    check_single_products(fresh_engine(engine.config.changed(keys)))


@pytest.mark.slow
def test_single_products_with_blocks(engine, fresh_engine):
    keys = {"array.rows": 4, "array.block_rows": 2, "array.block_columns": 2, "array.skew": "memory"}
    check_single_products(fresh_engine(engine.config.changed(keys)))


def test_single_products_with_sums(sum_engine):
    check_single_products(sum_engine)


USES = {
    "kept": [(False, True)],
    "kept, then added": [(False, True), (True, False)],
    "kept, then added and kept": [(False, True), (True, True)],
    "a product, then a kept one": [(False, False), (False, True)],
    "kept, then a product": [(False, True), (False, False)],
}


def started_together(engine, model, case, uses, reused):
    """Cycles of products started before their operands are sent, on the engine and by the model."""
    config, engine_loads = engine.config, [(LOAD_A | LOAD_B) * (n == 0 or not reused) for n in range(len(uses))]
    loads = [
        engine.prepare(side, vectors, of)
        for side, vectors, of in zip("ab", case.lines(config), case.settings(config), strict=True)
    ]
    engine.write("clear", 1)
    for (add, keep), load in zip(uses, engine_loads, strict=True):
        engine.wait("status", 1)
        engine.write("start", load | ADD * add | KEEP * keep)
    sent, times = sum(not keep for _, keep in uses), np.count_nonzero(engine_loads)
    beats = sent * result_beats(config, case.a.shape[0], case.b.shape[1])
    engine.finish(engine.transfer([loads[0]] * times, [loads[1]] * times, beats), products=sent)
    engine.wait("status", 2)
    works = [
        work(config, case, add=add, keep=keep, load_a=bool(load), load_b=bool(load))
        for (add, keep), load in zip(uses, engine_loads, strict=True)
    ]
    return engine.read("cycles"), model.products(works)


@pytest.mark.parametrize("reused", [False, True])
@pytest.mark.parametrize("name", USES)
def test_sums_take_the_cycles_of_the_model(sum_engine, name, reused):
    """Compared with products without sums, to the cycle; the host's time until it sends operands is equal in both."""
    check_products_with_sums(sum_engine, USES[name], reused, (5, 40))


@pytest.mark.slow
@pytest.mark.parametrize("reused", [False, True])
@pytest.mark.parametrize("name", USES)
def test_sums_wait_for_slow_results(sum_engine, fresh_engine, name, reused):
    """With one number per beat, the normalizer accepts rows more slowly than the array sends them."""
    engine = fresh_engine(sum_engine.config.changed({"engine.output_width": 1}))
    check_products_with_sums(engine, USES[name], reused, (5,))


def check_products_with_sums(engine, uses, reused, longest):
    """The difference to products without sums has the cycles of the model; K is below one of ``longest``."""
    rng, model = np.random.default_rng(2), CycleModel(engine.config)
    for _ in range(60):
        m, n, k = (int(rng.integers(1, most)) for most in (6, 8, rng.choice(longest)))
        settings = OperandSettings(bias=-5, chunks=int(rng.integers(1, 3))), OperandSettings(bias=-5)
        case = Case(random_matrix(rng, (m, k)), random_matrix(rng, (k, n)), *settings)
        with_sums = started_together(engine, model, case, uses, reused)
        plain = started_together(engine, model, case, [(False, False)] * len(uses), reused)
        assert with_sums[0] - plain[0] == with_sums[1] - plain[1]


def test_engines_without_transposers_take_operands_in_order(small):
    shape = Shape(lines=2, length=2, chunks=1, transposed=True)
    with pytest.raises(ValueError, match=r"^engine\.transpose_depth must be above 0 for transposed operands, not 0$"):
        CycleModel(small.changed({"engine.transpose_depth": 0})).products([Work(a=shape, b=shape)])


def test_engines_without_sums_cannot_keep_them(small):
    shape = Shape(lines=2, length=2, chunks=1)
    with pytest.raises(
        ValueError, match=r"^engine\.sum_rows must be 1 or more for products that add or keep sums, not 0$"
    ):
        CycleModel(small).products([Work(a=shape, b=shape, keep=True)])


@pytest.mark.slow
def test_a_block_in_passes(libraries):
    """Two blocks of 128 × 128 of the default engine, in five passes each: the model is right to 0.5 %."""
    config, rng = Config(engine=EngineParams(sum_rows=128)), np.random.default_rng(4)
    products, works = [], []
    a, b = (rng.standard_normal(size).astype(np.float32) for size in ((256, 1500), (128, 1500)))
    settings = [OperandSettings(bias=-5)] * 2
    for part in split(config, m=256, k=4500, n=128, chunks_a=1, chunks_b=1):
        k = slice(0, part.k.stop - part.k.start)
        case = Case(a[part.rows, k], b.T[k, part.columns], *settings)
        products.append(
            Queued(a=case.a, b=case.b, a_settings=settings[0], b_settings=settings[1], add=part.add, keep=part.keep)
        )
        works.append(work(config, case, add=part.add, keep=part.keep))
    assert [(work.add, work.keep) for work in works] == 2 * ([(False, True)] + [(True, True)] * 3 + [(True, False)])
    found = run_queued(VerilatedEngine(config, libraries), products)
    modeled = CycleModel(config).products(works)
    print(f"\n{found.cycles:,} cycles, {found.beats / found.cycles:.1%} busy, {modeled:,} by the model")
    assert abs(modeled / found.cycles - 1) < 0.005


LAYERS = {
    "2 x 2 bits": ((1, 1), 4, 0.82),
    "2 x 4 bits": ((1, 2), 4, 0.9),
    "4 x 4 bits": ((2, 2), 4, 0.95),
    "2 x 2 bits, eight numbers per beat": ((1, 1), 8, 0.88),
}


@pytest.mark.slow
@pytest.mark.parametrize("b_order", ["along", "transposed"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_256(libraries, name, b_order):
    """The model is right to 0.5 %, and elements are busy, the first load included."""
    chunks, numbers, least = LAYERS[name]
    config, rng = Config(engine=EngineParams(input_width=numbers)), np.random.default_rng(3)
    a, b = (rng.standard_normal((256, 256)).astype(np.float32) for _ in range(2))
    b = np.asfortranarray(b) if b_order == "along" else b
    case = Case(a, b, *(OperandSettings(bias=-5, chunks=count) for count in chunks))
    each = Queued(a=a, b=b, a_settings=case.a_settings, b_settings=case.b_settings)
    engine, model, found = VerilatedEngine(config, libraries), CycleModel(config), {}
    for count in (1, 8):
        found[count] = run_queued(engine, [each] * count)
        assert abs(model.products([work(config, case)] * count) / found[count].cycles - 1) < 0.005
    one, eight = found[1], found[8]
    busy, fed = eight.beats / eight.cycles, eight.beats / (eight.cycles - eight.waits)
    print(
        f"\n{name}, B {b_order}: {one.cycles:,} cycles for one, {one.beats / one.cycles:.1%} busy;"
        f" {eight.cycles:,} for eight, {busy:.1%} busy, {fed:.1%} when fed"
    )
    assert busy > least
