"""The driver on a simulated device: every word equals the golden engine's, and errors are one line."""

import numpy as np
import pytest

from lowtide.engine.seeds import operand_seed
from lowtide.formats.parameter import IllegalValue
from lowtide_boards.driver import baud as bauds
from lowtide_boards.driver.device import Device
from lowtide_boards.driver.errors import ConnectionLost, DeviceError, NotLowtide, Refused
from lowtide_boards.driver.self_test import WrongResult, self_test
from lowtide_model import default_bias
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import multiply
from lowtide_model.engine.sums import Pass
from lowtide_sim.serial.simulated_line import SimulatedPort


def golden(config, a, b, chunks, rounding="nearest", seed=1):
    """The product as the golden engine makes it."""
    a_settings, b_settings = (
        OperandSettings(
            chunks=count,
            rounding=rounding,
            seed=operand_seed(seed, side, config.engine.lfsr_bits),
            bias=default_bias(x, exponent=config.bfp.exponent),
        )
        for side, count, x in zip("ab", chunks, (a, b), strict=True)
    )
    return multiply(GoldenEngine(config), a, b, a_settings, b_settings).values


def test_info_has_the_configuration(device, line):
    found, due = device.info(), line.config.to_tables()
    assert found.config == {section: due[section] for section in ("array", "bfp", "engine")}
    assert (found.clock, found.baud) == (1_843_200, 460_800)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 4), (5, 30, 7), (9, 150, 5)])
def test_products_equal_the_golden_products(device, shape):
    """Also those that are cut into panels, in both orders of memory, and of other types."""
    rng = np.random.default_rng(1)
    m, k, n = shape
    a, b = rng.standard_normal((m, k)).astype(np.float32), rng.standard_normal((n, k)).astype(np.float32).T
    shares = []
    product = device.matmul(a, b, precision=(4, 2), progress=shares.append)
    assert product.tobytes() == golden(device.config, a, b, (2, 1)).tobytes()
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    whole = np.rint(4 * a).astype(int)
    product = device.matmul(whole, b, rounding="stochastic", seed=7)
    assert product.tobytes() == golden(device.config, whole.astype(np.float32), b, (2, 2), "stochastic", 7).tobytes()


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 65, 4), (7, 150, 8)])
def test_sums_on_a_device_are_exact(results_device, shape):
    """The driver finds the keys of sums; values, events, improvements equal the golden engine's."""
    rng, config = np.random.default_rng(2), results_device.config
    assert config.engine.sum_max_k == 200
    m, k, n = shape
    a, b = (rng.random(size, np.float32) for size in ((m, k), (k, n)))  # sums of more than 24 bits
    settings = [OperandSettings(bias=-8, chunks=2), OperandSettings(bias=-8, chunks=2, rounding="stochastic", seed=5)]
    found, due = multiply(results_device, a, b, *settings), multiply(GoldenEngine(config), a, b, *settings)
    assert found.values.tobytes() == due.values.tobytes()
    assert (found.events, found.a_improvement, found.b_improvement) == (
        due.events,
        due.a_improvement,
        due.b_improvement,
    )
    assert results_device.matmul(a, b).tobytes() == golden(config, a, b, (2, 2)).tobytes()


def test_a_lost_connection_repeats_the_whole_sum(results_device, results_line, monkeypatch):
    """The device loses its sums at a reset; the driver begins with the first pass again."""
    rng, lost = np.random.default_rng(3), []
    a, b = rng.standard_normal((3, 150)).astype(np.float32), rng.standard_normal((150, 4)).astype(np.float32)
    settings = [OperandSettings(bias=-5, chunks=2)] * 2
    idle = results_device._engine._until_idle

    def until_idle():
        yield from idle()
        if not lost:
            lost.append(True)
            raise ConnectionLost("the line was cut")

    def reconnect(_first):
        results_line.reset()
        device = Device(SimulatedPort(results_line), "simulation", timeout=0.01)
        device.set_baud()
        results_device._engine, results_device.connection = device._engine, device.connection

    monkeypatch.setattr(results_device._engine, "_until_idle", until_idle)
    monkeypatch.setattr(results_device, "_reconnect", reconnect)
    due = multiply(GoldenEngine(results_device.config), a, b, *settings).values
    assert multiply(results_device, a, b, *settings).values.tobytes() == due.tobytes()
    assert lost


def test_a_sum_that_the_device_has_not(device, results_device):
    x, settings = np.ones((2, 2), np.float32), OperandSettings(bias=0)
    each = Pass(a=x, b=x, a_settings=settings, b_settings=settings)
    with pytest.raises(ValueError, match=r"^engine\.sum_rows must be 1 or more for a sum of 2 passes, not 0$"):
        device.multiply_sum([each, each])
    with pytest.raises(ValueError, match=r"^K must be at most 200, the engine\.sum_max_k, not 201$"):
        results_device.matmul(np.ones((2, 201)), np.ones((201, 2)))


def test_self_test_passes(device):
    assert self_test(device, products=4) > 4


def test_self_test_reports_a_wrong_word(device, monkeypatch):
    multiplied = device.multiply

    def wrong(**of):
        product = multiplied(**of)
        product.values.view(np.uint32)[0, 0] ^= 1
        return product

    monkeypatch.setattr(device, "multiply", wrong)
    with pytest.raises(WrongResult, match=r"1 of \d+ results of product 0 are wrong"):
        self_test(device, products=1)


def test_registers_can_be_read_and_written(device):
    device.write("a_vectors", 3)
    assert device.read("a_vectors") == 3
    assert device.read("rows") == 1


@pytest.mark.parametrize(
    ("a", "b", "options", "complaint"),
    [
        (np.ones((2, 3)), np.ones((2, 3)), {}, r"must be matrices that multiply, not of shapes \(2, 3\) and \(2, 3\)"),
        (np.ones((0, 3)), np.ones((3, 2)), {}, "must be matrices that multiply"),
        (np.ones(3), np.ones((3, 1)), {}, "a must be a matrix of numbers, not float64 of 1 dimensions"),
        (np.ones((2, 3)), np.array([["x"] * 2] * 3), {}, "b must be a matrix of numbers"),
        (np.full((2, 3), np.nan), np.ones((3, 2)), {}, "a must have finite numbers, and 6 of 6 are not"),
        (np.ones((2, 3)), np.full((3, 1), 1e39), {}, "b must have finite numbers, and 3 of 3 are not, in float32"),
        (np.ones((2, 3)), np.ones((3, 2)), {"precision": 3}, "precision must be one of 2, 4, not 3"),
        (np.ones((2, 3)), np.ones((3, 2)), {"precision": (4, 8)}, "precision must be one of 2, 4, not 8"),
        (np.ones((2, 3)), np.ones((3, 2)), {"rounding": "up"}, "rounding must be one of truncate"),
    ],
)
def test_illegal_arguments_are_refused_in_one_line(device, a, b, options, complaint):
    with pytest.raises(ValueError, match=complaint) as raised:
        device.matmul(a, b, **options)
    assert "\n" not in str(raised.value)


def test_a_baud_rate_that_the_device_cannot_make(device):
    with pytest.raises(IllegalValue, match="baud must be within 2 %"):
        device.set_baud(1_000_000)


def test_a_device_lost_during_a_baud_change_is_rejected(device, monkeypatch):
    def lost(connection, baud):
        raise ConnectionLost(f"lost at {baud}")

    device.connection.port.baudrate = 115_200
    monkeypatch.setattr(bauds, "change_baud", lost)
    with pytest.raises(ConnectionLost, match="lost at 12000000"):
        device.set_baud()


def test_refused_requests(device):
    """No such register, no words, too many words, discarded results, a divisor of 0: the device keeps working."""
    for kind, words in [
        ("read", (1000, 1)),
        ("read", (0, 0)),
        ("read", (0, 254)),
        ("write", (1000, 1)),
        ("read_results", (0xFFFF << 16, 1)),
        ("set_baud", (3, 0)),
        ("set_baud", (1 << 16, 0)),
        ("load_a", ()),
    ]:
        with pytest.raises(Refused, match=f"device at simulation refused a request: {kind}"):
            device.connection.request(kind, *words)
        assert device.connection.request("read", 1, 1) == (1,)


def test_products_after_an_incomplete_exchange(device, monkeypatch):
    """A refusal, an interrupt, a product that the engine refuses: the next product is right."""
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((3, 20)).astype(np.float32), rng.standard_normal((20, 4)).astype(np.float32)
    due = device.matmul(a, b).tobytes()
    with pytest.raises(Refused):
        device.connection.request("read", 1000, 1)
    assert device.matmul(a, b).tobytes() == due

    def interrupt(share):
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        device.matmul(a, b, progress=interrupt)
    assert device.matmul(a, b).tobytes() == due

    monkeypatch.setattr("lowtide_boards.driver.request_window.OPERAND_TIMEOUT", 0.5)
    with monkeypatch.context() as within:
        within.setattr("lowtide_model.engine.product.OperandVectors.settings", lambda *_: {"vectors": 0})
        with pytest.raises(DeviceError, match="the engine flags errors: refused"):
            device.matmul(a, b)
    assert device.matmul(a, b).tobytes() == due


def test_a_port_without_answers_is_no_lowtide(port, monkeypatch):
    monkeypatch.setattr(port, "write", len)
    with pytest.raises(NotLowtide, match="no lowtide device at simulation: no answer at"):
        Device(port, "simulation", timeout=0.001)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("MAGIC", "no lowtide device at simulation: expected magic 0x.*, got 0x"),
        ("VERSION", "expected protocol version 2, got 1"),
    ],
)
def test_another_version(port, monkeypatch, name, complaint):
    from lowtide_boards.driver import connection

    monkeypatch.setattr(connection, name, getattr(connection, name) + 1)
    with pytest.raises(NotLowtide, match=complaint):
        Device(port, "simulation", timeout=0.01)


def test_another_configuration(port, monkeypatch):
    from lowtide_boards.driver import remote_engine

    monkeypatch.setattr(remote_engine, "digest_of", lambda config: 1)
    with pytest.raises(NotLowtide, match=r"is from another version of lowtide: expected digest .*, got "):
        Device(port, "simulation", timeout=0.01)
