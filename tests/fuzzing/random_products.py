"""cocotb tests of a random configuration: random tiles or products, compared with the golden model word by word."""

import random

import cocotb
import numpy as np

from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_sim.bench.array.bench import ArrayBench
from lowtide_sim.bench.engine.bench import EngineBench
from lowtide_sim.bench.engine.serial_frames import SerialBench
from lowtide_sim.bench.environment import parameters
from lowtide_sim.bench.stimulus.integer_products import random_integer_settings, random_integers, random_reveal
from lowtide_sim.bench.streams.pause import PAUSES


def random_stalls() -> tuple[str, str, str]:
    """Random stalls of A, B and C."""
    a, b, c = (random.choice(list(PAUSES)) for _ in range(3))
    return a, b, c


@cocotb.test()
async def array(dut):
    """After one cycle of reset, tiles of random lengths and operands are right."""
    bench = await ArrayBench(dut, random_stalls()).start(reset=1)
    if bench.settings:
        bench.settings.share = 0.05
    for _ in range(parameters()["products"]):
        bench.send(bench.tiles.random())
    await bench.finish()


@cocotb.test()
async def engine(dut):
    """After one cycle of reset, random products are right; each starts as soon as the engine is ready."""
    bench = await EngineBench(dut, random_stalls()).start(reset=1)
    products = [bench.random_product() for _ in range(parameters()["products"])]
    for product in products:
        await bench.begin(*product)
    for product in products:
        await bench.finish(*product)
    if bench.config.engine.sum_rows:
        passes = bench.random_passes()
        await bench.begin_sum(passes)
        await bench.finish_sum(passes)
    assert await bench.read("errors") == 0


@cocotb.test(timeout_time=100, timeout_unit="ms")
async def serial(dut):
    """After one cycle of reset, small products over the serial line are right."""
    bench = await SerialBench(dut).start(reset=1)
    golden, rng, position = GoldenEngine(bench.config), bench.rng, 0
    for _ in range(parameters()["products"]):
        m, k, n = (int(rng.integers(1, most + 1)) for most in (2, min(3, bench.config.max_k), 2))
        shapes, reveal = ((m, k), (k, n)), random_reveal(rng, bench.config)
        if golden.integers:
            a, b = (random_integers(rng, bench.config, shape) for shape in shapes)
            operand = random_integer_settings(rng)
        else:
            a, b = (rng.standard_normal(shape).astype(np.float32) for shape in shapes)
            operand = OperandSettings(chunks=1, bias=int(rng.integers(-6, 2)))
        values, position = await bench.multiply(a, b, operand, operand, position, reveal=reveal)
        assert values.tobytes() == golden.multiply(a, b, operand, operand, reveal=reveal).values.tobytes()
