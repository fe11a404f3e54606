// A verilated serial engine as a library: sends and receives bytes over its serial line, bit by bit.

#include <cstdint>

#include "Vtop.h"
#include "verilated.h"

namespace {

// The device and the host's end of the line: a UART that sends without gaps, and receives.
struct Device {
    VerilatedContext context;
    Vtop top{&context};
    uint32_t sending = 0;        // bits to send, with a one above them; 0 if idle
    uint32_t send_wait = 0;      // remaining clock cycles of the current bit
    uint32_t receiving = 0;      // received bits, below a one that shifts up; 0 if idle
    uint32_t receive_wait = 0;   // clock cycles to the middle of the next bit
};

}  // namespace

extern "C" {

// Bytes to send, or a buffer for received bytes.
struct Bytes {
    uint8_t* data;
    uint64_t count;
    uint64_t done;
};

void* serial_create(uint32_t seed) {
    Device* device = new Device;
    device->context.randReset(2);
    device->context.randSeed(seed);
    return device;
}

void serial_destroy(void* handle) { delete static_cast<Device*>(handle); }

void serial_reset(void* handle) {
    Device& device = *static_cast<Device*>(handle);
    Vtop& top = device.top;
    top.rst = top.rx = 1;
    for (int clock = 0; clock < 4; clock++) {
        top.clk = 0;
        top.eval();
        top.clk = 1;
        top.eval();
    }
    top.rst = 0;
    device.sending = device.receiving = device.send_wait = 0;
}

#ifdef LEDS
// Returns the LEDs: bit 0 is the LED for success, bit 1 the LED for failure.
uint32_t serial_leds(void* handle) {
    Vtop& top = static_cast<Device*>(handle)->top;
    return top.right | top.wrong << 1;
}
#endif

// Runs for `cycles` cycles, or until the buffer `receive` is full; returns the cycles.
uint64_t serial_run(void* handle, Bytes* send, Bytes* receive, uint32_t divisor, uint64_t cycles) {
    Device& device = *static_cast<Device*>(handle);
    Vtop& top = device.top;
    uint64_t cycle = 0;
    for (; cycle < cycles && receive->done < receive->count; cycle++) {
        if (device.send_wait) {
            device.send_wait--;
        } else if (device.sending > 1) {
            top.rx = device.sending & 1;
            device.sending >>= 1;
            device.send_wait = divisor - 1;
        } else if (send->done < send->count) {
            device.sending = 0x300 | send->data[send->done++];  // eight bits, the stop bit, and a one above
            top.rx = 0;
            device.send_wait = divisor - 1;
        } else {
            device.sending = 0;
        }
        top.clk = 0;
        top.eval();
        top.clk = 1;
        top.eval();
        if (!device.receiving) {
            if (!top.tx) {
                device.receiving = 1;
                device.receive_wait = divisor + divisor / 2;
            }
        } else if (--device.receive_wait == 0) {
            device.receive_wait = divisor;
            device.receiving = device.receiving << 1 | top.tx;
            if (device.receiving & 0x200) {  // eight bits, the first in the highest position, and the stop bit
                if (top.tx) {
                    uint8_t byte = 0;
                    for (int bit = 0; bit < 8; bit++) byte |= (device.receiving >> (8 - bit) & 1) << bit;
                    receive->data[receive->done++] = byte;
                }
                device.receiving = 0;
            }
        }
    }
    return cycle;
}
}
