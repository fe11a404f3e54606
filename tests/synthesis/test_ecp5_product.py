"""The products that an ECP5 computes in DSP blocks, with their registers in the blocks."""

import random
import shutil
import subprocess

import pytest

from lowtide.emission.folder import verilog_and_modules
from lowtide.formats import Bfp
from lowtide.synthesis import synthesize
from lowtide.synthesis.yosys import ECP5_PRODUCT
from lowtide.units.arithmetic.ecp5_product import Ecp5Product, Ecp5RegisteredProduct
from lowtide.units.arithmetic.fmac import Fmac

BLOCK = """
module MULT18X18D(input {inputs}, output reg {outputs});
  parameter REG_INPUTA_CLK = "NONE", REG_INPUTB_CLK = "NONE", REG_PIPELINE_CLK = "NONE", REG_OUTPUT_CLK = "NONE";
  parameter REG_INPUTA_CE = "CE0", REG_INPUTB_CE = "CE0", REG_OUTPUT_CE = "CE0";
  parameter REG_INPUTA_RST = "RST0", REG_INPUTB_RST = "RST0", REG_OUTPUT_RST = "RST0";
  wire signed [18:0] x = {{SIGNEDA & A17, {a}}};
  wire signed [18:0] y = {{SIGNEDB & B17, {b}}};
  reg signed [18:0] x_before, y_before;
  initial if ((REG_INPUTA_CLK != "NONE" && REG_INPUTA_CLK != "CLK0") || REG_INPUTB_CLK != REG_INPUTA_CLK
    || REG_PIPELINE_CLK != "NONE" || REG_OUTPUT_CLK != "CLK0"
    || REG_INPUTA_CE != "CE0" || REG_INPUTB_CE != "CE0" || REG_OUTPUT_CE != "CE0"
    || REG_INPUTA_RST != "RST0" || REG_INPUTB_RST != "RST0" || REG_OUTPUT_RST != "RST0") $fatal;
  always @(posedge CLK0)
    if (RST0) {{{p}, x_before, y_before}} <= 0;
    else if (CE0) begin
      x_before <= x;
      y_before <= y;
      {{{p}}} <= REG_INPUTA_CLK == "NONE" ? x * y : x_before * y_before;
    end
endmodule
"""
"""MULT18X18D as the data sheet describes it, with the registers that the products use."""

BENCH = """
module bench;
  reg clk = 0;
  reg signed [17:0] x;
  reg [17:0] y;
  wire signed [18:0] factor = {{1'b{signed_y} & y[17], y}};
  wire [35:0] product = x * factor;
  wire [35:0] block, plain;
  reg [35:0] earlier_product;
  {name} replaced(.clk(clk), .rst(1'b0), .x(x), .y(y), .o(block));
  emitted_{name} emitted(.clk(clk), .rst(1'b0), .x(x), .y(y), .o(plain));
  reg [35:0] factors [0:{last}];
  integer n;
  initial begin
    $readmemh("factors.hex", factors);
    for (n = 0; n <= {last}; n = n + 1) begin
      earlier_product = product;
      {{x, y}} = factors[n];
      #1 clk = 1;
      #1 if (n >= {latency} && (block !== plain || plain !== ({latency} == 1 ? product : earlier_product))) begin
        $display("%d * %d", x, y);
        $fatal;
      end
      clk = 0;
    end
    $display("passed");
  end
endmodule
"""


def block():
    def names(kind, bits):
        return ", ".join(f"{kind}{n}" for n in reversed(range(bits)))

    controls = "CLK0, CE0, RST0, SIGNEDA, SIGNEDB, SOURCEA, SOURCEB"
    return BLOCK.format(
        inputs=f"{names('A', 18)}, {names('B', 18)}, {names('C', 18)}, {controls}",
        outputs=names("P", 36),
        a=names("A", 18),
        b=names("B", 18),
        p=names("P", 36),
    )


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus is not installed")
@pytest.mark.parametrize(("kind", "signed_y"), [(Ecp5Product, 1), (Ecp5RegisteredProduct, 0)])
def test_the_block_computes_the_emitted_product(tmp_path, kind, signed_y):
    unit = kind()
    ends = [0, 1, 2**17 - 1, 2**17, 2**18 - 1, 255 << 9, 1 << 9 | 1]
    factors = [(x, y) for x in ends for y in [*ends, *(1 << place for place in range(18))]]
    numbers = random.Random(18)
    factors += [(numbers.getrandbits(18), numbers.getrandbits(18)) for _ in range(2000)]
    (tmp_path / "factors.hex").write_text("\n".join(f"{x << 18 | y:x}" for x, y in factors))
    emitted, _ = verilog_and_modules(unit)
    emitted = emitted.replace(f"module {unit.module_name}", f"module emitted_{unit.module_name}")
    bench = BENCH.format(name=unit.module_name, latency=unit.latency, signed_y=signed_y, last=len(factors) - 1)
    (tmp_path / "all.v").write_text("\n".join([block(), ECP5_PRODUCT.read_text(), emitted, bench]))
    subprocess.run(["iverilog", "-g2012", "-s", "bench", "-o", "bench", "all.v"], cwd=tmp_path, check=True)
    ran = subprocess.run(["vvp", "-n", "bench"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert ran.stdout.split() == ["passed"]


@pytest.mark.slow
def test_an_ecp5_multiplies_and_registers_in_the_block():
    bfp = Bfp(lanes=4, chunk_a=8, chunk_b=8, mantissa=8, multiplier="ecp5")
    unit = Fmac(bfp)
    text, _ = verilog_and_modules(unit)
    area = synthesize(text, unit.module_name, "ecp5", dsp=True)
    logic = synthesize(text, unit.module_name, "ecp5")
    assert (area.dsps, logic.dsps) == (4, 0)
    assert logic.ffs - area.ffs == 4 * (bfp.chunk_a + bfp.chunk_b + 1)


@pytest.mark.slow
def test_an_ecp5_aligns_in_one_block_with_its_registers():
    elements = {aligner: Fmac(Bfp(aligner=aligner)) for aligner in ("logic", "ecp5")}
    areas = {
        aligner: synthesize(verilog_and_modules(unit)[0], unit.module_name, "ecp5", dsp=True)
        for aligner, unit in elements.items()
    }
    assert (areas["logic"].dsps, areas["ecp5"].dsps) == (0, 1)
    assert areas["logic"].ffs - areas["ecp5"].ffs > 90
    assert areas["logic"].size - areas["ecp5"].size > 20
