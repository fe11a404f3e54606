// A verilated serial engine as a library: bytes are sent to it and received from it over its line, bit by bit.

#include <cstdint>

#include "Vtop.h"
#include "verilated.h"

namespace {

// The other end of the line: a UART that sends without gaps and receives.
struct Device {
    VerilatedContext context;
    Vtop top{&context};
    uint32_t sending = 0;        // bits that are to be sent, and a one above them; 0: none
    uint32_t send_wait = 0;      // clocks of the bit that is being sent
    uint32_t receiving = 0;      // bits that have come, below a one that moves up; 0: none
    uint32_t receive_wait = 0;   // clocks to the middle of the next bit
};

}  // namespace

extern "C" {

// Bytes that are to be sent, or room for those that come.
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

// Runs for so many cycles, or until `come` has no room; gives how many cycles it ran.
uint64_t serial_run(void* handle, Bytes* send, Bytes* come, uint32_t divisor, uint64_t cycles) {
    Device& device = *static_cast<Device*>(handle);
    Vtop& top = device.top;
    uint64_t cycle = 0;
    for (; cycle < cycles && come->done < come->count; cycle++) {
        if (device.send_wait) {
            device.send_wait--;
        } else if (device.sending > 1) {
            top.rx = device.sending & 1;
            device.sending >>= 1;
            device.send_wait = divisor - 1;
        } else if (send->done < send->count) {
            device.sending = 0x300 | send->data[send->done++];  // eight bits, the stop bit, and the one above
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
            if (device.receiving & 0x200) {  // eight bits, the first one highest, and the stop bit
                if (top.tx) {
                    uint8_t byte = 0;
                    for (int bit = 0; bit < 8; bit++) byte |= (device.receiving >> (8 - bit) & 1) << bit;
                    come->data[come->done++] = byte;
                }
                device.receiving = 0;
            }
        }
    }
    return cycle;
}

// Whether the line rests, seen from here.
uint32_t serial_rests(void* handle) {
    Device& device = *static_cast<Device*>(handle);
    return !device.sending && !device.receiving;
}
}
