// The PLL of an iCE40 in simulation: the clock that enters is the clock that leaves, and it locks after some cycles.
module PLL_AS_CLOCK (
    input PACKAGEPIN, EXTFEEDBACK, BYPASS, RESETB, LATCHINPUTVALUE, SDI, SCLK,
    input [7:0] DYNAMICDELAY,
    output PLLOUTCORE, PLLOUTGLOBAL, LOCK, SDO
);
    parameter FEEDBACK_PATH = "", DELAY_ADJUSTMENT_MODE_FEEDBACK = "", DELAY_ADJUSTMENT_MODE_RELATIVE = "";
    parameter PLLOUT_SELECT = "", SHIFTREG_DIV_MODE = 0, FDA_FEEDBACK = 0, FDA_RELATIVE = 0;
    parameter DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0, ENABLE_ICEGATE = 0, TEST_MODE = 0;

    reg [3:0] cycles = 0;
    always @(posedge PACKAGEPIN) if (!LOCK) cycles <= cycles + 1;
    assign LOCK = cycles[3] & RESETB;
    assign PLLOUTCORE = PACKAGEPIN;
    assign PLLOUTGLOBAL = PACKAGEPIN;
    assign SDO = 0;
endmodule
