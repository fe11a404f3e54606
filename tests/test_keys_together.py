"""Keys that depend on others: each refusal names the key, the value that was given, and bounds that are true."""

import random
import re

import attrs
import pytest

from lowtide.config import Config, ConfigError, section_from
from lowtide.emission import UNITS
from lowtide.emission.top import engine_of

SEED = 20261128
SECTIONS = {field.name: field.type for field in attrs.fields(Config)}
STEPS = 20
"""More than there are keys with a rule."""

LFSR = "engine.lfsr_bits must be"
TERMS = {"array.element": "tmac", "array.operands": "integers"}
WIDE_CHUNKS = {"bfp.lanes": 64, "bfp.chunk_a": 4, "bfp.chunk_b": 4, "bfp.mantissa": 12, "bfp.exponent": 5}


def engine_is_legal(tables):
    Config.from_tables(tables).check_engine()


def drawn(numbers, legal):
    """One of the legal values, often one of the first or last."""
    return numbers.choice([legal[0], legal[-1], numbers.choice(legal), numbers.choice(legal)])


def random_section(numbers, kind):
    """Values of a section, each of which is legal by itself, some of them the defaults."""
    legal = {field.name: field.metadata["legal"] for field in attrs.fields(kind) if field.name != "taps"}
    return {key: drawn(numbers, values) for key, values in legal.items() if numbers.random() < 0.7}


def refused(check, tables):
    """Section, key, bounds and the value of a refusal, or None."""
    message = ""
    try:
        check(tables)
    except ConfigError as error:
        message = str(error)
    found = re.fullmatch(r"(?:(\w+)\.)?(\w+) must be (.+), not (.+)", message)
    assert found or not message, message
    return found.groups() if found else None


def named(bounds, legal):
    """Values that the text of a refusal names as legal, and the nearest ones beyond; of the type of the legal ones."""
    span = re.match(r"from (\d+) to (\d+)\b", bounds)
    more = re.match(r"(\d+) or more\b", bounds)
    several = re.search(r"one of ([\w, ]+?)(?: \(|$)", bounds)
    if span:
        low, high = int(span[1]), int(span[2])
        return [low, high], [value for value in (low - 1, high + 1) if value in legal]
    if more:
        return [int(more[1])], [value for value in (int(more[1]) - 1,) if value in legal]
    words = several[1].split(", ") if several else [bounds.split()[0]]
    flags = {"False": False, "True": True}
    values = [int(word) if word.isdecimal() else flags.get(word, word) for word in words]
    return values, [value for value in legal if value not in values]


def follow(check, tables, kinds, numbers):
    """Follow each refusal until nothing is refused; every bound on the way must be true. How many there were."""
    for step in range(STEPS):
        refusal = refused(check, tables)
        if refusal is None:
            return step
        section, key, bounds, value = refusal
        section = section or ""
        field = next(field for field in attrs.fields(kinds[section]) if field.name == key)
        assert value == repr(tables[section].get(key, field.default)), refusal
        values, beyond = named(bounds, field.metadata["legal"])
        for legal in values:
            assert legal in field.metadata["legal"], refusal
            again = refused(check, changed(tables, section, key, legal))
            assert again is None or (again[0] or "", again[1]) != (section, key), (refusal, again)
        for illegal in numbers.sample(beyond, min(3, len(beyond))):
            again = refused(check, changed(tables, section, key, illegal))
            assert again is not None, (refusal, illegal)
            assert (again[0] or "", again[1]) == (section, key), (refusal, again)
        tables = changed(tables, section, key, numbers.choice(values))
    pytest.fail(f"still refused: {refused(check, tables)}")


def changed(tables, section, key, value):
    return tables | {section: tables[section] | {key: value}}


@pytest.mark.parametrize("what", ["array", "engine"])
def test_random_configurations(what):
    numbers = random.Random(SEED)
    check = engine_is_legal if what == "engine" else Config.from_tables
    steps = []
    for _ in range(1200):
        tables = {name: random_section(numbers, kind) for name, kind in SECTIONS.items()}
        if what == "engine":
            elements = ("rows", "columns", "element", "operands", "results")
            tables["array"] = {key: value for key, value in tables["array"].items() if key in elements}
        steps.append(follow(check, tables, SECTIONS, numbers))
    assert steps.count(0) >= 2
    assert max(steps) > 3


def test_random_units():
    numbers = random.Random(SEED)
    steps = []
    for kind in UNITS.values():
        keys = {"": kind.parameters}
        for _ in range(100):
            values = {"": random_section(numbers, kind.parameters)}
            steps.append(
                follow(lambda tables, kind=kind: section_from(kind.parameters, tables[""]), values, keys, numbers)
            )
    assert sum(step > 0 for step in steps) > 100


def test_checked_parameters_build_an_engine():
    numbers = random.Random(SEED)
    made = 0
    while made < 10:
        tables = {name: random_section(numbers, SECTIONS[name]) for name in ("bfp", "engine")}
        tables["array"] = {"rows": numbers.randint(1, 3), "columns": numbers.randint(1, 8)}
        if refused(engine_is_legal, tables) is None:
            engine_of(Config.from_tables(tables))
            made += 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"engine.random_bits": 8, "engine.lfsr_bits": 5},
            f"{LFSR} from 8 to 32 (random_bits = 8 or more; one state serves two of bfp.lanes = 16), not 5",
        ),
        (
            {"bfp.lanes": 64, "engine.lfsr_bits": 5},
            f"{LFSR} from 6 to 32 (random_bits = 2 or more; one state serves two of bfp.lanes = 64), not 5",
        ),
        (
            {"bfp.lanes": 4, "engine.input_width": 8},
            "engine.input_width must be a divisor of bfp.lanes = 4: one of 1, 2, 4, not 8",
        ),
        ({"array.columns": 6}, "engine.output_width must be a divisor of array.columns = 6: one of 1, 2, 3, 6, not 4"),
        (
            {"array.rows": 202, **WIDE_CHUNKS},
            "array.rows must be from 1 to 201 (bfp.lanes = 64 and bfp.chunk_a = 4: chunks of 326 bits,"
            " a buffer's output at most 65,536), not 202",
        ),
        (
            {"array.columns": 512, **WIDE_CHUNKS},
            "array.columns must be from 1 to 201 (bfp.lanes = 64 and bfp.chunk_b = 4: chunks of 326 bits,"
            " a buffer's output at most 65,536), not 512",
        ),
        (
            {"serial.clock": 1_000_000, "serial.baud": 260_000},
            "serial.baud must be from 1200 to 250000 (a bit takes 4 to 65535 cycles of clock = 1000000), not 260000",
        ),
        (
            {"array.element": "pair_mac"},
            "array.element must be one of fmac, tmac, pmac (for an engine), not 'pair_mac'",
        ),
        (
            {"array.element": "tmac"},
            "array.operands must be integers for an engine with array.element = tmac, not 'packed'",
        ),
        (TERMS | {"array.results": "integers"}, "array.results must be accumulators for an engine, not 'integers'"),
        (
            TERMS | {"terms.group": 12, "terms.values": 8},
            "terms.values must be one of 1, 2, 4 (divisors of terms.group = 12), not 8",
        ),
        (
            TERMS | {"terms.values": 8, "terms.width": 9, "engine.input_width": 2},
            "engine.input_width must be 4 or more (terms.values = 8 integers of terms.width = 9 per beat), not 2",
        ),
        (
            {"engine.column_scale": True},
            "engine.column_scale must be False for array.element = fmac, not True",
        ),
        (
            TERMS | {"engine.sum_rows": 1, "engine.sum_max_k": 4095},
            "engine.sum_max_k must be 4096 or more (the terms.max_k of one pass), not 4095",
        ),
    ],
)
def test_messages_of_an_engine(changes, message):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        engine_of(Config().changed(changes))


def test_smallest_random_word_of_an_engine():
    """The fraction has the bits of a second chunk, with a random word of one bit too."""
    for chunk_a, chunk_b, mantissa in ((4, 4, 4), (4, 2, 4), (4, 1, 8), (1, 3, 6), (2, 2, 4)):
        bits = {"bfp.chunk_a": chunk_a, "bfp.chunk_b": chunk_b, "bfp.mantissa": mantissa, "array.columns": 4}
        engine = engine_of(Config().changed(bits | {"engine.random_bits": 1}))
        fractions = [loader.converter.random for loader in engine.loaders]
        assert fractions == [max(2, chunk) if mantissa >= 2 * chunk else 2 for chunk in (chunk_a, chunk_b)]
