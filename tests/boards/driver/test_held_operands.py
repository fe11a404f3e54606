"""Operands that the engine holds: the driver does not send them again, and every product is as if it had."""

import attrs
import numpy as np
import pytest

from fixtures.devices import SMALL_DEVICE, connected, simulated
from lowtide_boards.driver import remote_engine
from lowtide_boards.driver.errors import DeviceError
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import multiply
from lowtide_model.engine.passes import split
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.sums import Pass

SETTINGS = OperandSettings(chunks=2, bias=-5)


@pytest.fixture
def sent(monkeypatch):
    """Sides of the operands that the driver sends, in order."""
    sides, loads = [], remote_engine._loads

    def counted(side, words, *rest):
        if len(words):
            sides.append(side)
        return loads(side, words, *rest)

    monkeypatch.setattr(remote_engine, "_loads", counted)
    return sides


@pytest.fixture(scope="session")
def slot_line():
    """A small device with four slots per buffer."""
    return simulated(SMALL_DEVICE.changed({"engine.slots": 4}))


@pytest.fixture
def slot_device(slot_line):
    """A connected driver of the device with slots."""
    return connected(slot_line)


def matrix(seed, *shape):
    return (8 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def check(device, a, b, a_settings=SETTINGS, b_settings=SETTINGS, **others):
    """A product on the device equals the golden product: values, events and improvements."""
    found = multiply(device, a, b, a_settings, b_settings, **others)
    due = multiply(GoldenEngine(device.config), a, b, a_settings, b_settings, **others)
    assert found.values.tobytes() == due.values.tobytes()
    assert found.events == due.events
    assert (found.a_improvement, found.b_improvement) == (due.a_improvement, due.b_improvement)
    return found


def test_only_new_operands_are_sent(device, sent):
    weights = matrix(1, 9, 5)
    for seed in (2, 3):
        check(device, matrix(seed, 4, 9), weights)
    check(device, matrix(3, 4, 9), weights)
    check(device, matrix(3, 4, 9), matrix(4, 9, 5))
    assert sent == ["a", "b", "a", "b"]


def test_weights_stay_in_slots(slot_device, sent):
    """The weights of three layers stay while four inputs pass through the layers."""
    assert slot_device.config.engine.slots == 4
    weights = [matrix(10 + n, 6, 6) for n in range(3)]
    for seed in range(4):
        x = matrix(seed, 3, 6)
        for w in weights:
            x = check(slot_device, x, w).values
    assert sent.count("b") == 3
    assert sent.count("a") == 12


def test_the_oldest_slot_is_replaced(slot_device, sent):
    a, weights = matrix(1, 3, 6), [matrix(10 + n, 6, 6) for n in range(5)]
    for n in (0, 1, 2, 3, 0, 4, 0, 2, 3, 1):
        check(slot_device, a, weights[n])
    assert "".join(sent) == "a" + "b" * 6


def test_an_array_that_changed_in_place_is_sent(device, sent):
    a, b = matrix(1, 3, 6), matrix(2, 6, 4)
    check(device, a, b)
    a[2, 5] += 3
    check(device, a, b)
    assert sent == ["a", "b", "a"]


@pytest.mark.parametrize(
    "change",
    [{"chunks": 1}, {"bias": -4}, {"rounding": "truncate"}, {"rounding": "stochastic"}],
    ids=lambda change: "{}={}".format(*next(iter(change.items()))),
)
def test_an_operand_with_other_settings_is_sent(device, sent, change):
    a, b = matrix(1, 3, 6), matrix(2, 6, 4)
    other = attrs.evolve(SETTINGS, **change)
    check(device, a, b)
    check(device, a, b, other)
    check(device, a, b, other)
    check(device, a, b, other, other)
    assert sent == ["a", "b", "a", "b"]


def test_another_seed_is_another_operand(device, sent):
    a, b = matrix(1, 3, 6), matrix(2, 6, 4)
    for seed in (1, 1, 2):
        stochastic = attrs.evolve(SETTINGS, rounding="stochastic", seed=seed)
        check(device, a, b, stochastic, stochastic)
    assert sent == ["a", "b", "a", "b"]


def test_equal_words_of_another_shape_are_sent(device, sent):
    """Six zeros, padded to equal beats, are two rows of three or three rows of two."""
    for m, k in ((2, 3), (3, 2)):
        check(device, np.zeros((m, k), np.float32), np.ones((k, 2), np.float32))
    assert sent == ["a", "b", "a", "b"]


def test_panels_stay(device, sent):
    """The driver sends a panel only where the split of the product needs a new one."""
    m, k, n = 9, 150, 5
    parts = split(device.config, m=m, k=k, n=n, chunks_a=2, chunks_b=2)
    assert any(not part.load_a for part in parts)
    check(device, matrix(1, m, k), matrix(2, k, n))
    assert sent == [side for part in parts for side in "ab" if getattr(part, f"load_{side}")]


@pytest.mark.parametrize("packed", [False, True])
def test_results_arrive_in_the_order_of_the_new_operands(results_device, sent, packed):
    """Each case has several tiles in both directions: new A and B, B alone, A alone, neither; also with addends."""
    (a, b), shape = ((matrix(1, 3, 4), matrix(2, 4, 8)), (3, 8))
    post = PostOperations(bias=matrix(3, 8), residual=matrix(4, *shape), relu=True)
    others = {"post": post, "results": OperandSettings(chunks=2, bias=-2) if packed else None}
    for more in ({}, others):
        for x, y in ((a, b), (a, b[:, ::-1].copy()), (a[::-1].copy(), b[:, ::-1].copy()), (a, b[:, ::-1].copy())):
            check(results_device, x, y, **more)
        check(results_device, a, b[:, ::-1].copy(), **more)
    assert sent.count("a") == 5
    assert sent.count("b") == 4


def test_passes_of_a_sum(results_device, sent):
    """Four passes with one panel of A: each counts the events of A again, as the golden engine does."""
    a, all_b = matrix(1, 3, 32), matrix(2, 128, 4)
    passes = [
        Pass(a=a, b=all_b[k : k + 32], a_settings=SETTINGS, b_settings=SETTINGS) for k in range(0, len(all_b), 32)
    ]
    found, due = (engine.multiply_sum(passes) for engine in (results_device, GoldenEngine(results_device.config)))
    assert found.values.tobytes() == due.values.tobytes()
    assert found.events == due.events
    assert due.events.a_saturated > 0
    assert (found.a_improvement, found.b_improvement) == (due.a_improvement, due.b_improvement)
    assert "".join(sent) == "abbbb"


def test_an_interrupted_product_leaves_no_operand(device, sent, monkeypatch):
    a, b = matrix(1, 3, 6), matrix(2, 6, 4)
    check(device, a, b)
    with monkeypatch.context() as patch:
        patch.setattr(remote_engine, "_check", _fails)
        with pytest.raises(DeviceError, match="planted"):
            device.multiply(a, b, SETTINGS, SETTINGS)
    check(device, a, b)
    assert sent == ["a", "b"] * 2


def _fails(_errors):
    raise DeviceError("planted")


@pytest.mark.parametrize("forget", ["write", "reset"])
def test_the_engine_may_have_changed(device, sent, forget):
    a, b = matrix(1, 3, 6), matrix(2, 6, 4)
    check(device, a, b)
    if forget == "write":
        device.write("a_bias", 3)
    else:
        device.set_baud(115_200)
    check(device, a, b)
    assert sent == ["a", "b"] * 2
