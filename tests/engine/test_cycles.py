"""The cycle model against simulation: single products, and products that follow each other."""

import numpy as np
import pytest
from operands import Case, random_case

from lowtide.config import Config
from lowtide.engine.params import EngineParams
from lowtide_model.engine.cycles import CycleModel, Shape, Work
from lowtide_model.engine.operand import OperandSettings
from lowtide_sim.engine.queue import Queued, run_queued
from lowtide_sim.engine.verilated import VerilatedEngine


def work(config, case):
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
    return Work(a=shapes[0], b=shapes[1])


def check_single_products(engine):
    """Of most products the model knows every cycle; all others together differ by less than 2 %."""
    rng, model = np.random.default_rng(1), CycleModel(engine.config)
    measured, modeled = [], []
    for _ in range(60):
        case = random_case(rng, engine.config, found=0)
        measured.append(engine.multiply(case.a, case.b, case.a_settings, case.b_settings).cycles)
        modeled.append(model.products([work(engine.config, case)]))
    errors = np.subtract(measured, modeled)
    assert np.count_nonzero(errors) <= len(errors) // 4
    assert np.abs(errors).sum() < 0.02 * np.sum(measured)


def test_single_products(engine):
    check_single_products(engine)


@pytest.mark.slow
def test_single_products_with_blocks(engine, libraries):
    keys = {"array.rows": 4, "array.block_rows": 2, "array.block_columns": 2, "array.skew": "memory"}
    check_single_products(VerilatedEngine(engine.config.changed(keys), libraries))


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
