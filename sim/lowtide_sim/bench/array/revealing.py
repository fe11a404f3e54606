"""cocotb tests of an array that reveals terms: cycles per tile, and settings per tile."""

from itertools import pairwise

import cocotb
from cocotb.triggers import ClockCycles

from lowtide.formats.terms import terms_of_integer
from lowtide_sim.bench.array.bench import ArrayBench
from lowtide_sim.bench.environment import parameters


@cocotb.test()
async def settings_alternate_between_tiles(dut):
    """Tiles with and without revealing, and with different budgets, follow each other without an idle cycle."""
    bench = await ArrayBench(dut).start()
    assert bench.settings
    terms, rng = bench.sidecar["configuration"]["terms"], bench.rng
    values = terms["values"]
    plain = {"reveal": 0, "group": terms["group"], "budget": terms["budget"], "data_terms": terms["data_terms"]}
    settings, lengths = [plain], [3 * -(-terms["group"] // values)]
    for n in range(parameters().get("tiles", 30)):
        group = rng.randint(1, terms["group"])
        loads = -(-group // values)
        # The terms of a group take at least as many cycles as the data of the next group, even the largest.
        least = min(-(-terms["group"] // values), terms["budget"])
        budget = rng.choice((least, rng.randint(least, terms["budget"])))
        revealing = {"reveal": 1, "group": group, "budget": budget, "data_terms": rng.randint(0, terms["data_terms"])}
        settings.append(plain if n % 2 else revealing)
        # Settings of the next tile are written during this tile, which needs three beats.
        groups = max(rng.randint(1, 3), -(-3 // loads))
        lengths.append(groups * -(-settings[-1]["group"] // values))
    bench.settings.for_tiles.extend(settings[1:])
    for beats in lengths:
        bench.send(bench.tiles.of_beats(beats))
    await bench.finish()
    ends = [edge for edge, last in bench.results if last]
    periods = [_period(bench, setting, beats) for setting, beats in zip(settings, lengths, strict=True)]
    assert [y - x for x, y in pairwise(ends[1:])] == periods[2:]


@cocotb.test()
async def cycles_do_not_depend_on_values(dut):
    """Tiles of zeros take as many cycles as tiles of values with the most terms."""
    bench = await ArrayBench(dut).start()
    assert bench.settings
    terms = bench.sidecar["configuration"]["terms"]
    revealing = {"reveal": 1, "group": terms["group"], "budget": terms["budget"], "data_terms": 1}
    bench.settings.write(**revealing)
    await ClockCycles(dut.clk, 4)
    beats = 2 * -(-terms["group"] // terms["values"])
    for _ in range(24):
        bench.send(bench.tiles.of_beats(beats))
    await bench.finish()
    ends = [edge for edge, last in bench.results if last]
    assert {y - x for x, y in pairwise(ends[1:])} == {_period(bench, revealing, beats)}


@cocotb.test()
async def latency(dut):
    """Row 0 arrives the latency plus the budget after the last beat."""
    bench = await ArrayBench(dut).start()
    assert bench.settings
    terms = bench.sidecar["configuration"]["terms"]
    for budget in (0, 1, terms["budget"]):
        bench.settings.write(reveal=1, group=terms["group"], budget=budget, data_terms=1)
        await ClockCycles(dut.clk, 4 + bench.sidecar["least_tile_cycles"])
        bench.beats.clear()
        bench.results.clear()
        bench.send(bench.tiles.of_beats(1))
        await bench.finish()
        first = bench.sidecar["latency"] + max(budget, 1)
        assert [edge - bench.beats[0][0] for edge, _ in bench.results] == [first + 2 * row for row in range(bench.rows)]


@cocotb.test()
async def settings_that_are_not_legal(dut):
    """The array rejects illegal settings and raises a flag, until the next legal settings; old settings stay valid."""
    bench = await ArrayBench(dut).start()
    assert bench.settings
    terms = bench.sidecar["configuration"]["terms"]
    good = {"reveal": 1, "group": 1, "budget": 1, "data_terms": 1}
    fields = bench.sidecar["settings"]["fields"]
    for key, value in (("group", 0), *((key, terms[key] + 1) for key in ("group", "budget", "data_terms"))):
        for settings in (good, good | {key: value}, good):
            if value >> fields[key]["bits"]:
                continue  # the value does not fit into the field
            bench.settings.write(**settings)
            await ClockCycles(dut.clk, 4)
            assert dut.settings_refused.value == (settings is not good)
            bench.send(bench.tiles.of_beats(3))
            await bench.finish()


def _period(bench: ArrayBench, settings: dict[str, int], beats: int) -> int:
    terms = bench.sidecar["configuration"]["terms"]
    most = terms_of_integer(terms["width"], terms["encoding"])
    budget = settings["budget"] if settings["reveal"] else terms["group"] * most
    loads = -(-settings["group"] // terms["values"])
    groups = beats // loads
    return max(groups * max(budget, loads, 1), bench.sidecar["least_tile_cycles"])
