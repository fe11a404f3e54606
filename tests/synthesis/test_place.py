"""Speed over several seeds, of modules with and without registers and with more ports than pins."""

import re
import sys
from itertools import product

import pytest

from fixtures.slow_cases import one_in
from lowtide.synthesis import Cache, SynthesisError, Timing, place
from lowtide.synthesis.nextpnr import run_seed
from lowtide.synthesis.timing_wrapper import Port, harness, ports_of


def timing(*by_seed):
    return Timing(
        target="ecp5",
        device="85f",
        seeds=range(1, len(by_seed) + 1),
        by_seed=by_seed,
        critical="1.00 ns, 0.50 of them routing: a > b",
        used={},
        available={},
        harness=0,
        script="",
        trim="",
        command="",
    )


def test_speed_is_the_median_of_the_seeds():
    result = timing(90.0, 70.0, 80.0, 200.0, 75.0)
    assert (result.fmax, result.slowest, result.fastest) == (80.0, 70.0, 200.0)


def test_seeds_are_placed_and_kept(adder, tmp_path):
    cache, calls = Cache(tmp_path), []
    result = place(adder, "adder", "ecp5", seeds=(1, 2), cache=cache, progress=lambda *call: calls.append(call))
    assert calls == [(0, 2), (1, 2), (2, 2)]
    assert all(200 < fmax < 500 for fmax in result.by_seed)
    assert result.used["TRELLIS_FF"] == 16 + 32 + 16
    assert result.placed == {"TRELLIS_COMB": 8 * 2 + 1 + 2, "TRELLIS_FF": 16}
    assert result.available["TRELLIS_COMB"] == 83640
    assert place(adder, "adder", "ecp5", seeds=(1, 2), cache=cache) == result


@pytest.mark.parametrize("target", one_in(2, ["ecp5", "ice40"]))
def test_combinational_module_has_a_speed(target):
    verilog = "module xor3(input [2:0] a, output y); assign y = ^a; endmodule"
    assert place(verilog, "xor3", target, seeds=(1,)).fmax > 150


def test_dsp_selects_a_device_with_dsp_blocks(multiplier):
    result = place(multiplier, "multiplier", "ice40", dsp=True, seeds=(1,))
    assert (result.device, result.used["ICESTORM_DSP"]) == ("up5k", 1)


def test_narrow_harness_for_many_ports():
    verilog = "module wide(input [299:0] a, b, output [299:0] y); assign y = a & b; endmodule"
    result = place(verilog, "wide", "ice40", seeds=(1,))
    assert result.used["SB_IO"] == 17
    assert 300 + 600 + 300 // 4 <= result.used["ICESTORM_LC"] <= 300 + 600 + 300 // 2


def test_too_large_design_reports_the_excess():
    verilog = """
    module m(input clk, we, input [13:0] at, input [15:0] d, output reg [15:0] q);
      reg [15:0] memory [0:16383];
      always @(posedge clk) begin if (we) memory[at] <= d; q <= memory[at]; end
    endmodule
    """
    with pytest.raises(SynthesisError, match=r"^the design does not fit the device: it needs 64 of 32 ICESTORM_RAM$"):
        place(verilog, "m", "ice40", seeds=(1,))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": "xc7"}, "no place and route for 'xc7'; targets with place and route: ecp5, ice40"),
        ({"target": "ice40", "device": "hx1k"}, "device of ice40 must be one of hx8k, up5k, not 'hx1k'"),
        (
            {"target": "ice40", "device": "hx8k", "dsp": True},
            "hx8k has no DSP blocks; devices of ice40 with them: up5k",
        ),
        ({"target": "ice40", "seeds": ()}, "seeds must be at least one"),
    ],
)
def test_refusals_are_one_line(adder, arguments, message):
    with pytest.raises(SynthesisError, match=f"^{re.escape(message)}$"):
        place(adder, "adder", **arguments)


def test_ports_are_read_with_their_widths():
    listing = "module m\ninput [0:0] clk\ninput [7:0] a\noutput [0:3] q\nendmodule\n"
    assert ports_of(listing) == [Port("clk", "input", 1), Port("a", "input", 8), Port("q", "output", 4)]


@pytest.mark.parametrize("width", [1, 8, 9, 31, 33, 127, 130])
def test_narrow_harness_has_seventeen_pins_at_any_width(width):
    text = harness("m", [Port("a", "input", width), Port("y", "output", width)], "ice40", narrow=True)
    assert "(input clk, input [7:0] i, output [7:0] o)" in text


def test_changed_code_between_the_tools_misses_the_cache(adder, tmp_path, monkeypatch):
    cache = Cache(tmp_path)
    for code, target in product(("first", "second"), ("ecp5", "ice40")):
        monkeypatch.setattr(sys.modules["lowtide.synthesis.place"], "trim_code", lambda code=code: code)
        place(adder, "adder", target, seeds=(1,), cache=cache)
    assert len([*tmp_path.glob("*.json")]) == 3


def test_additional_seed_reuses_cached_seeds(adder, tmp_path, monkeypatch):
    cache = Cache(tmp_path)
    place(adder, "adder", "ecp5", seeds=(1, 2), cache=cache)
    ran = []

    def counted(package, command, seed, netlist):
        ran.append(seed)
        return run_seed(package, command, seed, netlist)

    monkeypatch.setattr(sys.modules["lowtide.synthesis.place"], "run_seed", counted)
    assert len(place(adder, "adder", "ecp5", seeds=(1, 2, 3), cache=cache).by_seed) == 3
    assert ran == [3]


def test_harness_of_unread_inputs_is_not_subtracted():
    """Yosys removes the flip-flop of an input that the module does not read; the wrapper has at least eight outputs."""
    verilog = "module m(input clk, input [9:0] a, output reg y); always @(posedge clk) y <= ^a[4:0]; endmodule"
    result = place(verilog, "m", "ecp5", seeds=(1,))
    assert (result.harness, result.used["TRELLIS_FF"]) == (5 + 8, 5 + 8 + 1)
    assert result.placed is not None
    # Two LUT4, and the driver of a constant.
    assert result.placed == {"TRELLIS_COMB": 2 + 1, "TRELLIS_FF": 1}


def test_harness_shares_cells_with_the_module_on_ice40(adder):
    assert place(adder, "adder", "ice40", seeds=(1,)).placed is None


def test_module_without_a_path_has_no_speed():
    with pytest.raises(SynthesisError, match=r"^still has no speed: no path between its ports$"):
        place("module still(output y); assign y = 1'b1; endmodule", "still", "ecp5", seeds=(1,))
