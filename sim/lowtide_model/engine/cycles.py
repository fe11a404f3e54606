"""Cycle model of the engine: cycles of products, without simulation."""

from collections.abc import Sequence

import attrs

from lowtide.config import Config
from lowtide.emission.top import AxiStreamEngine
from lowtide.engine.dispatcher import RUNS
from lowtide.engine.group_unpacker import GroupUnpacker
from lowtide.engine.integer_unpacker import IntegerUnpacker
from lowtide.formats.parameter import IllegalValue, count, flag, instance
from lowtide_model.engine.output_cycles import Output, OutputCycles
from lowtide_model.engine.results import tile_order
from lowtide_model.engine.reveal import Reveal, effective
from lowtide_model.engine.slots import slots_of

__all__ = ["CycleModel", "Occupancy", "Shape", "Work"]

PACKED_FILL = 5
"""Cycles from the start of a load until the unpacker takes its first beat, and from a group to its last write."""

SEEN = 2
"""Cycles from the last write of a panel until the sequencer reads the panel; the loader is free without them."""

STORE_TO_ADD = 3
"""Cycles from storing a row of sums until a row can be accepted that adds to a block: the memory reads ahead."""

ROW_CYCLES = 2
"""Cycles between rows of a tile."""

SIZE = attrs.Converter(lambda value, field: count(field.name, value, 1), takes_field=True)
SLOT = attrs.Converter(lambda value, field: count(field.name, value), takes_field=True)
FLAG = attrs.Converter(lambda value, field: flag(field.name, value), takes_field=True)


@attrs.frozen(kw_only=True)
class Shape:
    """Size and order of an operand on its stream.

    Parameters
    ----------
    lines, length : int
        Number of vectors (rows of A or columns of B), and elements per vector along K.
    chunks : int
        Chunks per magnitude.
    transposed : bool
        Whether the first elements of all vectors arrive first, then the second elements.
    packed : bool
        Whether the operand arrives as packed groups, in order.
    """

    lines: int = attrs.field(converter=SIZE)
    length: int = attrs.field(converter=SIZE)
    chunks: int = attrs.field(converter=SIZE)
    transposed: bool = attrs.field(default=False, converter=FLAG)
    packed: bool = attrs.field(default=False, converter=FLAG)


REVEAL = attrs.Converter(lambda value, field: instance(field.name, value, Reveal), takes_field=True)
OUTPUT = attrs.Converter(lambda value, field: instance(field.name, value, Output), takes_field=True)
SHAPE = attrs.Converter(lambda value, field: instance(field.name, value, Shape), takes_field=True)


@attrs.frozen(kw_only=True)
class Work:
    """A product: its operands, and which of them the engine loads.

    Parameters
    ----------
    a, b : Shape
        Operands.
    load_a, load_b : bool
        Whether the operand is loaded. Otherwise the engine reuses the operand that it loaded last or, with slots, the
        operand in the slot.
    slot_a, slot_b : int, optional
        Slots of the operands, if the engine has slots; by default slots take turns, see `slots_of`.
    output : Output
        What follows the product.
    add, keep : bool
        Whether the product adds the sums on chip, and whether its sums stay there, so that it has no results.
    reveal : Reveal, optional
        Term revealing, of an engine with the element ``tmac``.
    """

    a: Shape = attrs.field(converter=SHAPE)
    b: Shape = attrs.field(converter=SHAPE)
    load_a: bool = attrs.field(default=True, converter=FLAG)
    load_b: bool = attrs.field(default=True, converter=FLAG)
    slot_a: int | None = attrs.field(default=None, converter=attrs.converters.optional(SLOT))
    slot_b: int | None = attrs.field(default=None, converter=attrs.converters.optional(SLOT))
    output: Output = attrs.field(default=Output(), converter=OUTPUT)
    add: bool = attrs.field(default=False, converter=FLAG)
    keep: bool = attrs.field(default=False, converter=FLAG)
    reveal: Reveal | None = attrs.field(default=None, converter=attrs.converters.optional(REVEAL))


@attrs.frozen(kw_only=True)
class Occupancy:
    """Cycles in which the parts of an engine are busy with products; other cycles of a part are waits.

    Parameters
    ----------
    array : int
        Beats of the array, or cycles in which terms are sent.
    tiles : int
        Beats, and the cycles between tiles in which the array drains.
    a, b : int
        Loaders: conversion and writing of the chunks, or writing of the integers.
    results : int
        Beats of the results.
    """

    array: int
    tiles: int
    a: int
    b: int
    results: int


class TermFeed:
    """Groups of integers in a term array: one is loaded into a bank while the terms of the other bank are sent.

    Parameters
    ----------
    spacing : int
        Minimum cycles between the ends of tiles.

    Attributes
    ----------
    beat : int
        Cycle of the last beat so far.
    free : int
        Cycle in which the next beat can be issued.
    """

    def __init__(self, spacing: int):
        self.spacing = spacing
        self.beat = self.free = 0
        self._sent = [0, 0]  # cycles in which the last terms of the last two groups are sent
        self._end = -spacing  # cycle of the last term of the last tile

    def tile(self, start: int, groups: Sequence[tuple[int, int]], earliest: int) -> int:
        """Return the cycle of the last term of a tile whose first beat can be issued in a cycle.

        Parameters
        ----------
        start : int
            Cycle in which the first beat can be issued.
        groups : sequence of pairs of int
            Beats and terms of each group.
        earliest : int
            Cycle in which the last term can be sent: results leave at their own rate.
        """
        self.beat = max(self.beat, start)
        after = self._end + 1  # cycle in which the next term can be sent
        for beats, terms in groups:
            self.beat = max(self.beat, self._sent[-2]) + beats
            after = max(self.beat + 1, self._sent[-1] + 1, after) + terms
            self._sent.append(after - 1)
        self.free = self.beat
        self._end = max(self._sent[-1], self._end + self.spacing, earliest)
        self._sent = [self._sent[-2], self._end]
        return self._end


class CycleModel:
    """Computes cycles of products, if no stream stalls and each product starts as soon as the engine is ready.

    Parameters
    ----------
    config : Config
        Configuration of the engine.
    """

    def __init__(self, config: Config):
        self.config = instance("config", config, Config)
        engine = AxiStreamEngine(config).engine
        self.lanes, self.numbers = config.lanes, config.engine.input_width
        self.integers, self.reveals = config.array.element != "fmac", config.array.element == "tmac"
        self.group = self.lanes // self.numbers  # beats of a group
        self.panel = config.array.rows, config.array.columns
        self.spacing = engine.array.spacing
        self.array_latency, self.result_latency = engine.array.latency, engine.results.latency
        self.sums = engine.results.sums is not None
        self.result_beats = config.array.rows * config.array.columns // config.engine.output_width
        self.row_beats = config.array.columns // config.engine.output_width
        self.rows = config.array.rows
        self.serial = [loader.serial for loader in engine.loaders]
        # Cycles from the start of a load until its first chunks can be written: start, skid buffer and upsizer,
        # converter, skid buffer, register slice.
        self.fill = [1 + 2 * (not loader.serial) + loader.converter_latency + 2 for loader in engine.loaders]
        self.compare = [loader.compare_latency for loader in engine.loaders]
        self.unpackers = [loader.unpacker for loader in engine.loaders]
        self.write_width, self.slots = config.engine.write_width, config.engine.slots
        self._loads: dict[tuple[int, Shape], tuple[list[int], int]] = {}
        self.stage = engine.output

    def products(self, works: Sequence[Work]) -> int:
        """Cycles from the first start to the last result, or to the last sum that is stored."""
        return max(self.ends(works))

    def ends(self, works: Sequence[Work]) -> list[int]:
        """Cycles from the first start to the last result of each product, or to its last stored sum.

        Raises
        ------
        ValueError
            If a product adds or keeps sums, and the engine has none; if the engine takes no packed operands; or if it
            lacks a slot, or the slot of a reused operand is empty.
        """
        free = [0, 0]  # cycle in which each loader can start
        loaded: list[list[int]] = [[], []]  # cycle in which each panel of the product's operand is complete
        bank_free = [0, 0]  # cycle in which a bank can be written: when the run with the operand loaded last begins
        slots: list[dict[int, list[int]]] = [{}, {}]  # panels of the operand in each slot
        slot_free: list[dict[int, int]] = [{}, {}]  # cycle in which no run reads the slot any more
        issue, tile, ends, results = 0, 0, [], 0
        last = -self.spacing  # cycle of the last beat of the tile before
        paced = 0  # cycle in which a tile with results can end: results leave at their own rate
        overs = [0] * RUNS  # cycle of the last beat of each run
        output = OutputCycles(self.config, self.stage) if self.stage else None
        feed = TermFeed(self.spacing) if self.reveals else None
        stored = -STORE_TO_ADD  # cycle in which the last sum so far is stored
        taken = -ROW_CYCLES  # cycle in which the sum memory accepts the last row so far
        for work, used in zip(works, slots_of(self.config, works), strict=True):
            if (work.add or work.keep) and not self.sums:
                raise ValueError("engine.sum_rows must be 1 or more for products that add or keep sums, not 0")
            issued = issue + self._planning(work)
            begins = []
            for side, (operand, load) in enumerate(((work.a, work.load_a), (work.b, work.load_b))):
                if load:
                    room = slot_free[side].get(used[side], 0) if self.slots else bank_free[side]
                    start = max(issued, free[side], room)
                    panels, end = self._load(side, operand, start)
                    loaded[side], free[side] = panels, end
                    slots[side][used[side]] = panels
                    begins.append(start)
                elif self.slots:
                    if used[side] not in slots[side]:
                        raise IllegalValue(f"slot_{'ab'[side]}", "a slot with an operand", used[side])
                    loaded[side] = slots[side][used[side]]
            # With slots, the table has a loaded operand one cycle later.
            issue = max([issued, *(start + bool(self.slots) for start in begins), overs[-RUNS]]) + 2
            beats, groups = self._beats(work), self._groups(work)
            serial = self.rows * self.panel[1] if work.output.chunks else 0  # numbers of a tile, one per cycle
            first, tiles, over = None, [], 0
            new_b = work.load_b and not work.output.row_order
            for panel_a, panel_b in tile_order(len(loaded[0]), len(loaded[1]), work.load_a, new_b):
                tile = max(tile, loaded[0][panel_a], loaded[1][panel_b], issue + 2)
                earliest = 0 if work.keep else paced
                if feed:
                    last = feed.tile(tile, groups, earliest)
                    over = feed.beat
                else:
                    tile = max(tile, last)
                    last = max(tile + beats, last + self.spacing, earliest)
                    over = tile + beats
                row = last + self.array_latency + 1  # cycle of row 0
                if self.sums:
                    row = max(row, taken + ROW_CYCLES)
                if work.add and first is None:
                    row = max(row, stored + STORE_TO_ADD)
                first = tile if first is None else first
                if work.keep:
                    taken = row + ROW_CYCLES * (self.rows - 1)
                    stored = taken + 1
                else:
                    begins_at = row - 1 + self.result_latency
                    results = max(results + self.result_beats, begins_at + self._drain())
                    tiles.append((begins_at, begins_at + self._drain()))
                    taken = results - self.result_latency + 1 - self.row_beats
                    paced = last + max(self.result_beats, serial)
                tile = feed.free if feed else tile
            begin = max(issue, overs[-1] + 1)
            bank_free = [
                begin if load else free_at for load, free_at in zip((work.load_a, work.load_b), bank_free, strict=True)
            ]
            overs.append(over)
            for side in range(2):
                slot_free[side][used[side]] = over - 1
            sent = results
            if output and not work.keep:
                sent = output.ends(work.output, (work.a.lines, work.b.lines), issue, tiles, self.result_beats)
                results = max(results, sent - output.latency)
            ends.append(stored if work.keep else sent)
        return ends

    def occupancy(self, works: Sequence[Work]) -> Occupancy:
        """Cycles in which the parts of the engine are busy."""
        loads, array, tiles, results = [0, 0], 0, 0, 0
        for work in works:
            beats = self._beats(work)
            if self.reveals:
                beats = sum(max(group) for group in self._groups(work))
            count = -(-work.a.lines // self.panel[0]) * -(-work.b.lines // self.panel[1])
            array += count * beats
            tiles += count * max(beats, self.spacing)
            results += 0 if work.keep else count * self.result_beats
            for side, (operand, load) in enumerate(((work.a, work.load_a), (work.b, work.load_b))):
                loads[side] += load * self._load(side, operand, 0)[1]
        return Occupancy(array=array, tiles=tiles, a=loads[0], b=loads[1], results=results)

    def _beats(self, work: Work) -> int:
        """Beats of a tile."""
        return -(-work.a.length // self.lanes) * work.a.chunks * work.b.chunks

    def _groups(self, work: Work) -> list[tuple[int, int]]:
        """Beats and terms of each group of a tile, for an array that reveals terms."""
        if not self.reveals:
            return []
        reveal = effective(self.config, work.reveal)
        sizes = [min(reveal.group, work.a.length - at) for at in range(0, work.a.length, reveal.group)]
        return [(-(-size // self.lanes), max(reveal.budget, 1)) for size in sizes]

    def _drain(self) -> int:
        """Cycles from row 0 of a tile to its last result."""
        return max(ROW_CYCLES * (self.rows - 1) + self.row_beats, self.result_beats)

    def _planning(self, work: Work) -> int:
        """Cycles until the loads of a product start: the planner counts the panels."""
        panels = [
            -(-operand.lines // lines)
            for operand, lines, load in ((work.a, self.panel[0], work.load_a), (work.b, self.panel[1], work.load_b))
            if load
        ]
        return 3 + max(panels, default=0)

    def _load(self, side: int, operand: Shape, start: int) -> tuple[list[int], int]:
        """Cycle in which each panel is complete, and cycle in which the loader is free."""
        if (side, operand) not in self._loads:
            self._loads[side, operand] = self._load_from_start(side, operand)
        ready, end = self._loads[side, operand]
        return [start + cycle for cycle in ready], start + end

    def _load_from_start(self, side: int, operand: Shape) -> tuple[list[int], int]:
        """Cycles of `_load` after the start."""
        lines, chunks, panel = operand.lines, operand.chunks, self.panel[side]
        groups = -(-operand.length // self.lanes)
        writes = -(-chunks // self.write_width)  # cycles in which a converted group is written
        clear = -(-groups * chunks // self.write_width) if lines % panel else 0
        done = self.fill[side]  # cycle in which the last group so far is written
        ready = []
        if operand.packed or self.integers:
            unpacker = self._unpacker(side)
            steps = unpacker if isinstance(unpacker, IntegerUnpacker) else unpacker.steps(chunks)
            vector = steps.cycles(groups)[-1]
            ready = [PACKED_FILL + vector * panel * (n + 1) for n in range(lines // panel)]
            done = PACKED_FILL + vector * lines
            if clear:
                ready.append(done + clear)
        elif operand.transposed:
            if not self.config.engine.transpose_depth:
                raise ValueError("engine.transpose_depth must be above 0 for transposed operands, not 0")
            row_beats = -(-lines // self.numbers)
            # Cycle in which the next row arrives, and cycle in which each half of the transposer can be written.
            arrival, half = 1, [0, 0]
            left = operand.length
            for n in range(groups):
                arrival = max(arrival, half[n % 2]) + row_beats * min(left, self.lanes)
                left -= self.lanes
                first = arrival + 2 + self.fill[side] + min(writes, self.group)  # read and multiplexed
                done = max(first, done) + lines * max(writes, self.group)
                half[n % 2] = done - self.fill[side] - 3
            ready = [done + clear] * -(-lines // panel)
        else:
            arrival = 1
            for line in range(lines):
                left = -(-operand.length // self.numbers)
                for _ in range(groups):
                    arrival += self.group if self.serial[side] else min(left, self.group)
                    left -= self.group
                    done = max(arrival + self.fill[side], done) + writes
                if line % panel == panel - 1:
                    ready.append(done)
            if clear:
                ready.append(done + clear)
        return ready, done + clear + self.compare[side] - SEEN

    def _unpacker(self, side: int) -> GroupUnpacker | IntegerUnpacker:
        unpacker = self.unpackers[side]
        if unpacker is None:
            raise ValueError("engine.packed_operands must be true for packed operands, not false")
        return unpacker
