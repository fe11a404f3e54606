"""cocotb test of a serial engine after power-up: one cycle of reset, some idle cycles, then requests."""

import cocotb
import numpy as np
from power_up_cases import IDLES
from power_up_outputs import check_outputs

from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_sim.bench.engine.serial_frames import SerialBench
from lowtide_sim.bench.environment import parameters, sidecar


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(idle=IDLES)
async def first_requests(dut, idle):
    """No output is unknown, and registers and results are right."""
    device = getattr(dut, f"idle_{idle}")
    bench = await SerialBench(device).start(reset=1, idle=idle)
    shape = bench.config.array.rows, bench.config.array.columns
    assert await bench.request("read", bench.places["rows"], 2) == shape
    for _ in range(parameters()["products"]):
        a, b = np.full((1, 2), 1.5, np.float32), np.full((2, 1), -0.75, np.float32)
        operand = OperandSettings(chunks=2, bias=-4)
        values, _ = await bench.multiply(a, b, operand, operand, 0)
        assert values.tobytes() == GoldenEngine(bench.config).multiply(a, b, operand, operand).values.tobytes()
    check_outputs(device, sidecar())
