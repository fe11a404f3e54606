"""cocotb tests of an array with a requantizer: consecutive layers, and the counter of saturated results."""

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles

from lowtide_model.terms import requantize_data, term_matmul
from lowtide_sim.bench.array.bench import ArrayBench
from lowtide_sim.bench.environment import parameters
from lowtide_sim.bench.stimulus.term_tiles import integer_tile


@cocotb.test()
async def layers_feed_each_other(dut):
    """Each layer's results are the next layer's data; all results equal the golden model's."""
    bench = await ArrayBench(dut).start()
    assert bench.requantized
    rng, terms = np.random.default_rng(bench.rng.getrandbits(64)), bench.sidecar["configuration"]["terms"]
    form = {"width": terms["width"], "encoding": terms["encoding"]}
    largest = 2 ** (terms["width"] - 1) - 1
    for _ in range(parameters().get("networks", 3)):
        tiles = bench.rng.randint(1, 3)  # per layer
        units = tiles * bench.columns
        data = due = rng.integers(-largest, largest + 1, (bench.rows, units))
        for layer in range(3):
            settings = await _reveal(bench)
            weights = rng.integers(-largest, largest + 1, (units, units))
            scaling = {"multiplier": bench.rng.randrange(1, 1 << bench.requantized.model.shape.multiplier)}
            size = np.abs(term_matmul(due, weights, **settings, **form)).max() * scaling["multiplier"]
            # The largest result saturates in about half of the layers.
            scaling["shift"] = max(int(size).bit_length() - terms["width"] + bench.rng.randint(0, 1), 0)
            scaling |= {"relu": layer % 2, "data_terms": bench.requantized.model.shape.most_terms}
            data = await _layer(bench, data, weights, settings["group"], scaling)
            due = _due(term_matmul(due, weights, **settings, **form), scaling, form)
            assert data.tolist() == due.tolist()


@cocotb.test()
async def the_count_is_cleared(dut):
    """``saturations_clear`` clears the counter."""
    bench = await ArrayBench(dut).start()
    assert bench.requantized
    for _ in range(3):
        for _ in range(3):
            bench.send(bench.tiles.random())
        await bench.finish()
        bench.requantized.check_count()
        dut.saturations_clear.value = 1
        await ClockCycles(dut.clk, 1)
        dut.saturations_clear.value = 0
        bench.requantized.saturations = 0
        await ClockCycles(dut.clk, 2)
        bench.requantized.check_count()


async def _layer(
    bench: ArrayBench, data: np.ndarray, weights: np.ndarray, group: int, scaling: dict[str, int]
) -> np.ndarray:
    """Compute a layer on the array, tile by tile."""
    assert bench.requantized
    beats: list[list[int]] = []
    bench.row_seen = lambda beat: beats.append(bench.checker.words(beat))
    for first in range(0, weights.shape[1], bench.columns):
        bench.requantized.for_tiles.append(scaling)
        bench.send(integer_tile(bench.sidecar, data, weights[:, first : first + bench.columns], group))
    await bench.finish()
    bench.row_seen = lambda beat: None
    return np.concatenate(np.array(beats).reshape(-1, bench.rows, bench.columns), axis=1)


async def _reveal(bench: ArrayBench) -> dict[str, int]:
    """Write random settings if the array reveals terms, and return the settings that are valid."""
    terms = bench.sidecar["configuration"]["terms"]
    if not bench.settings:
        return {"group": 1, "budget": terms["width"], "data_terms": terms["width"]}
    settings = {name: bench.rng.randint(1, terms[name]) for name in ("group", "budget", "data_terms")}
    bench.settings.write(reveal=1, **settings)
    await ClockCycles(bench.dut.clk, 4)
    return settings


def _due(accs: np.ndarray, scaling: dict[str, int], form: dict) -> np.ndarray:
    settings = {"multiplier": scaling["multiplier"], "shift": scaling["shift"], "relu": bool(scaling["relu"])}
    return requantize_data(accs, **settings, terms=scaling["data_terms"], **form)[0]
