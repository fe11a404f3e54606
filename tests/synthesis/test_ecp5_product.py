"""The products that an ECP5 computes in DSP blocks, with their registers in the blocks."""

import random
import re
import shutil
import subprocess

import pytest

from lowtide.emission.folder import verilog_and_modules
from lowtide.formats import Bfp
from lowtide.synthesis import synthesize
from lowtide.synthesis.yosys import ECP5_PRODUCT
from lowtide.units.arithmetic.ecp5_product import Ecp5Product, Ecp5RegisteredProduct
from lowtide.units.arithmetic.fmac import Fmac
from lowtide_boards.verification.netlist import CELLS

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
    """Model of the DSP block."""
    found = re.search(r"^module MULT18X18D .*?^endmodule$", (CELLS / "ecp5.v").read_text(), re.DOTALL | re.MULTILINE)
    assert found
    return found[0]


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
