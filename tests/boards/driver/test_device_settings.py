"""Illegal values are refused in one line with their name, before a byte is sent; the next call works."""

import numpy as np
import pytest

from lowtide.cli import main
from lowtide.formats.parameter import IllegalValue
from lowtide_boards.driver.device import Device
from lowtide_boards.driver.errors import DeviceError
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings


def operand(**settings):
    """An operand's settings without their checks."""
    made = OperandSettings()
    for name, value in settings.items():
        object.__setattr__(made, name, value)
    return made


def outcome(engine, *of):
    """The bits of a product; or, where it is refused, why."""
    try:
        return engine.multiply(*of).values.tobytes()
    except ValueError as error:
        return str(error)


def random_operand(rng):
    """Settings that are legal, some of them at the ends; or one of them beyond."""
    settings = {
        "chunks": int(rng.integers(1, 3)),
        "rounding": str(rng.choice(["truncate", "nearest", "stochastic"])),
        "seed": int(rng.choice([1, 2, 65_535, 300, 4000])),
        "bias": int(rng.choice([-160, 128, -5, -6, -7, 0])),
    }
    beyond = {
        "chunks": (0, 3, 4, -1),
        "seed": (0, 65_536, 65_537, -1, 2**32 + 1),
        "bias": (-161, 129, 506, 512, -518, 2**32 - 6),
    }
    if rng.random() < 0.35:
        name = str(rng.choice(list(beyond)))
        settings[name] = int(rng.choice(beyond[name]))
    return operand(**settings)


def test_the_device_refuses_what_the_golden_engine_refuses(device):
    """Random settings of both operands: equal bits, or the same line, and then nothing was sent."""
    rng, golden, refusals = np.random.default_rng(1), GoldenEngine(device.config), 0
    a, b = rng.standard_normal((2, 9)).astype(np.float32), rng.standard_normal((9, 3)).astype(np.float32)
    for _ in range(120):
        of, cycles = (random_operand(rng), random_operand(rng)), device.connection.port.line.cycles
        due = outcome(golden, a, b, *of)
        assert outcome(device, a, b, *of) == due
        if isinstance(due, str):
            assert "\n" not in due
            assert device.connection.port.line.cycles == cycles
            refusals += 1
    assert 40 < refusals < 100


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("a_bias", 506, "a_bias must be from -160 to 128, not 506"),
        ("b_bias", -161, "b_bias must be from -160 to 128, not -161"),
        ("a_seed", 65_536, "a_seed must be from 1 to 65535, not 65536"),
        ("a_seed", 0, "a_seed must be from 1 to 65535, not 0"),
        ("a_vectors", 65, "a_vectors must be from 1 to 64, not 65"),
        ("a_length", 65, "a_length must be from 1 to 64, not 65"),
        ("a_chunks", 3, "a_chunks must be from 1 to 2, not 3"),
        ("a_rounding", 3, "a_rounding must be from 0 to 2, not 3"),
        ("b_transposed", 2, "b_transposed must be from 0 to 1, not 2"),
        ("b_bias_auto", -1, "b_bias_auto must be from 0 to 1, not -1"),
        ("a_threshold", 1024, "a_threshold must be from 0 to 1023, not 1024"),
        ("start", 8, "start must be from 0 to 7, not 8"),
        ("errors", 32, "errors must be from 0 to 31, not 32"),
        ("clear", 2, "clear must be from 0 to 1, not 2"),
        ("a_bias", 1.0, "a_bias must be from -160 to 128, not 1.0"),
        ("a_bias", None, "a_bias must be from -160 to 128, not None"),
        ("rows", 1, "the register must be writable: a setting, start, clear or errors, not 'rows'"),
        ("status", 1, "the register must be writable: a setting, start, clear or errors, not 'status'"),
        ("a_bais", 1, "the register must be one of the engine's, did you mean a_bias?, not 'a_bais'"),
    ],
)
def test_a_register_refuses_an_illegal_value(device, name, value, complaint):
    cycles = device.connection.port.line.cycles
    with pytest.raises(IllegalValue) as refused:
        device.write(name, value)
    assert str(refused.value) == complaint
    assert device.connection.port.line.cycles == cycles


def test_registers_hold_signed_numbers(device):
    for value in (-160, -1, 0, 128, np.int64(-6)):
        device.write("a_bias", value)
        assert device.read("a_bias") == value
    with pytest.raises(IllegalValue, match="the register must be one of the engine's"):
        device.read("nothing")


def test_every_setting_has_a_legal_range_that_its_register_holds(device):
    settings = [register for register in device.registers if register.access == "setting"]
    for register in settings:
        most = 2 ** (register.bits - register.signed) - 1
        assert (-most - 1) * register.signed <= register.least <= register.most <= most
        for value in (register.least, register.most):
            device.write(register.name, value)
            assert device.read(register.name) == value
        for value in (register.least - 1, register.most + 1):
            with pytest.raises(IllegalValue):
                device.write(register.name, value)


def test_earlier_error_flags_do_not_fail_a_product(device):
    a, b = np.ones((2, 3)), np.ones((3, 2))
    due = device.matmul(a, b).tobytes()
    device.write("a_length", 5)
    device.write("start", 3)  # K differs
    assert device.read("errors") == 1
    assert device.matmul(a, b).tobytes() == due
    assert device.read("errors") == 0


def test_the_engine_refuses_a_setting_out_of_range(device):
    """A request of 32 bits that the register does not hold, past all checks of software."""
    place = next(n for n, register in enumerate(device.registers) if register.name == "a_bias")
    a, b = np.ones((2, 3), np.float32), np.ones((3, 2), np.float32)
    due = device.matmul(a, b).tobytes()
    for word in (506, 512, -518 & 0xFFFFFFFF):
        device.connection.request("write", place, word)
        device.write("start", 3)
        assert device.read("errors") == 1
        device.write("errors", 1)
        device._engine._written.clear()
        assert device.matmul(a, b).tobytes() == due


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "1", None, True])
def test_an_illegal_seed_is_refused(device, seed):
    with pytest.raises(IllegalValue, match=r"^seed must be from 0 to 18446744073709551615, not "):
        device.matmul(np.ones((1, 1)), np.ones((1, 1)), rounding="stochastic", seed=seed)


def test_neighboring_seeds_give_other_words(device):
    """Of 60 elements that may go either way, some do: seeds 1 and 32 gave the same product before."""
    x, b = np.full((60, 1), 1.25, np.float32), np.ones((1, 1), np.float32)
    seeds = (1, 2, 32, 63, 2**16, 2**32 + 1)
    found = {device.matmul(x, b, precision=2, rounding="stochastic", seed=seed).tobytes() for seed in seeds}
    assert len(found) == len(seeds)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), True, "1"])
def test_an_illegal_timeout_is_refused(port, timeout):
    with pytest.raises(IllegalValue, match=r"^timeout must be above 0, in seconds, not "):
        Device(port, "simulation", timeout=timeout)


@pytest.mark.parametrize("baud", [0, -1, 1.5, True, 10**9, "115200"])
def test_an_illegal_baud_rate_is_refused(device, baud):
    for call in (lambda: Device.open("/dev/nothing", baud=baud), lambda: device.set_baud(baud)):
        with pytest.raises(IllegalValue, match=r"^baud must be from 1 to 100000000, not "):
            call()


@pytest.mark.parametrize(
    "name", ["socket://nope", "socket://localhost:1", "loop://", "rfc2217://x:1", "spy:///dev/null"]
)
def test_a_url_is_no_port(name):
    with pytest.raises(DeviceError) as refused:
        Device.open(name)
    assert str(refused.value) == (
        f"cannot open {name}: port must be the name of a serial port, such as /dev/ttyUSB0, not a URL"
    )


SEED = "from 0 to 18446744073709551615"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("device info --baud 0", "baud must be from 1 to 100000000, not 0"),
        ("device info --baud -9600", "baud must be from 1 to 100000000, not -9600"),
        ("device info --baud fast", "baud must be from 1 to 100000000, not 'fast'"),
        ("device test --baud 0", "baud must be from 1 to 100000000, not 0"),
        ("device test --seed -1", f"seed must be {SEED}, not -1"),
        ("device test --seed 18446744073709551616", f"seed must be {SEED}, not 18446744073709551616"),
        ("device test --products 0", "products must be from 1 to 1000000, not 0"),
        ("device info --port socket://nope", "cannot open socket://nope: port must be the name of a serial port"),
        ("device test --port loop://", "cannot open loop://: port must be the name of a serial port"),
        ("train --engine board --port loop://", "cannot open loop://: port must be the name of a serial port"),
        (
            "device serve terms --set array.operands=packed",
            "array.operands must be integers for an engine with array.element = tmac, not 'packed'",
        ),
        ("train --config terms", "array.element must be fmac for block floating point, not 'tmac'"),
        ("train --config terms --engine board", "array.element must be fmac for block floating point, not 'tmac'"),
        ("train --config icebreaker", "bfp.mantissa must be 4 or more, two chunks, not 2"),
        ("train --engine board --port x --rate nan", "rate must be above 0 and below 100, not 'nan'"),
        ("train --engine board --port x --steps 0", "steps must be from 1 to 1000000, not 0"),
        ("train --port x", "--port needs --engine board, not --engine golden"),
        ("train --port x --engine verilator", "--port needs --engine board, not --engine verilator"),
    ],
)
def test_commands_refuse_at_once(arguments, complaint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code in (1, 2)
    assert complaint in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.iterdir())  # nothing is written
