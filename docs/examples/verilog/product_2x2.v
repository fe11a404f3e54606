// C = A B, of 2 x 4 and 4 x 2 whole numbers from -3 to 3: a top of one's own around an emitted array.
module product_2x2 (
  input         clk,
  input         rst,
  input  [23:0] a,          // row 0 in the lowest bits; a number is a magnitude of two bits, its sign above it
  input  [23:0] b,          // column 0 in the lowest bits, likewise
  input         valid,
  output        ready,
  output [13:0] row,        // a row of C, row 0 first: two numbers of seven bits in two's complement
  output        row_last,
  output        row_valid,
  input         row_ready
);
  // A word of the array is a group: four numbers, and above them the code of the exponent that they share. Here all
  // have code 0, so that sums are whole numbers.
  localparam CODE = 1'd0;
  wire [31:0] a_data = {6'd0, CODE, a[23:12], CODE, a[11:0]};
  wire [31:0] b_data = {6'd0, CODE, b[23:12], CODE, b[11:0]};

  // One beat has all of K, and so ends a tile. It is taken from both streams at once.
  wire a_ready, b_ready;
  assign ready = a_ready && b_ready;

  localparam SUM = 9;       // `accumulator_bits` in lowtide_array.json: more than seven, for codes that are not 0
  wire [23:0] c_data;       // two sums, in whole bytes
  assign row = {c_data[SUM +: 7], c_data[0 +: 7]};

  wire misaligned;          // stays low: tlast is the same on both streams
  lowtide_array array (
    .clk(clk), .rst(rst), .misaligned(misaligned),
    .s_axis_a_tdata(a_data), .s_axis_a_tlast(1'b1), .s_axis_a_tvalid(valid), .s_axis_a_tready(a_ready),
    .s_axis_b_tdata(b_data), .s_axis_b_tlast(1'b1), .s_axis_b_tvalid(valid), .s_axis_b_tready(b_ready),
    .m_axis_c_tdata(c_data), .m_axis_c_tlast(row_last), .m_axis_c_tvalid(row_valid), .m_axis_c_tready(row_ready)
  );
endmodule
