// A verilated engine as a library: register accesses, and streams at full rate or with stalls.

#include <cstdint>
#include <cstring>

#include "Vtop.h"
#include "verilated.h"

namespace {

struct Engine {
    VerilatedContext context;
    Vtop top{&context};
    uint64_t random = 1;

    void tick() {
        top.clk = 0;
        top.eval();
        top.clk = 1;
        top.eval();
    }

    // Whether a stream stalls in this cycle: `share` of 256 cycles on average, by Marsaglia's xorshift.
    bool pauses(uint32_t share) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        return (random >> 32 & 255) < share;
    }
};

template <typename Port>
void put(Port& port, const uint8_t* bytes, size_t count) {
    memcpy(&port, bytes, count);
}

}  // namespace

extern "C" {

// Beats to send, or a buffer for received beats: their bytes, and for each beat its `last` flag.
struct Stream {
    uint8_t* data;
    uint8_t* last;
    uint64_t beats;
    uint64_t done;
    uint32_t pauses;  // stalled cycles per 256
};

void* engine_create(uint32_t seed) {
    Engine* engine = new Engine;
    engine->context.randReset(2);
    engine->context.randSeed(seed);
    engine->random = seed + 1;
    return engine;
}

void engine_destroy(void* handle) { delete static_cast<Engine*>(handle); }

void engine_reset(void* handle) {
    Engine& engine = *static_cast<Engine*>(handle);
    engine.top.s_axis_a_tvalid = engine.top.s_axis_b_tvalid = engine.top.m_axis_c_tready = engine.top.write = 0;
#if ADDENDS
    engine.top.s_axis_d_tvalid = 0;
#endif
    engine.top.rst = 1;
    engine.tick();
    engine.top.rst = 0;
}

void engine_write(void* handle, uint32_t address, uint32_t data) {
    Engine& engine = *static_cast<Engine*>(handle);
    engine.top.address = address;
    engine.top.write_data = data;
    engine.top.write = 1;
    engine.tick();
    engine.top.write = 0;
}

uint32_t engine_read(void* handle, uint32_t address) {
    Engine& engine = *static_cast<Engine*>(handle);
    engine.top.address = address;
    engine.tick();
    return engine.top.read_data;
}

}  // extern "C"

namespace {

// One cycle of the streams and of the register bus, as it is set; returns whether the last beat of a product arrived.
bool stream(Engine& engine, Stream* a, Stream* b, Stream* c, [[maybe_unused]] Stream* d) {
    Vtop& top = engine.top;
    if (!top.s_axis_a_tvalid && a->done < a->beats && !engine.pauses(a->pauses)) {
        put(top.s_axis_a_tdata, a->data + a->done * BYTES, BYTES);
        top.s_axis_a_tlast = a->last[a->done];
        top.s_axis_a_tvalid = 1;
    }
    if (!top.s_axis_b_tvalid && b->done < b->beats && !engine.pauses(b->pauses)) {
        put(top.s_axis_b_tdata, b->data + b->done * BYTES, BYTES);
        top.s_axis_b_tlast = b->last[b->done];
        top.s_axis_b_tvalid = 1;
    }
#if ADDENDS
    if (!top.s_axis_d_tvalid && d->done < d->beats && !engine.pauses(d->pauses)) {
        put(top.s_axis_d_tdata, d->data + d->done * RESULT_BYTES, RESULT_BYTES);
        top.s_axis_d_tlast = d->last[d->done];
        top.s_axis_d_tvalid = 1;
    }
#endif
    top.m_axis_c_tready = !engine.pauses(c->pauses);
    top.clk = 0;
    top.eval();
    bool took_a = top.s_axis_a_tvalid && top.s_axis_a_tready;
    bool took_b = top.s_axis_b_tvalid && top.s_axis_b_tready;
#if ADDENDS
    bool took_d = top.s_axis_d_tvalid && top.s_axis_d_tready;
#endif
    bool ended = false;
    if (top.m_axis_c_tvalid && top.m_axis_c_tready) {
        if (c->done < c->beats) {
            memcpy(c->data + c->done * RESULT_BYTES, &top.m_axis_c_tdata, RESULT_BYTES);
            c->last[c->done] = top.m_axis_c_tlast;
        }
        c->done++;
        ended = top.m_axis_c_tlast;
    }
    top.clk = 1;
    top.eval();
    if (took_a) {
        a->done++;
        top.s_axis_a_tvalid = 0;
    }
    if (took_b) {
        b->done++;
        top.s_axis_b_tvalid = 0;
    }
#if ADDENDS
    if (took_d) {
        d->done++;
        top.s_axis_d_tvalid = 0;
    }
#endif
    return ended;
}

// Between runs the streams are idle, and registers are read and written.
void idle(Vtop& top) {
    top.s_axis_a_tvalid = top.s_axis_b_tvalid = top.m_axis_c_tready = 0;
#if ADDENDS
    top.s_axis_d_tvalid = 0;
#endif
}

}  // namespace

extern "C" {

// Runs until all beats are sent and `products` products have arrived, for at most `most` cycles; returns the cycles.
// An engine without post operations has no stream D.
uint64_t engine_run(
    void* handle, Stream* a, Stream* b, Stream* c, Stream* d, uint64_t products, uint64_t most) {
    Engine& engine = *static_cast<Engine*>(handle);
    uint64_t cycles = 0;
    while (cycles < most && (a->done < a->beats || b->done < b->beats || d->done < d->beats || products)) {
        if (stream(engine, a, b, c, d) && products) products--;
        cycles++;
    }
    idle(engine.top);
    return cycles;
}

// Writes registers while the streams run: `count` pairs of address and data, one per cycle. The last pair waits for bit
// 0 of the register `status`, for at most `most` cycles; returns the cycles, or 0 if the bit stays 0.
uint64_t engine_start(
    void* handle,
    Stream* a,
    Stream* b,
    Stream* c,
    Stream* d,
    const uint32_t* writes,
    uint64_t count,
    uint32_t status,
    uint64_t most) {
    Engine& engine = *static_cast<Engine*>(handle);
    Vtop& top = engine.top;
    uint64_t cycles = 0;
    bool ready = false;
    for (uint64_t n = 0; n < count; n++) {
        if (n + 1 == count) {
            top.address = status;
            while (!ready && cycles < most) {
                stream(engine, a, b, c, d);
                cycles++;
                ready = top.read_data & 1;
            }
            if (!ready) break;
        }
        top.address = writes[2 * n];
        top.write_data = writes[2 * n + 1];
        top.write = 1;
        stream(engine, a, b, c, d);
        cycles++;
        top.write = 0;
    }
    idle(top);
    return ready ? cycles : 0;
}
}
