"""cocotb test of a processing element after power-up: one cycle of reset, some idle cycles, then sums."""

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from power_up_cases import IDLES
from power_up_outputs import check_outputs

from lowtide_sim.bench.environment import parameters, sidecar
from lowtide_sim.bench.models.array import ArrayModel, WordModel
from lowtide_sim.bench.stimulus.term_tiles import WordTiles
from lowtide_sim.bench.stimulus.tiles import Tiles
from lowtide_sim.bench.streams.axi_stream import PERIOD


class ElementBench:
    """Drives an element as an array does, and records what it drains in each cycle."""

    def __init__(self, element, restart_delay: int):
        self.element = element
        self.drained: list[int] = []
        self._restarts = [0] * restart_delay

    async def cycle(self, a: int = 0, b: int = 0, restart: int = 0, reset: int = 0) -> None:
        """Run a cycle with these inputs, and record the drain's output; the restart arrives ``restart_delay`` later."""
        self._restarts.append(restart)
        inputs = {"a_i": a, "b_i": b, "restart_i": self._restarts.pop(0), "rst": reset}
        for name, value in inputs.items():
            getattr(self.element, name).value = value
        await RisingEdge(self.element.clk)
        if not reset:
            self.drained.append(self.element.drain_o.value.to_unsigned())


@cocotb.test()
@cocotb.parametrize(idle=IDLES)
async def first_sums(dut, idle):
    """No output is unknown, every sum is right, and the drain is zero in all other cycles.

    An element of running sums sends the sum of all tiles so far.
    """
    about, array = parameters(), sidecar()  # of the element, and of an array with this single element
    element = getattr(dut, f"idle_{idle}")
    rng, sums = random.Random(idle), []
    tiles, model = (Tiles, ArrayModel) if about["kind"] == "fmac" else (WordTiles, WordModel)
    tiles, model = tiles(array, rng), model(array, lambda words, _last: sums.append(words[0]))
    bench = ElementBench(element, about["restart_delay"])
    Clock(element.clk, PERIOD, "ns").start()
    await bench.cycle(reset=1)
    due = {}
    for _ in range(idle):
        await bench.cycle()
    for _ in range(about["restarts"]):  # of zero sums, which an element needs after a reset
        for _ in range(about["spacing"] - 1):
            await bench.cycle()
        await bench.cycle(restart=1)
    for _ in range(3):
        tile = tiles.random()
        for _ in range(max(about["spacing"] - len(tile.a), 0)):
            await bench.cycle()
        half = (array["accumulator_bits"] + 1) // 2
        for n, ((a, _), (b, _)) in enumerate(zip(tile.a, tile.b, strict=True)):
            model.saw_a(n, a, n == len(tile.a) - 1)
            model.saw_b(n, b, n == len(tile.a) - 1)
            last = n == len(tile.a) - 1
            if last:
                low = len(bench.drained) + about["latency"]
                total = wrapped(sum(sums) if about["running_sums"] else sums[-1], array["accumulator_bits"])
                due |= {low: total % 2**half, low + 1: (total >> half) % 2**half}
            await bench.cycle(a, b, restart=last)
    for _ in range(about["latency"] + 4):
        await bench.cycle()
    assert bench.drained == [due.get(n, 0) for n in range(len(bench.drained))]
    check_outputs(element, about)


def wrapped(total: int, width: int) -> int:
    """Return a sum modulo ``2**width``, in two's complement."""
    return (total + (1 << width - 1)) % (1 << width) - (1 << width - 1)
