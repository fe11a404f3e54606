"""Benches of emitted engines on AXI4-Lite and Wishbone, with independent drivers; and planted bugs."""

import pytest
from mutation import in_module

from lowtide_sim.simulator import SimulationError

REGISTERS = "lowtide_sim.bench.engine.registers"
AXI_LITE = f"{REGISTERS},lowtide_sim.bench.engine.axi_lite"
PRODUCTS = "lowtide_sim.bench.engine.cocotbext"
BENCHES = {"axi4-lite": AXI_LITE, "wishbone": REGISTERS}

BUGS = {
    "strobes are ignored": (
        "axi4-lite",
        in_module(r"axi_lite_\d+", r"assign write = \S+ &", "assign write = s_axi_awready &"),
    ),
    "no access is rejected": ("axi4-lite", in_module(r"axi_lite_\d+", r"assign wrong = .*;", "assign wrong = 1'h0;")),
    "a write does not wait for its data": (
        "axi4-lite",
        in_module(r"axi_lite_\d+", r"= s_axi_awvalid & s_axi_wvalid;", "= s_axi_awvalid;"),
    ),
    "a response is withdrawn": (
        "axi4-lite",
        in_module(r"axi_lite_\d+", r"= s_axi_bready \? 1'h0 : s_axi_bvalid;", "= 1'h0;"),
    ),
    "a read and a write share an address": (
        "axi4-lite",
        in_module(r"axi_lite_\d+", r"assign reads = (\S+) & \S+;", r"assign reads = \1;"),
    ),
    "every access is accepted": ("wishbone", in_module(r"wishbone_\d+", r"assign wrong = .*;", "assign wrong = 1'h0;")),
}


def test_axi_lite_on_icarus(run_engine):
    run_engine("icarus", benches=AXI_LITE, bus="axi4-lite", accesses=30)


def test_wishbone_on_icarus(run_engine):
    run_engine("icarus", benches=REGISTERS, bus="wishbone", accesses=30)


def test_products_with_independent_drivers_on_icarus(run_engine):
    run_engine("icarus", benches=PRODUCTS, bus="axi4-lite", products=2, resets=1)


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_many_products_with_independent_drivers(run_engine, simulator):
    benches = f"{PRODUCTS},{AXI_LITE}"
    run_engine(simulator, benches=benches, bus="axi4-lite", products=30, resets=30, accesses=200)


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_many_products_over_wishbone(run_engine, simulator):
    benches = f"lowtide_sim.bench.engine.data,{REGISTERS}"
    run_engine(simulator, benches=benches, bus="wishbone", products=30, resets=30, accesses=200)


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_each_bug_in_a_bus_is_caught(run_engine, bug):
    bus, change = BUGS[bug]
    with pytest.raises(SimulationError) as caught:
        run_engine("icarus", change, benches=BENCHES[bus], bus=bus, accesses=30)
    assert "could not be built" not in str(caught.value)
    assert "failed: " in str(caught.value)
