"""The benches fail on arrays with a bug planted into their Verilog, and pass without it."""

from collections.abc import Callable

import pytest
from mutation import in_module, replaced, without_reset

from lowtide.array.params import ArrayParams, RequantizationParams
from lowtide.config import Config
from lowtide.emission import emit
from lowtide.formats import Bfp
from lowtide.formats.terms import Terms
from lowtide_sim.simulator import Simulation, SimulationError

CONFIG = Config(array=ArrayParams(rows=2, columns=3), bfp=Bfp(lanes=4, max_k=64))
WORD_A = CONFIG.bfp.layout_a.size
BENCHES = ",".join(f"lowtide_sim.bench.array.{name}" for name in ("data", "flow", "timing"))
TRANSPARENT = (r"always @\(posedge clk\)\n    o <= i;", "always @*\n    o = i;")
BUGS = {
    "a stage of the operands' skew is missing": in_module(f"register_{WORD_A}", *TRANSPARENT),
    "a row restarts a cycle early": in_module(r"systolic_core_\w+", r"restart_wave_o\[7:6\]", "restart_wave_o[6:5]"),
    "a borrow is lost": in_module(r"differentiator_\w+", r"difference\[16\];", "1'h0;"),
    "the sums of another row are subtracted": in_module(
        r"differentiator_\w+", r"<= words\[position_i\];", "<= words[position_i ^ 2'h2];"
    ),
    "differences begin a cycle early": in_module(
        r"systolic_core_\w+", r"\.start\(restart_wave_o\[7\]\)", ".start(restart_wave_o[6])"
    ),
    "words between tiles replace the last sum": in_module(r"differentiator_\w+", r"if \(drains_o\)", "if (1'h1)"),
    "halves of the results are swapped": in_module(r"column_\w+", r"half\[13:0\], low", "low[13:0], half"),
    "the array does not wait for its sink": in_module(
        r"result_credits_\w+", r"assign room = .*;", "assign room = 1'h1;"
    ),
    "tiles follow each other too soon": in_module(r"feeder_\w+", r"restart \? 2'h3 :", "restart ? 2'h2 :"),
    "beats are accepted on one side only": in_module(r"feeder_\w+", r"a_ready = (\S+) & b_valid", r"a_ready = \1"),
    "misaligned tiles are not detected": in_module(r"feeder_\w+", "a_last != b_last", "1'h0"),
    "a bubble repeats the previous beat": in_module(r"skewed_word_\w+", r"idle_o \? \S+ : word", "word"),
    "a reset does not end the tile": without_reset(r"feeder_\w+", "more"),
    "results in flight outlive a reset": without_reset("register_1_reset", "o"),
    "a row is offered for one cycle only": in_module(r"column_\w+", r"\.o_ready\(accept\)", ".o_ready(1'h1)"),
}
IN_MEMORY = CONFIG.changed({"array.skew": "memory"})
IN_MEMORY_BUGS = {
    "a word waits a cycle too short in memory": in_module(r"memory_delay_3x\d+", r"== 2'h2", "== 2'h1"),
    "a bubble repeats a word of memory": in_module(r"skewed_word_\d+_2", r"idle_o \? \S+ : (\S+ ?);", r"\1;"),
    "a memory is read at the next word": in_module(
        r"memory_delay_2x\d+", r"assign o = words\[(.*?)\];", r"assign o = words[~\1];"
    ),
}
SHALLOW = Config(array=ArrayParams(rows=2, columns=3), bfp=Bfp(max_k=64, adder_levels=2))
IN_FMAC = r"fmac_l16_a2_b2_m4_e3_k64_r2"
SHALLOW_BUGS = {
    "the sum restarts a cycle early": in_module(IN_FMAC, r"\.restart\(restart_o\)", ".restart(restart_i)"),
    "a level of adders lost its register": in_module(
        f"{IN_FMAC}_dot_product", r"always @\(posedge clk\)\n    earlier <=", "always @*\n    earlier ="
    ),
    "the shift arrives a cycle early": in_module(IN_FMAC, r"\.shift\(\\earlier\S+ \)", ".shift(shift)"),
    "the highest position repeats the lowest": in_module(
        f"{IN_FMAC}_aligner", r"(shift / 3'h4;\n  assign _\d+_ = _\d+_ != )3'h4;", r"\g<1>3'h0;"
    ),
}
IN_BLOCKS = CONFIG.changed({"array.block_rows": 2, "array.block_columns": 2})
IN_BLOCKS_BUGS = {
    "an element of a block has separate registers": in_module(
        r"grid_1x2_by_2x2_\w+_k64", "_shared_a columns", " columns"
    ),
    "the rows of a block restart one by one": in_module(
        r"systolic_core_\w+", r"\{(restart_wave_o)\[6\], restart_wave_o\[6\]\}", r"{\1[5], \1[6]}"
    ),
    "the results of a block collide": in_module(
        r"grid_2x2_\w+", r"\.drain_i\(drain_between_rows_o\)", ".drain_i(rows_1_to_1_drain_o)"
    ),
    "a column subtracts with the block before": in_module(
        r"differentiators_\w+", r"(column_2 \((?:.|\n)*?\.position_i\()[^)]*", r"\1drain_position_position"
    ),
    "a column writes a cycle after its block": in_module(
        r"collector_\w+", r"(column_1 \((?:.|\n)*?\.high_i\()[^)]*", r"\1column_0_high_o"
    ),
    "a column writes with the block before": in_module(
        r"collector_\w+", r"(column_2 \((?:.|\n)*?\.high_i\()[^)]*", r"\1credits_high"
    ),
}
REVEALING = Config(
    array=ArrayParams(rows=2, columns=3, element="tmac", operands="integers"),
    terms=Terms(group=5, budget=9, data_terms=3, max_k=1024),
)
REVEALING_BENCHES = ",".join(f"lowtide_sim.bench.array.{name}" for name in ("data", "flow", "revealing"))
IN_LOADER, IN_QUEUE = r"term_loader_\w+", r"term_queue_d8_g5_v1"
REVEALING_BUGS = {
    "a bank is written while its terms are sent": in_module(
        IN_LOADER, r"assign (\S+)  = ~ (_\d+_);", r"assign \1  = 1'h1;"
    ),
    "a bank waits too long": in_module(IN_LOADER, r"assign a_ready = ", "assign a_ready = ~term_first & "),
    "a group gives a term too many": in_module(IN_LOADER, r"assign last = (\S+) >= (\S+);", r"assign last = \1 > \2;"),
    "a budget of zero counts as one": in_module(IN_LOADER, r"assign next = go & \S+;", "assign next = go;"),
    "settings change during a tile": in_module(IN_LOADER, r"= opening \? settings : held", "= settings"),
    "a reset leaves a group in its bank": without_reset(IN_LOADER, "full_0"),
    "ties go to the higher index": in_module(IN_QUEUE, r"assign lowest\[1\] = .*;", "assign lowest[1] = line[1];"),
    "an exponent is sent twice": in_module(IN_QUEUE, r"= source & \S+;", "= source;"),
    "values of the previous group remain": in_module(IN_QUEUE, r"= first \? nonzero : (\S+);", r"= \1;"),
    "illegal settings are accepted": in_module(r"term_control_\w+", r"assign legal = .*;", "assign legal = 1'h1;"),
    "a term is not negated": in_module(r"tmac_w8\w+_k1024", r"\[15:0\] \^ \{.*\};", "[15:0];"),
    "a word without a term counts": in_module(r"tmac_w8\w+_k1024", r"= b_o\[7\] \? o : 9'h000;", "= o;"),
}

# With one beat per row, the requantizer could accept a row in every cycle.
REQUANTIZED = Config(
    array=ArrayParams(rows=2, columns=3, element="pmac", results="integers"), requantizer=RequantizationParams(lanes=3)
)
REQUANTIZED_BENCHES = ",".join(f"lowtide_sim.bench.array.{name}" for name in ("data", "flow", "layers"))
IN_REQUANTIZER = r"tile_requantizer_\w+"
REQUANTIZED_BUGS = {
    "a row takes the settings of its tile": in_module(
        IN_REQUANTIZER, r"(assign settings__ready = \S+) & i__payload\[\d+\];", r"\1;"
    ),
    "rows do not wait for settings": in_module(IN_REQUANTIZER, r"i__valid & settings__valid", "i__valid"),
    "rows are lost before settings arrive": in_module(
        IN_REQUANTIZER, r"assign i__ready = settings__valid & ", "assign i__ready = "
    ),
    "the end of a tile is lost": in_module(r"requantized_\w+", r"requantizer_o__payload\[28\]", "1'h0"),
}


@pytest.fixture
def run_changed(run_bench) -> Callable[..., Simulation]:
    """A function that emits the array, changes its Verilog, and runs the benches on it."""

    def run(change: Callable[[str], str], config: Config = CONFIG, benches: str = BENCHES, **seed: int) -> Simulation:
        return run_bench(lambda folder: emit(config, folder), benches, "icarus", change, **seed)

    return run


@pytest.mark.slow
def test_a_failing_seed_fails_again_with_an_equal_message(run_changed):
    bug = BUGS["tiles follow each other too soon"]
    messages = []
    for seed in (11, 11, 12):
        with pytest.raises(SimulationError, match=rf"\(seed {seed}\)") as caught:
            run_changed(bug, seed=seed)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert messages[0] != messages[2].replace("seed 12", "seed 11")


def test_results_do_not_depend_on_register_values_at_power_up(run_changed):
    def unknown(text: str) -> str:
        return replaced(r"(?m)^(  reg .*\S) += \d+'h\w+;$", r"\1 ;", text)

    run_changed(unknown)


@pytest.mark.slow
def test_an_array_without_a_bug_passes(run_changed):
    run_changed(lambda text: text)


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_each_bug_is_caught(run_changed, bug):
    with pytest.raises(SimulationError) as caught:
        run_changed(BUGS[bug])
    is_a_finding(caught)


@pytest.mark.slow
def test_an_array_with_a_skew_in_memory_without_a_bug_passes(run_changed):
    run_changed(lambda text: text, config=IN_MEMORY)


@pytest.mark.slow
@pytest.mark.parametrize("bug", IN_MEMORY_BUGS)
def test_each_bug_in_a_skew_in_memory_is_caught(run_changed, bug):
    with pytest.raises(SimulationError) as caught:
        run_changed(IN_MEMORY_BUGS[bug], config=IN_MEMORY)
    is_a_finding(caught)


@pytest.mark.slow
def test_a_shallow_pipeline_without_a_bug_passes(run_changed):
    run_changed(lambda text: text, config=SHALLOW)


@pytest.mark.slow
@pytest.mark.parametrize("bug", SHALLOW_BUGS)
def test_each_bug_in_a_shallow_pipeline_is_caught(run_changed, bug):
    with pytest.raises(SimulationError) as caught:
        run_changed(SHALLOW_BUGS[bug], config=SHALLOW)
    is_a_finding(caught)


@pytest.mark.slow
def test_an_array_of_blocks_without_a_bug_passes(run_changed):
    run_changed(lambda text: text, config=IN_BLOCKS)


@pytest.mark.slow
@pytest.mark.parametrize("bug", IN_BLOCKS_BUGS)
def test_each_bug_in_an_array_of_blocks_is_caught(run_changed, bug):
    with pytest.raises(SimulationError) as caught:
        run_changed(IN_BLOCKS_BUGS[bug], config=IN_BLOCKS)
    is_a_finding(caught)


@pytest.mark.slow
def test_an_array_with_term_revealing_without_a_bug_passes(run_changed):
    run_changed(lambda text: text, config=REVEALING, benches=REVEALING_BENCHES)


@pytest.mark.slow
@pytest.mark.parametrize("bug", REVEALING_BUGS)
def test_each_bug_in_an_array_with_term_revealing_is_caught(run_changed, bug):
    with pytest.raises(SimulationError) as caught:
        run_changed(REVEALING_BUGS[bug], config=REVEALING, benches=REVEALING_BENCHES)
    is_a_finding(caught)


@pytest.mark.slow
def test_an_array_with_a_requantizer_without_a_bug_passes(run_changed):
    run_changed(lambda text: text, config=REQUANTIZED, benches=REQUANTIZED_BENCHES)


@pytest.mark.slow
@pytest.mark.parametrize("bug", REQUANTIZED_BUGS)
def test_each_bug_in_an_array_with_a_requantizer_is_caught(run_changed, bug):
    with pytest.raises(SimulationError) as caught:
        run_changed(REQUANTIZED_BUGS[bug], config=REQUANTIZED, benches=REQUANTIZED_BENCHES)
    is_a_finding(caught)


def is_a_finding(caught):
    """Whether a bench failed, and not its build."""
    assert "could not be built" not in str(caught.value)
    assert "without results" not in str(caught.value)
    assert "failed: " in str(caught.value)
