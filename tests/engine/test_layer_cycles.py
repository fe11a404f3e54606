"""The cycle model against simulation: layers of networks, in parts as the driver splits them, without a pause."""

import numpy as np
import pytest
from operands import Case

from lowtide.config import Config
from lowtide_model.engine.cycles import CycleModel
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.passes import split
from lowtide_model.layer_cost import Layer, Setting
from lowtide_sim.engine.queue import Queued, run_queued
from lowtide_sim.engine.verilated import VerilatedEngine

SMALL = {
    "convolution, few outputs": Layer(name="layer", m=120, k=36, n=6, count=2),
    "convolution, reduction in slices": Layer(name="layer", m=14, k=140, n=30, count=2),
    "attention scores": Layer(name="layer", m=24, k=8, n=24, count=4),
    "attention context": Layer(name="layer", m=24, k=24, n=8, count=4, transposed=True),
    "perceptron": Layer(name="layer", m=16, k=32, n=15, count=4, transposed=True),
    "gates of an LSTM": Layer(name="layer", m=5, k=64, n=90, count=2),
    "classifier": Layer(name="layer", m=1, k=60, n=50),
}
"""Small versions, each in several parts or repetitions."""


def sequence(rng, config, layer, setting):
    """Random operands of each part of a layer, in the order in which the driver sends them."""
    a_shape, b_shape = setting.shapes(config, layer)
    a = rng.standard_normal((layer.m, layer.k)).astype(np.float32)
    b = rng.standard_normal((layer.k, layer.n)).astype(np.float32)
    b = b if b_shape.transposed else np.asfortranarray(b)
    chunks = (a_shape.chunks, b_shape.chunks)
    queue = []
    size = {"m": layer.m, "k": layer.k, "n": layer.n, "chunks_a": chunks[0], "chunks_b": chunks[1]}
    for part in split(config, **size, in_order_b=not b_shape.transposed):
        each = Case(
            a[part.rows, part.k], b[part.k, part.columns], *(OperandSettings(bias=-5, chunks=one) for one in chunks)
        )
        if setting.packed:
            each = each.packed(config, "a").packed(config, "b")
        queue.append((part, each))
    return [
        Queued(
            a=each.a,
            b=each.b,
            a_settings=each.a_settings,
            b_settings=each.b_settings,
            load_a=part.load_a,
            load_b=part.load_b,
        )
        for part, each in queue
    ] * layer.count


def check(engine, layers, setting):
    """The model's cycles are within 1 % of the simulation, and every result equals the golden engine's."""
    config, rng = engine.config, np.random.default_rng(1)
    works = [work for layer in layers for work in setting.works(config, layer)]
    queue = [each for layer in layers for each in sequence(rng, config, layer, setting)]
    found = run_queued(engine, queue)
    assert CycleModel(config).products(works) == pytest.approx(found.cycles, rel=0.01)
    for each, values in zip(queue, found.values, strict=True):
        due = Case(each.a, each.b, each.a_settings, each.b_settings).due(config)
        assert values.tobytes() == due.values.tobytes()


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "fp32"])
@pytest.mark.parametrize("bits", [(2, 1), (4, 4)], ids=["2x1", "4x4"])
@pytest.mark.parametrize("kind", SMALL)
def test_small_layers(engine, kind, bits, packed):
    check(engine, [SMALL[kind]], Setting(bits_a=bits[0], bits_b=bits[1], packed=packed))


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "fp32"])
def test_layers_one_after_the_other(engine, packed):
    check(engine, list(SMALL.values()), Setting(bits_a=4, bits_b=2, packed=packed))


LARGE = {
    "convolution of ResNet-18, some rows": Layer(name="layer", m=392, k=576, n=64, count=2),
    "last convolution of ResNet-18, some columns": Layer(name="layer", m=49, k=4608, n=64),
    "convolution of ResNet-20": Layer(name="layer", m=1024, k=144, n=16, count=2),
    "attention scores": Layer(name="layer", m=128, k=64, n=128, count=4),
    "attention context": Layer(name="layer", m=128, k=128, n=64, count=4, transposed=True),
    "gates of an LSTM, some": Layer(name="layer", m=20, k=650, n=650, count=2),
    "classifier": Layer(name="layer", m=1, k=512, n=1000),
}


@pytest.mark.slow
@pytest.mark.parametrize("packed", [True, False], ids=["packed", "fp32"])
@pytest.mark.parametrize("bits", [2, 4])
@pytest.mark.parametrize("kind", LARGE)
def test_layers_of_real_networks(libraries, kind, bits, packed):
    check(VerilatedEngine(Config(), libraries), [LARGE[kind]], Setting(bits_a=bits, bits_b=bits, packed=packed))
