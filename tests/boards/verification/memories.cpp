// Runs a module with an input `clk` and an output `errors`.

#include <cstdint>

#include "Vtop.h"
#include "verilated.h"

extern "C" uint32_t errors_after(uint32_t cycles) {
    VerilatedContext context;
    Vtop top{&context};
    for (uint32_t cycle = 0; cycle < cycles; cycle++) {
        top.clk = 0;
        top.eval();
        top.clk = 1;
        top.eval();
    }
    return top.errors;
}
