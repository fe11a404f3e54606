"""Settings: what is not legal is refused before anything is sent, by the model, by software and by the registers."""

import re

import attrs
import numpy as np
import pytest
from operands import random_case

from lowtide.formats.parameter import IllegalValue
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.product import OperandVectors
from lowtide_sim.engine.verilated import LOAD_A, LOAD_B, VerilatedEngine
from lowtide_sim.simulator import SimulationError

REFUSED = 1
BIASES = (-161, -160, -157, 0, 127, 128, 129, 255, 256, 506, 512, -256, -257, -518, 2**31, -(2**31), 2**32 - 6, 10**30)


def changed(case, side, setting, value):
    """The case with a setting of an operand changed, without the checks of the operand itself."""
    operand = attrs.evolve(getattr(case, f"{side}_settings"))
    object.__setattr__(operand, setting, value)
    return attrs.evolve(case, **{f"{side}_settings": operand})


def outcome(engine, case):
    """The bits of a product; or, where it is refused, why."""
    try:
        return engine.multiply(case.a, case.b, case.a_settings, case.b_settings).values.tobytes()
    except ValueError as error:
        return str(error)


def random_change(rng, config, side):
    """A setting, and a value for it that may be legal."""
    states, most = 2**config.engine.lfsr_bits, config.bfp.mantissa // getattr(config.bfp, f"chunk_{side}")
    setting = str(rng.choice(["bias", "seed", "chunks"]))
    values = {
        "bias": (*BIASES, *(int(bias) for bias in rng.integers(-160, 129, 8))),
        "seed": (0, 1, states - 1, states, states + 1, 2**32, 2**64, -1, int(rng.integers(1, states))),
        "chunks": (0, 1, most, most + 1, 2 ** most.bit_length() + 1, 12, -1),
    }[setting]
    return setting, values[int(rng.integers(len(values)))]


def test_every_engine_refuses_the_same_settings(engine):
    """Random settings, legal and not: the golden engine and the emitted one give equal bits, or refuse in one line."""
    rng, golden, refusals = np.random.default_rng(1), GoldenEngine(engine.config), 0
    for _ in range(250):
        case, side = random_case(rng, engine.config, packed=0), str(rng.choice(["a", "b"]))
        setting, value = random_change(rng, engine.config, side)
        case, cycles = changed(case, side, setting, value), engine.cycles
        due, found = outcome(golden, case), outcome(engine, case)
        assert found == due
        if isinstance(due, str) and not due.startswith(f"{side} must take"):
            assert re.fullmatch(rf"{setting} of {side} must be from -?\d+ to \d+, not -?\d+", due)
        if isinstance(due, str):
            assert engine.cycles == cycles  # nothing was written
            refusals += 1
    assert 60 < refusals < 190


@pytest.mark.parametrize("bias", [-160, -157, -100, 90, 128])
def test_smallest_and_largest_bias(engine, bias):
    """Numbers at the bias's end of FP32, in both operands."""
    rng = np.random.default_rng(bias + 200)
    with np.errstate(over="ignore", under="ignore"):
        scale = 2.0 ** min(max(bias, -140), 124)
        for _ in range(5):
            case = random_case(rng, engine.config, special=0.1, packed=0)
            a, b = ((x.astype(float) * scale).astype(np.float32) for x in (case.a, case.b))
            case = attrs.evolve(case, a=a, b=b)
            for side in "ab":
                case = changed(case, side, "bias", bias)
            case.check(engine.config, engine.multiply(case.a, case.b, case.a_settings, case.b_settings))


def prepared(engine, rng):
    """Registers with legal settings of a product."""
    case = random_case(rng, engine.config, found=0, packed=0)
    lines = case.lines(engine.config)
    for side, line, operand in zip("ab", lines, (case.a_settings, case.b_settings), strict=True):
        engine.settings(side, line, operand)
    return case


def check_next(engine, rng):
    """The next product is right, and nothing is flagged."""
    case = random_case(rng, engine.config)
    case.check(engine.config, engine.multiply(case.a, case.b, case.a_settings, case.b_settings))
    assert engine.read("errors") == 0


def test_register_refuses_values_beyond_its_width(engine):
    """A legal value and a bit above the register's: the start is refused until the register is written again."""
    rng = np.random.default_rng(2)
    settings = [register for register in engine.table if register.access == "setting"]
    operands = [register for register in settings if not register.name.endswith("threshold")]
    assert (len(settings), len(operands)) == (20, 18)
    for register in operands:
        for bit in (register.bits, 31):
            engine.reset()
            prepared(engine, rng)
            legal = engine.read(register.name)
            engine.write(register.name, legal ^ 1 << bit)
            assert engine.read(register.name) == legal
            for _ in range(2):
                engine.write("start", LOAD_A | LOAD_B)
                engine.wait("status", 2, 1000)
                assert engine.read("errors") == REFUSED, register.name
                engine.write("errors", REFUSED)
                assert engine.read("products") == 0
            check_next(engine, rng)


@pytest.mark.parametrize("name", ["a_threshold", "b_threshold"])
def test_too_large_threshold_is_flagged(engine, name):
    """The threshold does not affect products."""
    for value, flags in ((1023, 0), (1024, REFUSED), (2**31 + 5, REFUSED), (5, 0)):
        engine.write(name, value)
        assert engine.read("errors") == flags
        check_next(engine, np.random.default_rng(value))


def test_start_with_undefined_bits_is_refused(engine):
    rng = np.random.default_rng(3)
    for start in (8 | LOAD_A | LOAD_B, 1 << 31 | LOAD_A | LOAD_B):
        prepared(engine, rng)
        engine.write("start", start)
        engine.wait("status", 2, 1000)
        assert engine.read("errors") == REFUSED
        check_next(engine, rng)


def test_negative_bias_is_sign_extended(engine):
    """Nine bits of two's complement alone are a positive number, which is refused."""
    rng = np.random.default_rng(4)
    case = random_case(rng, engine.config, found=0, packed=0)
    case = changed(changed(case, "a", "bias", -6), "b", "bias", -6)
    case.check(engine.config, engine.multiply(case.a, case.b, case.a_settings, case.b_settings))
    engine.write("a_bias", -6 & 0x1FF)
    engine.write("start", LOAD_A | LOAD_B)
    engine.wait("status", 2, 1000)
    assert engine.read("errors") == REFUSED


def test_earlier_error_flags_are_cleared(engine):
    rng = np.random.default_rng(5)
    engine.write("start", 0)  # there is nothing to use again
    engine.wait("status", 2, 1000)
    assert engine.read("errors") == REFUSED
    check_next(engine, rng)


def test_refused_product_ends_without_a_timeout(engine, monkeypatch):
    """Where software checks nothing: in 50,000 cycles instead of 10,000,000, and the next product is right."""
    rng = np.random.default_rng(6)
    case = changed(random_case(rng, engine.config, found=0, packed=0), "a", "bias", -161)
    since = engine.cycles
    with monkeypatch.context() as within:
        within.setattr(
            "lowtide_model.engine.sums.operand_vectors",
            lambda *_: (OperandVectors(case.a, False), OperandVectors(case.b.T, False)),
        )
        with pytest.raises(SimulationError, match=r"^the engine reports errors: refused$"):
            engine.multiply(case.a, case.b, case.a_settings, case.b_settings)
    assert engine.cycles - since < 50_000
    engine.reset()  # its streams hold what was not taken
    check_next(engine, rng)


@pytest.mark.parametrize("value", [2**32, -(2**31) - 1, 1.0, None])
def test_a_word_has_32_bits(engine, libraries, value):
    with pytest.raises(IllegalValue, match=r"^a_bias must be from -2147483648 to 4294967295, not "):
        engine.write("a_bias", value)
    with pytest.raises(IllegalValue, match=r"^seed must be from 0 to 4294967295, not "):
        VerilatedEngine(engine.config, libraries, seed=2**32)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"bias": 506}, "bias of a must be from -160 to 128, not 506"),
        ({"bias": -161}, "bias of a must be from -160 to 128, not -161"),
        ({"seed": 2**16}, "seed of a must be from 1 to 65535, not 65536"),
        ({"chunks": 3}, "chunks of a must be from 1 to 2, not 3"),
    ],
)
def test_messages_of_the_golden_engine(small, settings, complaint):
    x = np.ones((1, 1), np.float32)
    with pytest.raises(IllegalValue) as refused:
        GoldenEngine(small).multiply(x, x, OperandSettings(**settings), OperandSettings())
    assert str(refused.value) == complaint
