"""Bench of a processing element: compares its sums with the sums of its beats, cycle by cycle.

Elements of running sums send the sum of all beats so far, modulo two to the power of the accumulator's width. The array
subtracts the sum that the element sent before.
"""

from amaranth.sim import Simulator
from attrs import frozen

__all__ = ["Beat", "check"]


@frozen
class Beat:
    """Inputs of one cycle, whether they end a tile, and their addend of the sum."""

    a: int = 0
    b: int = 0
    restart: bool = False
    drain: int = 0
    addend: int = 0


def check(dut, beats):
    """Run beats through the element, their restarts ``restart_delay`` cycles later, and check every output."""
    beats = [*[Beat(restart=True), *[Beat()] * (dut.spacing - 1)] * dut.restarts, *beats]
    drain = expected_drain(dut, beats)
    beats = [*beats, *[Beat()] * (dut.latency + 1)]

    async def bench(ctx):
        before = (0, 0, 0)
        for cycle, beat in enumerate(beats):
            restart = cycle >= dut.restart_delay and beats[cycle - dut.restart_delay].restart
            inputs = beat.a, beat.b, int(restart)
            for port, value in zip((dut.a_i, dut.b_i, dut.restart_i), inputs, strict=True):
                ctx.set(_bits(port), value)
            ctx.set(dut.drain_i, beat.drain)
            assert ctx.get(dut.drain_o) == drain[cycle], f"cycle {cycle}"
            assert tuple(ctx.get(_bits(port)) for port in (dut.a_o, dut.b_o, dut.restart_o)) == before
            await ctx.tick()
            before = inputs

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def _bits(port):
    """Bits of a port as an unsigned value, for any shape."""
    return port.as_value().as_unsigned() if hasattr(port, "as_value") else port.as_unsigned()


def expected_drain(dut, beats):
    """Expected words on the drain, one per cycle; sums beyond the accumulator wrap."""
    width, latency = dut.accumulator, dut.latency
    half = (width + 1) // 2
    words = [0] * (len(beats) + latency + 2)
    total = 0
    for cycle, beat in enumerate(beats):
        words[cycle + 1] |= beat.drain
        total = (total + beat.addend + 2 ** (width - 1)) % 2**width - 2 ** (width - 1)
        if beat.restart:
            words[cycle + latency] |= total & (2**half - 1)
            words[cycle + latency + 1] |= total >> half & (2**half - 1)
            total = total if dut.running_sums else 0
    return words
