"""Operands that stay in slots: used by any later product, never overwritten while a product may read them."""

import attrs
import numpy as np
import pytest
from operands import Case, random_case, random_matrix

from fixtures.engines import SLOT_ENGINE
from lowtide.config import ConfigError
from lowtide.engine.registers import ERRORS
from lowtide.formats.parameter import IllegalValue
from lowtide_model.engine.cycles import CycleModel, Shape, Work
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.transfer import Stalls
from lowtide_sim.engine.queue import Queued, run_queued
from lowtide_sim.engine.verilated import LOAD_A, LOAD_B

SLOTS = SLOT_ENGINE.engine.slots


@attrs.frozen(eq=False)
class Stored:
    """An operand in a slot."""

    x: np.ndarray
    settings: OperandSettings


def random_products(rng, config, count, most=(8, 12, 16)):
    """Products that load or reuse operands of random slots; operands of a product have equal lengths."""
    stored = {"a": {}, "b": {}}
    products, cases = [], []
    while len(products) < count:
        case = random_case(rng, config, most, found=0)
        settings = dict(zip("ab", case.settings(config), strict=True))
        slots = {side: int(rng.integers(SLOTS)) for side in "ab"}
        new = {side: slots[side] not in stored[side] or rng.random() < 0.4 for side in "ab"}
        old = [stored[side][slots[side]].x.shape["ab".index(side) ^ 1] for side in "ab" if not new[side]]
        if len(set(old)) > 1:
            continue  # the operands in these slots do not multiply
        k = old[0] if old else case.a.shape[1]
        for side, x in (
            ("a", random_matrix(rng, (case.a.shape[0], k))),
            ("b", random_matrix(rng, (k, case.b.shape[1]))),
        ):
            if new[side]:
                stored[side][slots[side]] = Stored(x, settings[side])
        a, b = (stored[side][slots[side]] for side in "ab")
        cases.append(Case(a.x, b.x, a.settings, b.settings))
        products.append(
            Queued(
                a=a.x,
                b=b.x,
                a_settings=a.settings,
                b_settings=b.settings,
                load_a=bool(new["a"]),
                load_b=bool(new["b"]),
                slot_a=slots["a"],
                slot_b=slots["b"],
            )
        )
    return products, cases


def test_back_to_back_products(slot_engine):
    """Operands of random slots are loaded and reused, each as soon as the engine takes the product."""
    rng = np.random.default_rng(1)
    reused = 0
    for _ in range(12):
        slot_engine.reset()
        slot_engine.stalls = Stalls(*(int(share) for share in rng.choice([0, 0, 60, 200], 3)))
        products, cases = random_products(rng, slot_engine.config, 16)
        reused += sum(not product.load_a for product in products)
        found = run_queued(slot_engine, products)
        for case, values in zip(cases, found.values, strict=True):
            assert values.tobytes() == case.due(slot_engine.config).values.tobytes()
    assert reused > 30


def product_of(rng, engine, k, slot):
    """A product of random operands in slots of one number, and its case."""
    settings = random_case(rng, engine.config, found=0).settings(engine.config)
    case = Case(random_matrix(rng, (3, k)), random_matrix(rng, (k, 5)), *settings)
    product = Queued(
        a=case.a,
        b=case.b,
        a_settings=case.a_settings,
        b_settings=case.b_settings,
        slot_a=slot,
        slot_b=slot,
    )
    return product, case


def test_a_product_of_an_empty_slot_is_refused(slot_engine):
    """Also after products in other slots; the next legal product is right."""
    rng = np.random.default_rng(2)
    for slot in range(SLOTS):
        for load in (0, LOAD_A, LOAD_B):
            slot_engine.write("a_slot", slot)
            slot_engine.write("b_slot", slot)
            slot_engine.write("start", load)
            slot_engine.wait("errors", 1)
            assert slot_engine.read("errors") == 1 << ERRORS.index("refused")
            slot_engine.write("errors", 1)
        product, case = product_of(rng, slot_engine, 8, slot)
        (values,) = run_queued(slot_engine, [product]).values
        assert values.tobytes() == case.due(slot_engine.config).values.tobytes()


def test_operands_of_different_lengths_are_refused(slot_engine):
    rng = np.random.default_rng(3)
    (first, _), (second, case) = product_of(rng, slot_engine, 8, 0), product_of(rng, slot_engine, 12, 1)
    run_queued(slot_engine, [first, second])
    slot_engine.write("a_slot", 0)
    slot_engine.write("start", 0)
    slot_engine.wait("errors", 1)
    slot_engine.write("errors", 1)
    again = attrs.evolve(second, load_a=False, load_b=False)
    (values,) = run_queued(slot_engine, [again]).values
    assert values.tobytes() == case.due(slot_engine.config).values.tobytes()


def test_a_slot_that_does_not_exist_is_refused(slot_engine):
    slot_engine.write("a_slot", SLOTS)
    slot_engine.write("start", LOAD_A | LOAD_B)
    slot_engine.wait("errors", 1)
    assert slot_engine.read("errors") == 1 << ERRORS.index("refused")


@pytest.mark.parametrize("slots", [-1, 1, 3, 32, True])
def test_illegal_numbers_of_slots(slots):
    with pytest.raises(ConfigError, match=r"^engine.slots must be one of 0, 2, 4, 8, 16, not "):
        SLOT_ENGINE.changed({"engine.slots": slots})


@pytest.mark.parametrize("slots", [(0,), (0, 1), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("loads", ["ab", "a", "b", ""])
def test_cycles_equal_the_model(slot_engine, loads, slots):
    """Products that take turns with slots; after the first ones, some operands stay in slot 0."""
    rng = np.random.default_rng(4)
    slot_engine.stalls = Stalls()
    first, _ = product_of(rng, slot_engine, 15, 0)
    first = attrs.evolve(first, a=np.ascontiguousarray(first.a), b=np.asfortranarray(first.b))
    products = []
    for n in range(8):
        changes = {}
        for side in "ab":
            new = n < len(slots) or side in loads
            changes |= {f"load_{side}": new, f"slot_{side}": slots[n % len(slots)] if new else 0}
        products.append(attrs.evolve(first, **changes))
    found = run_queued(slot_engine, products)
    due = CycleModel(slot_engine.config).products([work(slot_engine.config, product) for product in products])
    assert abs(found.cycles - due) <= 1


def test_by_default_slots_take_turns(slot_engine):
    """As fast as two banks that take turns, but for a cycle per product; the model knows it."""
    rng = np.random.default_rng(5)
    first, _ = product_of(rng, slot_engine, 15, None)
    first = attrs.evolve(first, a=np.ascontiguousarray(first.a), b=np.asfortranarray(first.b))
    works = [work(slot_engine.config, first)] * 8
    found = run_queued(slot_engine, [first] * 8)
    due = CycleModel(slot_engine.config).products(works)
    assert abs(found.cycles - due) <= 1
    without = CycleModel(slot_engine.config.changed({"engine.slots": 0})).products(works)
    assert 0 <= due - without <= 8


@pytest.mark.parametrize(
    ("slots", "settings", "message"),
    [
        (4, {"slot_a": 4}, "slot_a must be from 0 to 3, not 4"),
        (4, {"slot_b": 1, "load_b": False}, "slot_b must be a slot with an operand, not 1"),
        (0, {"slot_a": 0}, "slot_a must be None, as engine.slots is 0, not 0"),
    ],
)
def test_the_models_refuse_a_slot(slots, settings, message):
    config, shape = SLOT_ENGINE.changed({"engine.slots": slots}), Shape(lines=2, length=4, chunks=1)
    with pytest.raises(IllegalValue, match=f"^{message}$"):
        CycleModel(config).products([Work(a=shape, b=shape, **settings)])


def work(config, product):
    """A queued product as the cycle model takes it."""
    case = Case(product.a, product.b, product.a_settings, product.b_settings)
    shapes = [
        Shape(lines=x.x.shape[0], length=x.length, chunks=of.chunks, transposed=x.transposed)
        for x, of in zip(case.lines(config), case.settings(config), strict=True)
    ]
    names = ("load_a", "load_b", "slot_a", "slot_b")
    return Work(a=shapes[0], b=shapes[1], **{name: getattr(product, name) for name in names})
