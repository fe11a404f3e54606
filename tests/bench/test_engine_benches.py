"""Bench of the emitted engine, on both simulators; and planted bugs."""

import pytest
from mutation import in_module, without_reset

from fixtures.slow_cases import one_in, quick_only
from lowtide_sim.simulator import SimulationError

SUMS = "lowtide_sim.bench.engine.sums"
BUGS = {
    "unused vectors keep their old words": in_module(
        r"operand_writer_\w+", r"assign write = clearing \?", "assign write = 1'h0 ?"
    ),
    "chunks are not rotated to their slices": in_module(
        r"operand_writer_\w+", r"= first \? i__payload\S+ : (i__payload\S+);", r"= \1;"
    ),
    "kept words of a group are lost": in_module(
        r"group_unpacker_\w+", r"assign uses_beat = .*;", "assign uses_beat = 1'h1;"
    ),
    "a load outlives a reset": without_reset(r"loader_\w+", "started"),
    "rows are overwritten": in_module("transposer_4_2_16_100x768", r"assign take = .*;", "assign take = transposed;"),
    "a tile does not wait for its panels": in_module(
        r"sequencer_\w+", r"assign available = .*;", "assign available = 1'h1;"
    ),
    "a bank is loaded while it is read": in_module("ping_pong_banks", r"assign free = .*;", "assign free = 1'h1;"),
    "padding of a row counts": in_module(r"operand_framer_\w+", r"(number\[1\].exponent  = )\S+ \?", r"\1 1'h1 ?"),
    "there is no half step": in_module(r"rounding_words_\w+", r"assign words\[0\] = .*;", "assign words[0] = 1'h0;"),
}


BUG_KEYS = {"rows are overwritten": {"engine.write_width": 1}}
"""Keys without which a bug has no effect: a transposer never fills if four chunks of B are written in two cycles."""


def test_an_engine_on_icarus(run_engine):
    run_engine("icarus", products=4, resets=4)


FINISHED = {"engine.post_operations": True, "engine.packed_results": True}
FINISHED_BUGS = {
    "addends count in rows beyond M": in_module(r"post_operations_\w+", r"= row < left;", "= 1'h1;"),
    "the settings of a product are taken twice": in_module(
        r"output_stage_\w+", r"assign start = o_valid & \w+;", "assign start = o_valid;"
    ),
}


@pytest.mark.parametrize(
    "keys", [FINISHED, *(pytest.param({key: True}, marks=pytest.mark.slow) for key in FINISHED)], ids=len
)
def test_an_engine_with_something_to_follow_on_icarus(run_engine, keys):
    run_engine("icarus", keys=keys, products=4, resets=4)


@pytest.mark.slow
@pytest.mark.parametrize("bus", ["axi4-lite", "wishbone"])
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_long_runs_with_something_to_follow(run_engine, simulator, bus):
    run_engine(simulator, keys=FINISHED, bus=bus, products=60, resets=60)


SLOTS = {"engine.slots": 4}
SLOT_BUGS = {
    "a slot is loaded while it is read": in_module(r"slot_readers_\w+", r"assign free = .*;", "assign free = 1'h1;"),
    "all products read slot 0": in_module(r"operand_buffer_\w+", r"\{ read_bank, ", "{ 2'h0, "),
}


def test_an_engine_with_slots_on_icarus(run_engine):
    run_engine("icarus", keys=SLOTS, products=4, resets=3)


@pytest.mark.slow
@pytest.mark.parametrize("bug", SLOT_BUGS)
def test_each_bug_in_slots_is_caught(run_engine, bug):
    with pytest.raises(SimulationError) as caught:
        run_engine("icarus", SLOT_BUGS[bug], keys=SLOTS, products=40, resets=20)
    assert "could not be built" not in str(caught.value)
    assert "failed: " in str(caught.value)


def test_sums_on_icarus(run_engine):
    run_engine("icarus", benches=SUMS, sums=True, products=2, resets=3)


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_long_runs_of_an_engine(run_engine, simulator):
    run_engine(simulator, products=60, resets=60)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("simulator", "bus"), [("icarus", "plain"), ("verilator", "axi4-lite"), ("icarus", "wishbone")]
)
def test_long_runs_of_sums(run_engine, simulator, bus):
    run_engine(simulator, benches=f"lowtide_sim.bench.engine.data,{SUMS}", bus=bus, sums=True, products=20, resets=20)


INTEGERS = {
    "terms": {"array.element": "tmac", "array.operands": "integers", "terms.values": 4, "terms.max_k": 100},
    "integers": {"array.element": "pmac", "terms.width": 6, "terms.data_terms": 3, "terms.max_k": 100},
}
INTEGER_BUGS = {
    "the settings of the next product are in force": in_module(
        r"engine_\w+", r"\.settings_write\(\w+\)", ".settings_write(1'h1)"
    ),
    "integers beyond a vector count": in_module(r"integer_unpacker_\w+", r"assign ends = .*;", "assign ends = 1'h0;"),
    "a load outlives a reset": without_reset(r"integer_loader_\w+", "started"),
}


@pytest.mark.parametrize("name", quick_only(("terms",), INTEGERS))
def test_an_engine_of_integers_on_icarus(run_engine, name):
    run_engine("icarus", keys=INTEGERS[name], products=4, resets=4)


@pytest.mark.slow
@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize(("simulator", "bus"), [("icarus", "axi4-lite"), ("verilator", "wishbone")])
def test_long_runs_of_an_engine_of_integers(run_engine, simulator, bus, name):
    benches = f"lowtide_sim.bench.engine.data,{SUMS}"
    run_engine(simulator, keys=INTEGERS[name], bus=bus, sums=True, benches=benches, products=40, resets=40)


SCALED = INTEGERS["terms"] | {"engine.column_scale": True, "engine.packed_results": True}
SCALED_BUGS = {
    "offsets count in rows beyond M": in_module(r"column_normalizer_\w+", r"= \S+ +< left;", "= 1'h1;"),
    "rows enter before their scales are loaded": in_module(r"results_\w+", r"running & \w+;", "running;"),
    "large numbers do not saturate": in_module(r"integer_results_\w+", r"= \$signed\(shift\) < .*;", "= 1'h0;"),
}


@pytest.mark.parametrize("more", one_in(2, [{"engine.post_operations": True}, {}]), ids=["and added", "scaled"])
def test_an_engine_with_scales_on_icarus(run_engine, more):
    run_engine("icarus", keys=SCALED | more, products=4, resets=3)


@pytest.mark.slow
@pytest.mark.parametrize(("simulator", "bus"), [("icarus", "axi4-lite"), ("verilator", "wishbone")])
def test_long_runs_of_an_engine_with_scales(run_engine, simulator, bus):
    run_engine(simulator, keys=SCALED | {"engine.post_operations": True}, bus=bus, products=40, resets=40)


@pytest.mark.slow
@pytest.mark.parametrize("bug", SCALED_BUGS)
def test_each_bug_in_scales_is_caught(run_engine, bug):
    with pytest.raises(SimulationError) as caught:
        run_engine("icarus", SCALED_BUGS[bug], keys=SCALED, products=40, resets=20)
    assert "could not be built" not in str(caught.value)
    assert "failed: " in str(caught.value)


SUM_BUGS = {
    "tiles have one place": in_module(r"results_\w+", r"add, pushed\[3:0\]", "add, 4'h0"),
    "the sums of a pass are not added": in_module(r"sum_memory_\w+", r"fetched\[\d+\] \?", "1'h0 ?"),
    "a kept product is not counted": in_module(r"sum_memory_\w+", r"assign kept = .*;", "assign kept = 1'h0;"),
    "sums that fit are refused": in_module(r"sum_planner_\w+", r"assign agrees = .*;", "assign agrees = 1'h0;"),
}


@pytest.mark.slow
@pytest.mark.parametrize("bug", SUM_BUGS)
def test_each_bug_in_sums_is_caught(run_engine, bug):
    with pytest.raises(SimulationError) as caught:
        run_engine("icarus", SUM_BUGS[bug], benches=SUMS, sums=True, products=20, resets=20)
    assert "could not be built" not in str(caught.value)
    assert "failed: " in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_each_bug_in_an_engine_is_caught(run_engine, bug):
    with pytest.raises(SimulationError) as caught:
        run_engine("icarus", BUGS[bug], keys=BUG_KEYS.get(bug), products=40, resets=60)
    assert "could not be built" not in str(caught.value)
    assert "failed: " in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("bug", INTEGER_BUGS)
def test_each_bug_in_an_engine_of_integers_is_caught(run_engine, bug):
    with pytest.raises(SimulationError) as caught:
        run_engine("icarus", INTEGER_BUGS[bug], keys=INTEGERS["terms"], products=40, resets=60)
    assert "could not be built" not in str(caught.value)
    assert "failed: " in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("bug", FINISHED_BUGS)
def test_each_bug_in_what_follows_is_caught(run_engine, bug):
    with pytest.raises(SimulationError) as caught:
        run_engine("icarus", FINISHED_BUGS[bug], keys=FINISHED, products=40, resets=10)
    assert "could not be built" not in str(caught.value)
    assert "failed: " in str(caught.value)
