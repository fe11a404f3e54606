// Sends two products, one after the other, and looks at the four rows of results.
module product_2x2_tb;
  reg clk = 0, rst = 1, valid = 0;
  reg [23:0] a = 0, b = 0;
  wire ready, row_last, row_valid;
  wire [13:0] row;

  product_2x2 dut (
    .clk(clk), .rst(rst), .a(a), .b(b), .valid(valid), .ready(ready),
    .row(row), .row_last(row_last), .row_valid(row_valid), .row_ready(1'b1)
  );
  always #1 clk = !clk;

  // A number as the array takes it: its sign above its magnitude.
  function [2:0] n(input integer value);
    n = value < 0 ? {1'b1, 2'(-value)} : {1'b0, 2'(value)};
  endfunction

  // Four numbers, the first in the lowest bits.
  function [11:0] group(input integer w, x, y, z);
    group = {n(z), n(y), n(x), n(w)};
  endfunction

  integer rows = 0, wrong = 0;
  task check(input integer left, right);
    if ($signed(row[6:0]) != left || $signed(row[13:7]) != right || row_last != rows[0]) begin
      $display("row %0d is %0d %0d", rows, $signed(row[6:0]), $signed(row[13:7]));
      wrong = wrong + 1;
    end
  endtask

  always @(posedge clk) if (row_valid) begin
    case (rows)
      0: check(-1, 16);
      1: check(1, -19);
      2: check(1, -16);
      3: check(12, -3);
      default: wrong = wrong + 1;
    endcase
    rows = rows + 1;
  end

  task send(input [23:0] a_settings, b_settings);
    begin
      a = a_settings; b = b_settings; valid = 1;
      @(posedge clk);
      while (!ready) @(posedge clk);
      @(negedge clk) valid = 0;
    end
  endtask

  initial begin
    repeat (2) @(negedge clk);
    rst = 0;
    send({group(-3, 3, -1, 2), group(1, -2, 3, 0)}, {group(1, -3, 3, -2), group(2, 0, -1, 3)});
    send({group(3, 3, 3, 3), group(-1, 2, -3, 0)}, {group(1, -3, 3, -2), group(2, 0, -1, 3)});
    repeat (60) @(negedge clk);
    if (rows == 4 && wrong == 0) $display("PASS");
    else $display("FAIL: %0d rows, %0d wrong", rows, wrong);
    $finish;
  end
endmodule
