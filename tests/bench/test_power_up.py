"""On Icarus without initial values, no output of a top or an element is unknown after one cycle of reset."""

import json
from pathlib import Path

import pytest
from power_up_cases import IDLES, TOP, write_cases
from test_array_benches import terms_config

from fixtures.slow_cases import quick_only
from lowtide.array.params import ArrayParams
from lowtide.config import Config
from lowtide.emission import UNITS, emit, emit_engine, emit_serial, emit_unit
from lowtide.emission.registry import parameters_of
from lowtide.engine.params import EngineParams
from lowtide.formats import Bfp
from lowtide.interfaces.serial.params import SerialParams
from lowtide_sim.simulator import simulate

FMAC = Config(array=ArrayParams(rows=2, columns=3), bfp=Bfp(lanes=4, chunk_a=2, chunk_b=2, exponent=2, max_k=64))
ARRAYS = {
    "fmac": FMAC,
    "fmac of all levels per register": FMAC.changed({"bfp.adder_levels": 14}),
    "tmac": terms_config((2, 3), "tmac", group=4, values=2, parallel=2, budget=8, data_terms=3),
    "pair_mac": terms_config((2, 2), "pair_mac", group=3, data_terms=2, budget=5, width=4, parallel=2),
    "pmac": terms_config((3, 2), "pmac", width=5, data_terms=1),
    "tmac, integers": terms_config((2, 3), "tmac", "integers", group=4, budget=6, width=6, data_terms=2),
    "tmac, integers throughout": terms_config(
        (2, 2), "tmac", "integers", "integers", lanes=2, group=5, values=2, budget=6, width=6, data_terms=2
    ),
    "pmac, results integers": terms_config((2, 2), "pmac", results="integers", width=5, data_terms=1),
}
ARRAYS |= {
    "fmac, skew in memory": FMAC.changed({"array.skew": "memory"}),
    "pair_mac, skew in memory": ARRAYS["pair_mac"].changed({"array.rows": 3, "array.skew": "memory"}),
    "tmac, integers, skew in memory": ARRAYS["tmac, integers"].changed({"array.rows": 4, "array.skew": "memory"}),
}
ARRAYS |= {
    f"{name}, blocks": ARRAYS[name].changed({"array.rows": 3, "array.block_rows": 2, "array.block_columns": 2})
    for name in ("fmac", "pair_mac", "tmac, integers")
}
ELEMENTS = {
    "fmac": ("fmac", FMAC),
    "fmac of unequal chunks": (
        "fmac",
        Config(bfp=Bfp(lanes=16, chunk_a=4, chunk_b=2, exponent=3, max_k=64)),
    ),
    "fmac of two levels per register": ("fmac", Config(bfp=Bfp(max_k=64, adder_levels=2))),
    "fmac of three levels per register": ("fmac", Config(bfp=Bfp(lanes=32, chunk_b=1, max_k=64, adder_levels=3))),
    "fmac of all levels per register": ("fmac", Config(bfp=Bfp(lanes=4, max_k=64, adder_levels=14))),
    "fmac, inferred": (
        "fmac",
        Config(bfp=Bfp(lanes=4, chunk_a=8, chunk_b=8, mantissa=8, max_k=64, multiplier="inferred")),
    ),
    "fmac, half in DSP blocks": (
        "fmac",
        Config(bfp=Bfp(lanes=8, chunk_a=4, chunk_b=2, max_k=64, multiplier="ecp5", dsp_lanes="half")),
    ),
    "fmac, aligner in a DSP block": ("fmac", Config(bfp=Bfp(max_k=64, aligner="ecp5"))),
    "tmac": ("tmac", ARRAYS["tmac"]),
    "tmac of one value": ("tmac", terms_config((1, 1), "tmac", width=2, group=1, budget=1, data_terms=1)),
    "pair_mac": ("pair_mac", ARRAYS["pair_mac"]),
    "pair_mac of one pair": ("pair_mac", terms_config((1, 1), "pair_mac", width=5, group=4, data_terms=2, budget=4)),
    "pmac": ("pmac", ARRAYS["pmac"]),
    "pmac, inferred": ("pmac", ARRAYS["pmac"], {"multiplier": "inferred"}),
}
ENGINE = Config(
    array=ArrayParams(rows=2, columns=2),
    bfp=Bfp(lanes=4, chunk_a=2, chunk_b=2, max_k=32),
    engine=EngineParams(input_width=2, output_width=1, buffer_depth=32, transpose_depth=16),
    serial=SerialParams(clock=1_000_000, baud=250_000, queue=256),
)
INSTANCES = [f"idle_{idle}" for idle in IDLES]


@pytest.fixture
def power_up(tmp_path, simulations, seed, require, monkeypatch):
    """A function that runs a bench on instances of a design without initial values."""
    require("icarus")
    monkeypatch.syspath_prepend(Path(__file__).parent)

    def simulation(bench, files, instances=INSTANCES, sidecar=None, **parameters):
        verilog, emitted = files
        wrapped = write_cases(verilog, json.loads(emitted.read_text()), instances)
        return simulate(
            verilog=wrapped,
            top=TOP,
            test_module=bench,
            folder=tmp_path,
            sidecar=sidecar or emitted,
            simulator="icarus",
            parameters=parameters,
            seed=seed,
            cache=simulations,
        )

    return simulation


@pytest.mark.parametrize("name", quick_only(list(ELEMENTS)[::5], ELEMENTS))
def test_elements(power_up, tmp_path, name):
    kind, config, *changes = ELEMENTS[name]
    parameters = {"width": config.terms.width, "max_k": config.terms.max_k} if kind == "pmac" else {}
    parameters |= changes[0] if changes else {}
    files = emit_unit(kind, config, parameters, tmp_path, initial_values=False)
    array = {"rows": 1, "columns": 1, "element": kind, "operands": "packed", "results": "accumulators"}
    alone = Config.from_tables(config.to_tables() | {"array": array})
    _, sidecar = emit(alone, tmp_path / "array")
    element = UNITS[kind].make(parameters_of(kind, config, parameters))
    power_up(
        "power_up_elements",
        files,
        sidecar=sidecar,
        kind=kind,
        restarts=element.restarts,
        running_sums=element.running_sums,
        restart_delay=element.restart_delay,
        spacing=element.spacing,
        latency=element.latency,
        ports=json.loads(files[1].read_text())["ports"],
    )


@pytest.mark.parametrize("name", quick_only(list(ARRAYS)[::6], ARRAYS))
def test_arrays(power_up, tmp_path, name):
    power_up("power_up_arrays", emit(ARRAYS[name], tmp_path, initial_values=False))


@pytest.mark.parametrize(
    ("bus", "skew"),
    [
        ("axi4-lite", "memory"),
        *(pytest.param(bus, "registers", marks=pytest.mark.slow) for bus in ("plain", "axi4-lite", "wishbone")),
        pytest.param("plain", "memory", marks=pytest.mark.slow),
    ],
)
def test_engines(power_up, tmp_path, bus, skew):
    files = emit_engine(ENGINE.changed({"array.skew": skew}), tmp_path, bus=bus, initial_values=False)
    power_up("power_up_engines", files, [*INSTANCES, "registers"])


@pytest.mark.slow
@pytest.mark.parametrize("products", [0, 1])
def test_a_serial_engine(power_up, tmp_path, products):
    power_up("power_up_serial", emit_serial(ENGINE, tmp_path, initial_values=False), products=products)
