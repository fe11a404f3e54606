// Products of an FMAC: a DSP block of an ECP5 with its registers, in place of the modules of these names.
module ecp5_product (input clk, input rst, input [17:0] x, input [17:0] y, output [35:0] o);
  ecp5_multiplier product (.clk(clk), .x(x), .y(y), .o(o));
endmodule

module ecp5_registered_product (input clk, input rst, input [17:0] x, input [17:0] y, output [35:0] o);
  ecp5_multiplier #(.INPUT_CLK("CLK0"), .SIGNED_Y(1'b0)) product (.clk(clk), .x(x), .y(y), .o(o));
endmodule

module ecp5_multiplier #(
  parameter INPUT_CLK = "NONE",
  parameter SIGNED_Y = 1'b1
) (input clk, input [17:0] x, input [17:0] y, output [35:0] o);
  MULT18X18D #(
    .REG_INPUTA_CLK(INPUT_CLK),
    .REG_INPUTA_CE("CE0"),
    .REG_INPUTA_RST("RST0"),
    .REG_INPUTB_CLK(INPUT_CLK),
    .REG_INPUTB_CE("CE0"),
    .REG_INPUTB_RST("RST0"),
    .REG_OUTPUT_CLK("CLK0"),
    .REG_OUTPUT_CE("CE0"),
    .REG_OUTPUT_RST("RST0")
  ) block (
    .CLK0(clk), .CE0(1'b1), .RST0(1'b0),
    .SIGNEDA(1'b1), .SIGNEDB(SIGNED_Y), .SOURCEA(1'b0), .SOURCEB(1'b0),
    .A17(x[17]), .A16(x[16]), .A15(x[15]), .A14(x[14]), .A13(x[13]), .A12(x[12]), .A11(x[11]), .A10(x[10]), .A9(x[9]),
    .A8(x[8]), .A7(x[7]), .A6(x[6]), .A5(x[5]), .A4(x[4]), .A3(x[3]), .A2(x[2]), .A1(x[1]), .A0(x[0]),
    .B17(y[17]), .B16(y[16]), .B15(y[15]), .B14(y[14]), .B13(y[13]), .B12(y[12]), .B11(y[11]), .B10(y[10]), .B9(y[9]),
    .B8(y[8]), .B7(y[7]), .B6(y[6]), .B5(y[5]), .B4(y[4]), .B3(y[3]), .B2(y[2]), .B1(y[1]), .B0(y[0]),
    .C17(1'b0), .C16(1'b0), .C15(1'b0), .C14(1'b0), .C13(1'b0), .C12(1'b0), .C11(1'b0), .C10(1'b0), .C9(1'b0),
    .C8(1'b0), .C7(1'b0), .C6(1'b0), .C5(1'b0), .C4(1'b0), .C3(1'b0), .C2(1'b0), .C1(1'b0), .C0(1'b0),
    .P35(o[35]), .P34(o[34]), .P33(o[33]), .P32(o[32]), .P31(o[31]), .P30(o[30]), .P29(o[29]), .P28(o[28]), .P27(o[27]),
    .P26(o[26]), .P25(o[25]), .P24(o[24]), .P23(o[23]), .P22(o[22]), .P21(o[21]), .P20(o[20]), .P19(o[19]), .P18(o[18]),
    .P17(o[17]), .P16(o[16]), .P15(o[15]), .P14(o[14]), .P13(o[13]), .P12(o[12]), .P11(o[11]), .P10(o[10]), .P9(o[9]),
    .P8(o[8]), .P7(o[7]), .P6(o[6]), .P5(o[5]), .P4(o[4]), .P3(o[3]), .P2(o[2]), .P1(o[1]), .P0(o[0])
  );
endmodule
