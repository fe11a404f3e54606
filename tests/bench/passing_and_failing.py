"""A cocotb module for the tests of the simulator runner, controlled by its parameters."""

import random

import cocotb
from cocotb.triggers import Timer

from lowtide_sim.bench.environment import parameters, sidecar


@cocotb.test()
async def first(dut):
    """Passes."""
    dut.rst.value = 1
    await Timer(1, unit="ns")
    print(f"top {sidecar()['top']}, number {random.getrandbits(32)}")


@cocotb.test()
async def second(dut):
    """Fails unless the parameter ``good`` is set."""
    await Timer(1, unit="ns")
    assert parameters()["good"], "told to fail"
