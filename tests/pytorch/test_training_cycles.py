"""Products of a training, their cycles, and the units that compute them."""

import attrs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("optuna")
pytest.importorskip("PIL")
from tiny_trainings import tiny  # noqa: E402
from torch.nn import functional  # noqa: E402

import lowtide_torch as lt  # noqa: E402
from lowtide.config import Config  # noqa: E402
from lowtide_model.engine.cycles import CycleModel  # noqa: E402
from lowtide_model.layer_cost import Layer, Setting  # noqa: E402
from lowtide_studies.equal_area.cells import INTEGERS  # noqa: E402
from lowtide_studies.network_training import run as run_module  # noqa: E402
from lowtide_studies.network_training.cycles import CountingEngine, Cycles, Product, cycles_of  # noqa: E402
from lowtide_studies.network_training.formats import FORMATS  # noqa: E402
from lowtide_studies.network_training.models import LstmModel  # noqa: E402
from lowtide_studies.network_training.training import _Training, train  # noqa: E402
from lowtide_studies.network_training.units import COMPARED, UNITS  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def test_products_of_a_convolution_are_products_of_its_windows():
    engine, layer = CountingEngine(Config()), torch.nn.Conv2d(16, 8, 3, padding=1)
    lt.quantize_(layer, lt.BFP(), engine=engine)
    layer(torch.randn(2, 16, 6, 5, requires_grad=True)).sum().backward()
    four = {"chunks_a": 2, "chunks_b": 2}
    assert engine.used == {
        Product(m=60, k=144, n=8, **four): 1,
        Product(m=60, k=8, n=144, **four): 1,
        Product(m=144, k=60, n=8, **four): 1,
    }


def test_products_of_each_step_of_time_are_counted():
    engine, network = CountingEngine(Config()), LstmModel(5, 4)
    lt.quantize_(network, lt.BFP(), engine=engine)
    tokens = torch.zeros(3, 7, dtype=torch.long)
    functional.cross_entropy(network(tokens).flatten(0, 1), tokens.flatten()).backward()
    hidden = [product for product in engine.used if product.macs == 3 * 4 * 16 and 21 not in attrs.astuple(product)]
    assert sum(engine.used[product] for product in hidden) == 7 + 7 + 6  # the first state has no gradient
    assert sum(product.macs * count for product, count in engine.used.items()) == 192 * 20 + 3 * 21 * (4 * 16 + 4 * 5)


@pytest.mark.parametrize("packed", [True, False])
def test_cycles_of_a_product_are_the_distance_of_equal_products(packed):
    config = Config()
    beats, cycles = cycles_of(config, 40, 96, 24, 2, 1, packed=packed)
    assert beats == 5 * 3 * 6 * 2
    works = Setting(bits_a=4, bits_b=2, packed=packed).works(config, Layer(name="x", m=40, k=96, n=24))
    ends = CycleModel(config).ends(works * 6)
    assert ends[-1] - ends[-1 - len(works)] == cycles > beats


def test_cycles_add_up():
    cycles, product = Cycles(), Product(m=16, k=33, n=9, chunks_a=2, chunks_b=1)
    cycles.add(product, 3, Config())
    assert (cycles.pairs, cycles.beats) == (3 * 2 * 2 * 3, 3 * 2 * 2 * 3 * 2)
    config, whole = Config().changed({"bfp.chunk_a": 4, "bfp.chunk_b": 4}), Cycles()
    whole.add(product, 3, config, chunks=(1, 1))
    assert whole.pairs == whole.beats == cycles.pairs
    assert whole.packed == 3 * cycles_of(config, 16, 33, 9, 1, 1, packed=True)[1]


def test_integers_take_a_cycle_per_product_and_are_always_packed():
    config = Config().changed(INTEGERS)
    cycles, product = Cycles(), Product(m=17, k=33, n=9, chunks_a=1, chunks_b=1)
    cycles.add(product, 2, config, chunks=(1, 1))
    assert (cycles.pairs, cycles.beats) == (0, 2 * 3 * 2 * 33)
    assert cycles.fp32 == cycles.packed == 2 * cycles_of(config, 17, 33, 9, 1, 1, packed=True)[1] > cycles.beats


def test_a_format_without_an_engine_has_the_products_of_its_steps():
    """INT8 and the engine of 4 bits compute products of equal sizes."""
    run, data = tiny("lstm", "int8", evaluations=2)
    integers = train(run, data)
    whole = train(attrs.evolve(run, format="fixed-4"), data)
    products = _Training(run, data).products
    one = Cycles()
    for product, count in products.items():
        one.add(product, count, Config().changed(INTEGERS), chunks=(1, 1))
    assert [cycles["packed"] for evaluation in integers.evaluations for cycles in evaluation.cycles.values()] == [
        step * one.packed for step in (1, 2, 3, 4)
    ]
    assert [evaluation.macs for evaluation in integers.evaluations] == [one.macs for one in whole.evaluations]


def test_units_of_four_bits():
    """Each unit of `fixed-4` has the cycles of its chunks, and the cells of an engine with these chunks."""
    run, data = tiny("transformer", "fixed-4")
    found = train(run, data).evaluations[-1].cycles
    products = _Training(run, data).products
    engines = {one.name: one.engine for one in COMPARED}
    beats = []
    for unit in UNITS["fixed-4"]:
        config, one = Config().changed(unit.changes or {}), Cycles()
        for product, count in products.items():
            one.add(product, 4 * count, config, chunks=(4 // config.bfp.chunk_a, 4 // config.bfp.chunk_b))
        assert found[unit.name] == one.to_json()
        assert engines[unit.name] == unit.changes
        beats.append(one.beats / one.pairs)
    assert beats == [4, 2, 1]


def test_all_units_have_cells():
    assert {unit.name for units in UNITS.values() for unit in units} <= {one.name for one in COMPARED}
    assert tuple(UNITS) == tuple(FORMATS) == run_module.FORMATS
