"""Random legal configurations on Icarus, compared with the golden model: all elements, engines on every bus."""

from pathlib import Path
from random import Random

import attrs
import pytest
from legal_configurations import ENGINES, draw_config, draw_engine_config

from lowtide.config import Config
from lowtide.emission import emit, emit_engine, emit_serial
from lowtide.formats.terms import Terms
from lowtide_sim.simulator import SimulatorMissing, check_installed, simulate

ARRAYS = [
    {"element": "fmac"},
    {"element": "tmac", "operands": "packed"},
    {"element": "tmac", "operands": "integers"},
    {"element": "pair_mac"},
    {"element": "pmac"},
]
BUSES = ["plain", "axi4-lite", "wishbone"]
KINDS = [*ARRAYS, *BUSES]

# The seed selects an array or an engine, the engine's bus, and whether registers have initial values.
QUICK = range(4)
CI = range(4, 16)
SLOW = range(16, 212)
MOST_BITS = {"array": 600, "engine": 200}  # operand bits per cycle: then a simulation takes seconds
LEAST_MAX_K = 2048  # of terms and integers: the longest tile of the benches has four groups of 64 beats of eight values


def draw(seed: int) -> tuple[str, Config]:
    """Design and configuration of a seed: an array, an engine on a bus or, for one seed in 20, a serial engine."""
    random = Random(seed)
    kind = KINDS[seed % len(KINDS)]
    while True:
        shape = {"rows": random.randint(1, 4), "columns": random.randint(1, 4)}
        if isinstance(kind, dict):
            terms = {"max_k": random.randint(LEAST_MAX_K, attrs.fields(Terms).max_k.metadata["legal"][-1])}
            name, config = "array", draw_config(random, {"array": shape | kind, "terms": terms})
        else:
            name = "serial" if seed % 20 == 19 else kind
            keys = {"array": shape} | ({"serial": fast_line(random)} if name == "serial" else {})
            config = draw_engine_config(random, keys, ENGINES[(seed + seed // len(KINDS)) % len(ENGINES)])
        if operand_bits(config) <= MOST_BITS["array" if name == "array" else "engine"]:
            return name, config


def fast_line(random: Random) -> dict[str, int]:
    """Clock and baud rate of a serial line with few cycles per bit: with many, a simulation takes hours."""
    clock = random.randint(10**6, 8 * 10**7)
    return {"clock": clock, "baud": clock // random.randint(4, 12)}


def operand_bits(config: Config) -> int:
    """Approximate operand bits per cycle of an array."""
    bfp, terms, lines = config.bfp, config.terms, config.array.rows + config.array.columns
    return (
        lines
        * {
            "fmac": bfp.lanes * (bfp.chunk_a + bfp.chunk_b),
            "tmac": (terms.values + terms.parallel + 2) * terms.width + terms.group,
            "pair_mac": (terms.parallel + 2) * terms.width,
            "pmac": terms.width,
        }[config.array.element]
    )


def check(seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch, products: int) -> None:
    """Simulate the design of a seed."""
    try:
        check_installed("icarus")
    except SimulatorMissing as missing:
        pytest.skip(str(missing))
    monkeypatch.syspath_prepend(Path(__file__).parent)
    name, config = draw(seed)
    initial_values = bool(seed % 2)
    if name == "array":
        files = emit(config, folder, initial_values=initial_values)
    elif name == "serial":
        files = emit_serial(config, folder, initial_values=initial_values)
    else:
        files = emit_engine(config, folder, bus=name, initial_values=initial_values)
    simulate(
        verilog=files[0],
        sidecar=files[1],
        top=files[0].stem,
        test_module="random_products",
        testcase=name if name in ("array", "serial") else "engine",
        folder=folder,
        simulator="icarus",
        parameters={"products": products},
        seed=seed + 1,
    )


@pytest.mark.parametrize("seed", QUICK)
def test_configurations(seed, tmp_path, monkeypatch):
    check(seed, tmp_path, monkeypatch, products=2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", CI)
def test_further_configurations(seed, tmp_path, monkeypatch):
    check(seed, tmp_path, monkeypatch, products=2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SLOW)
def test_many_configurations(seed, tmp_path, monkeypatch):
    check(seed, tmp_path, monkeypatch, products=4)


def test_seeds_of_ci_cover_every_kind():
    drawn = [draw(seed) for seed in (*QUICK, *CI)]
    assert {name for name, _ in drawn} == {"array", *BUSES}
    assert {config.array.element for _, config in drawn} == {"fmac", "tmac", "pair_mac", "pmac"}
    assert {config.array.element for name, config in drawn if name != "array"} == {"fmac", "tmac", "pmac"}
