"""The cycle model against simulation: single products, and products that follow each other."""

import numpy as np
import pytest
from operands import Case, random_case

from lowtide.config import Config
from lowtide_sim.engine.cycles import CycleModel, Shape, Work
from lowtide_sim.engine.operand import Operand
from lowtide_sim.engine.queue import Queued, run_queued
from lowtide_sim.engine.verilated import VerilatedEngine


def work(config, case):
    """A product as the model takes it."""
    shapes = [
        Shape(lines=side.x.shape[0], length=side.x.shape[1], chunks=operand.chunks, across=side.across)
        for side, operand in zip(case.lines(config), (case.of_a, case.of_b), strict=True)
    ]
    return Work(a=shapes[0], b=shapes[1])


def test_single_products(engine):
    """Of most products it knows every cycle; all others together differ by less than 2 %."""
    rng, model = np.random.default_rng(1), CycleModel(engine.config)
    measured, modelled = [], []
    for _ in range(60):
        case = random_case(rng, engine.config, found=0)
        measured.append(engine.multiply(case.a, case.b, case.of_a, case.of_b).cycles)
        modelled.append(model.products([work(engine.config, case)]))
    errors = np.subtract(measured, modelled)
    assert np.count_nonzero(errors) <= len(errors) // 4
    assert np.abs(errors).sum() < 0.02 * np.sum(measured)


@pytest.mark.slow
@pytest.mark.parametrize(("chunks", "least"), [((1, 1), 0.8), ((1, 2), 0.9), ((2, 2), 0.95)])
def test_layers_of_256(libraries, chunks, least):
    """The model is right to 0.5 %, and elements are busy, the first load included."""
    config, rng = Config(), np.random.default_rng(3)
    a, b = (rng.standard_normal((256, 256)).astype(np.float32) for _ in range(2))
    case = Case(a, b, *(Operand(bias=-5, chunks=count) for count in chunks))
    cycles = CycleModel(config).products([work(config, case)] * 8)
    each = Queued(a=a, b=b, of_a=case.of_a, of_b=case.of_b)
    found = run_queued(VerilatedEngine(config, libraries), [each] * 8)
    busy, fed = found.beats / found.cycles, found.beats / (found.cycles - found.waits)
    print(f"\n{chunks}: {found.cycles:,} cycles, model {cycles:,}; {busy:.1%} busy, {fed:.1%} when fed")
    assert abs(cycles / found.cycles - 1) < 0.005
    assert busy > least
