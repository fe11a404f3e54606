"""Small modules whose cells are known."""

import pytest

ADDER = """
module adder(input clk, input [15:0] a, b, output reg [15:0] q);
  always @(posedge clk) q <= a + b;
endmodule
"""
MULTIPLIER = """
module multiplier(input clk, input [7:0] a, b, output reg [15:0] q);
  reg [7:0] ra, rb;
  always @(posedge clk) begin ra <= a; rb <= b; q <= ra * rb; end
endmodule
"""


@pytest.fixture
def adder():
    """A 16-bit adder with a registered sum."""
    return ADDER


@pytest.fixture
def multiplier():
    """An 8-bit multiplier with registered operands and product."""
    return MULTIPLIER
