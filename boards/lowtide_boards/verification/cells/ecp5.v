// Cells of an ECP5 for which Yosys has no model: pads, the PLL, which passes its clock, the
// multiplier, and the block RAM.

module PAD_INPUT (input B, output O);
    assign O = B;
endmodule

module PAD_OUTPUT (output B, input I, T);
    assign B = T ? 1'bz : I;
endmodule

// The output is the clock that enters; the PLL locks after some cycles.
module EHXPLLL (
    input CLKI, CLKFB, PHASESEL1, PHASESEL0, PHASEDIR, PHASESTEP, PHASELOADREG, STDBY, PLLWAKESYNC, RST, ENCLKOP,
    output CLKOP, LOCK
);
    parameter FEEDBK_PATH = "", CLKOP_ENABLE = "";
    parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 1, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0;

    reg [3:0] cycles = 0;
    always @(posedge CLKI) if (!LOCK) cycles <= cycles + 1;
    assign LOCK = cycles[3];
    assign CLKOP = CLKI;
endmodule

// Factors of 18 bits and their product. The product is registered if REG_OUTPUT_CLK is CLK0, the factors if
// REG_INPUTA_CLK and REG_INPUTB_CLK are. No netlist of this package uses the other registers and inputs.
module MULT18X18D (
    input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, CLK0, CE0, RST0,
    output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15,
        P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
    parameter REG_INPUTA_CLK = "NONE", REG_INPUTA_CE = "CE0", REG_INPUTA_RST = "RST0";
    parameter REG_INPUTB_CLK = "NONE", REG_INPUTB_CE = "CE0", REG_INPUTB_RST = "RST0";
    parameter REG_OUTPUT_CLK = "NONE", REG_OUTPUT_CE = "CE0", REG_OUTPUT_RST = "RST0";

    wire [17:0] a = {
        A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0
    };
    wire [17:0] b = {
        B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0
    };
    wire signed [18:0] x_in = {SIGNEDA & a[17], a}, y_in = {SIGNEDB & b[17], b};
    reg signed [18:0] x_register = 0, y_register = 0;
    wire signed [18:0] x = REG_INPUTA_CLK == "NONE" ? x_in : x_register;
    wire signed [18:0] y = REG_INPUTB_CLK == "NONE" ? y_in : y_register;
    wire signed [35:0] product = x * y;
    reg [35:0] product_register = 0;
    wire [35:0] p = REG_OUTPUT_CLK == "NONE" ? product : product_register;
    assign {
        P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14,
            P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
    } = p;

    always @(posedge CLK0)
        if (RST0) begin
            x_register <= 0;
            y_register <= 0;
            product_register <= 0;
        end else if (CE0) begin
            x_register <= x_in;
            y_register <= y_in;
            product_register <= product;
        end
endmodule

// 2,048 bytes of 9 bits. A word of less than 9 bits has its place in a byte at the lowest address bits. A write of
// several bytes has its byte enables there. A memory of 36 bits is written at port A, with the upper half of the data at the
// inputs of B, and read at port B, with the lower half at the outputs of A.
module DP16KD (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
        DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5,
        ADA4, ADA3, ADA2, ADA1, ADA0,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
        DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
        DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5,
        ADB4, ADB3, ADB2, ADB1, ADB0,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
        DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG", WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
    parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC", GSR = "AUTO";
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
    parameter [319:0]
        INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0, INITVAL_04 = 0, INITVAL_05 = 0,
        INITVAL_06 = 0, INITVAL_07 = 0, INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0,
        INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0, INITVAL_10 = 0, INITVAL_11 = 0,
        INITVAL_12 = 0, INITVAL_13 = 0, INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0,
        INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0, INITVAL_1C = 0, INITVAL_1D = 0,
        INITVAL_1E = 0, INITVAL_1F = 0, INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0,
        INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0, INITVAL_28 = 0, INITVAL_29 = 0,
        INITVAL_2A = 0, INITVAL_2B = 0, INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0,
        INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0, INITVAL_34 = 0, INITVAL_35 = 0,
        INITVAL_36 = 0, INITVAL_37 = 0, INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0,
        INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0;

    // A parameter has 16 words of 20 bits, 18 of them in use.
    reg [8:0] memory [0:2047];
    wire [20479:0] init = {
        INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
        INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
        INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
        INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
        INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
        INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
        INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
        INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
    };
    integer word;
    initial for (word = 0; word < 1024; word = word + 1) begin
        memory[2 * word] = init[20 * word +: 9];
        memory[2 * word + 1] = init[20 * word + 9 +: 9];
    end

    wire [17:0] dia = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
        DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
    wire [17:0] dib = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
        DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
    wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5,
        ADA4, ADA3, ADA2, ADA1, ADA0};
    wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5,
        ADB4, ADB3, ADB2, ADB1, ADB0};
    reg [35:0] doa = 0, dob = 0;
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
        DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = (DATA_WIDTH_B == 36) ? dob[17:0] : doa[17:0];
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
        DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = (DATA_WIDTH_B == 36) ? dob[35:18] : dob[17:0];

    wire clka = (CLKAMUX == "INV") ? ~CLKA : CLKA;
    wire clkb = (CLKBMUX == "INV") ? ~CLKB : CLKB;

    // Byte of an address.
    function [10:0] first(input [13:0] address, input integer width);
        first = (width == 36) ? {address[13:5], 2'b00} : (width == 18) ? {address[13:4], 1'b0} : address[13:3];
    endfunction
    wire [10:0] first_a = first(ada, DATA_WIDTH_A), first_b = first(adb, DATA_WIDTH_B);

    // Bits of a word of less than 9 bits.
    wire [8:0] mask_a = ((1 << DATA_WIDTH_A) - 1) << ada[2:0], mask_b = ((1 << DATA_WIDTH_B) - 1) << adb[2:0];

    // Yosys synthesizes without logic for a write and a read of one word at two ports in one cycle: such a read has no
    // defined value.
    always @(posedge clka) begin
        if (CEA && WEA) begin
            if (DATA_WIDTH_A < 9) memory[first_a] <= memory[first_a] & ~mask_a | (9'(dia) << ada[2:0]) & mask_a;
            if (DATA_WIDTH_A == 9 || DATA_WIDTH_A > 9 && ada[0]) memory[first_a] <= dia[8:0];
            if (DATA_WIDTH_A > 9 && ada[1]) memory[first_a + 1] <= dia[17:9];
            if (DATA_WIDTH_A == 36 && ada[2]) memory[first_a + 2] <= dib[8:0];
            if (DATA_WIDTH_A == 36 && ada[3]) memory[first_a + 3] <= dib[17:9];
        end
        if (RSTA) doa <= 0;
        else if (CEA && WEA && WRITEMODE_A == "WRITETHROUGH") doa <= dia;
        else if (CEA && (!WEA || WRITEMODE_A == "READBEFOREWRITE"))
            if (DATA_WIDTH_A < 9) doa <= 36'(memory[first_a] & mask_a) >> ada[2:0];
            else doa <= {memory[first_a + 3], memory[first_a + 2], memory[first_a + 1], memory[first_a]};
    end
    always @(posedge clkb) begin
        if (CEB && WEB) begin
            if (DATA_WIDTH_B < 9) memory[first_b] <= memory[first_b] & ~mask_b | (9'(dib) << adb[2:0]) & mask_b;
            if (DATA_WIDTH_B == 9 || DATA_WIDTH_B == 18 && adb[0]) memory[first_b] <= dib[8:0];
            if (DATA_WIDTH_B == 18 && adb[1]) memory[first_b + 1] <= dib[17:9];
        end
        if (RSTB) dob <= 0;
        else if (CEB && WEB && WRITEMODE_B == "WRITETHROUGH") dob <= dib;
        else if (CEB && (!WEB || WRITEMODE_B == "READBEFOREWRITE"))
            if (DATA_WIDTH_B < 9) dob <= 36'(memory[first_b] & mask_b) >> adb[2:0];
            else dob <= {memory[first_b + 3], memory[first_b + 2], memory[first_b + 1], memory[first_b]};
    end
endmodule
