"""cocotb test of arrays that multiply terms: products from term queues, in the cycles that the budget gives."""

from itertools import pairwise
from typing import Any

import cocotb
import numpy as np

from lowtide_model.terms import term_matmul
from lowtide_sim.bench.array.bench import ArrayBench
from lowtide_sim.bench.environment import parameters
from lowtide_sim.bench.stimulus.term_beats import term_tiles


@cocotb.test()
async def products_by_queues(dut):
    """Every word equals the golden model's; a group takes k cycles, or k * s for pairs, for any values."""
    bench = await ArrayBench(dut).start()
    configuration = bench.sidecar["configuration"]
    terms = configuration["terms"]
    numbers = np.random.default_rng(bench.rng.getrandbits(64))
    received = []
    bench.row_seen = received.append
    due, ends = [], []
    for _ in range(parameters().get("products", 4)):
        group = bench.rng.randint(1, terms["group"])
        data_terms = bench.rng.randint(1, terms["data_terms"])
        loads = -(-group // terms["values"])
        # The budget is large enough that a group's terms take at least as many cycles as its data.
        budget = bench.rng.randint(min(loads * terms["parallel"], terms["budget"]), terms["budget"])
        settings: dict[str, Any] = {"group": group, "budget": budget, "data_terms": data_terms}
        groups = [bench.rng.randint(1, 4) for _ in range(5)]
        products = [_operands(numbers, bench.rows, bench.columns, n * group, terms["width"]) for n in groups]
        for tile in term_tiles(bench.sidecar, products, **settings):
            bench.send(tile)
        await bench.finish()
        settings |= {"width": terms["width"], "encoding": terms["encoding"]}
        due += [row for a, b in products for row in term_matmul(a, b, **settings).tolist()]
        pairs = configuration["array"]["element"] == "pair_mac"
        # Data of pairs take one cycle per term.
        loads, words = (group * data_terms, budget * data_terms) if pairs else (loads, budget)
        cycles = max(loads, -(-words // terms["parallel"]))
        ends = [edge for edge, last in bench.results if last][-len(groups) :]
        least = bench.sidecar["least_tile_cycles"]
        # Every tile except the last also carries the data of the next tile, so the last one is shorter.
        assert [y - x for x, y in pairwise(ends[:-1])] == [max(n * cycles, least) for n in groups[1:-1]]
    assert [bench.checker.words(row) for row in received] == due


def _operands(numbers: np.random.Generator, rows: int, columns: int, k: int, width: int):
    """Data and weights: random, zeros, or at the limits of their range."""
    lowest = -(1 << width - 1)
    kinds = numbers.integers(0, 4)
    if kinds == 0:
        return np.zeros((rows, k), np.int64), np.zeros((k, columns), np.int64)
    if kinds == 1:
        return numbers.choice([lowest, -lowest - 1], (rows, k)), numbers.choice([lowest, -lowest - 1], (k, columns))
    return numbers.integers(lowest, -lowest, (rows, k)), numbers.integers(lowest, -lowest, (k, columns))
