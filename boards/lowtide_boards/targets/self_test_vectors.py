"""Self-test vectors of a device: requests, and the expected answers from the golden engine."""

from collections.abc import Iterator

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.emission.serial import digest_of
from lowtide.emission.top import engine_of
from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.interfaces.serial.protocol import CONSTANTS, MAGIC, VERSION, WORDS, Kind, code_of
from lowtide.interfaces.serial.self_test import SelfTestVectors, check_of
from lowtide_model import default_bias
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.product import AnySettings, OperandVectors, Product, operand_vectors
from lowtide_model.engine.reveal import Reveal, reveal_registers
from lowtide_model.engine.transfer import Load
from lowtide_model.serial_frames import frame_bytes

__all__ = ["self_test_vectors"]

AT_ONCE = 32
"""Result words per answer: few enough that the device completes the answer before the next request."""

GROUPS = 2
"""Groups along K: the fewest with which every accumulator adds."""

ANSWER = 0x80
LOAD_BOTH = 3
IDLE = 3

TestProduct = tuple[tuple[OperandVectors, OperandVectors], tuple[AnySettings, AnySettings], dict[str, int], Product]
"""Operands, their settings, values of the registers of term revealing, and the product."""

Exchange = tuple[Kind, list[int], list[int]]
"""Kind of a request, words of the request, words of the answer."""


def self_test_vectors(config: Config, seed: int = 1) -> SelfTestVectors:
    """Requests and expected answers for a product that uses every processing element of a configuration.

    The golden engine computes the expected results and counters; no expected value comes from the hardware.

    Raises
    ------
    ConfigError
        If the configuration has no engine.
    """
    requests, answers = b"", b""
    for number, (kind, words, content) in enumerate(_exchanges(config, seed)):
        requests += frame_bytes(code_of(kind), number, words)
        answers += frame_bytes(code_of(kind) | ANSWER, number, [number + 1 << 16, 0, *content])
    return SelfTestVectors(requests, check_of(answers))


def _exchanges(config: Config, seed: int) -> Iterator[Exchange]:
    table = EngineWithRegisters(engine_of(config)).registers.table
    places = {register.name: place for place, register in enumerate(table)}
    lines, operands, terms, product = (
        _bfp_product(config, seed) if config.array.element == "fmac" else _integer_product(config, seed)
    )
    yield "hello", [VERSION, 0], _constants(config)
    for side, line, operand in zip("ab", lines, operands, strict=True):
        for name, value in line.settings(operand).items():
            register = f"{side}_{name}"
            yield "write", [places[register], value & 0xFFFFFFFF], []
    for register, value in terms.items():
        yield "write", [places[register], value], []
    yield "write", [places["start"], LOAD_BOTH], []
    for side, line in zip("ab", lines, strict=True):
        load = Load.of(line.in_memory_order, config.engine.input_width).numbers.ravel().view("<u4").tolist()
        for at in range(0, len(load), WORDS):
            kind = "last" if at + WORDS >= len(load) else "load"
            yield f"{kind}_{side}", load[at : at + WORDS], []  # pyright: ignore[reportReturnType]
    results = product.values.astype("<f4").ravel().view("<u4").tolist()  # one tile, row by row
    for at in range(0, len(results), AT_ONCE):
        words = results[at : at + AT_ONCE]
        yield "read_results", [at | at << 16, len(words)], words
    yield "read_results", [len(results) | len(results) << 16, 1], []
    yield "read", [places["status"], 2], [IDLE, 0]  # no errors
    counts = {"products": 1, **attrs.asdict(product.events)}
    counted = [register.name for register in table][places["products"] : places["underflows"] + 1]
    yield "read", [places["products"], len(counted)], [counts[name] for name in counted]


def _constants(config: Config) -> list[int]:
    serial, digest = config.serial, digest_of(config)
    words = {
        "magic": MAGIC,
        "version": VERSION,
        "clock": serial.clock,
        "divisor": serial.divisor,
        "queue": serial.queue,
        "digest": digest & 0xFFFFFFFF,
        "digest_high": digest >> 32,
    }
    return [words[name] for name in CONSTANTS]


def _bfp_product(config: Config, seed: int) -> TestProduct:
    """Operands that fill the array, at the highest precision; B is rounded stochastically."""
    array, bfp, random = config.array, config.bfp, np.random.default_rng(seed)
    k = min(GROUPS * bfp.lanes, bfp.max_k)
    a = random.standard_normal((array.rows, k), np.float32)
    b = random.standard_normal((array.columns, k), np.float32).T
    biases = [default_bias(x, exponent=bfp.exponent) for x in (a, b)]
    a[0, 0] = b[0, 0] = 1e30  # above the window: saturated, and counted
    a_settings = OperandSettings(chunks=bfp.mantissa // bfp.chunk_a, bias=biases[0])
    b_settings = OperandSettings(chunks=bfp.mantissa // bfp.chunk_b, bias=biases[1], rounding="stochastic")
    return (
        operand_vectors(config, a, b, a_settings, b_settings),
        (a_settings, b_settings),
        {},
        GoldenEngine(config).multiply(a, b, a_settings, b_settings),
    )


def _integer_product(config: Config, seed: int) -> TestProduct:
    """Integers that fill the array, with term revealing if the engine has it."""
    array, terms, random = config.array, config.terms, np.random.default_rng(seed)
    k = min(GROUPS * terms.group, config.max_k)
    most = 2 ** (terms.width - 1)
    a, b = (random.integers(-most, most, shape) for shape in ((array.rows, k), (k, array.columns)))
    settings = IntegerSettings(bias=-7), IntegerSettings(bias=2)
    reveal = None
    if array.element == "tmac":
        reveal = Reveal(group=terms.group, budget=terms.budget, data_terms=terms.data_terms)
    return (
        operand_vectors(config, a, b, *settings),
        settings,
        reveal_registers(config, reveal),
        GoldenEngine(config).multiply(a, b, *settings, reveal=reveal),
    )
