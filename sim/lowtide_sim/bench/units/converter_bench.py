"""Bench of a converter: connects drivers, monitors and model."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from lowtide_sim.bench.models.converter import Answer, ConverterModel
from lowtide_sim.bench.stimulus.operands import random_bits
from lowtide_sim.bench.streams.axi_stream import ONE, now
from lowtide_sim.bench.units.bench import UnitBench

__all__ = ["ConverterBench"]


class ConverterBench(UnitBench):
    """Drives an emitted converter, parallel or serial, and checks all its outputs.

    For parameters, see `UnitBench`.
    """

    def __init__(self, dut: Any, stalls: tuple[str, str] = ("none", "none")):
        super().__init__(dut, stalls)
        self.numbers = np.random.default_rng(self.rng.getrandbits(64))
        self.format = self.sidecar["parameters"]
        self.lanes = self.format["lanes"]
        self.max_chunks = self.format["mantissa"] // self.format["chunk"]
        self.model = ConverterModel(self.sidecar, self.due.append)
        self.serial, self.stochastic = self.model.serial, self.model.stochastic
        self.nonfinite_since_reset = False

    def initialize(self) -> None:
        """Set legal settings."""
        self.set(0, 1)

    def watch(self) -> None:
        """Observe ``nonfinite``, and drive random words."""
        cocotb.start_soon(self._watch_nonfinite())
        if self.stochastic:
            cocotb.start_soon(self._drive_random())

    def set(self, bias: int, chunks: int) -> None:
        """Set bias and chunks for the following rows."""
        self.dut.bias.value, self.dut.chunks.value = bias, chunks
        self.settings = bias, chunks

    async def set_randomly(self) -> None:
        """Set a random precision, and a bias that is small, at a limit of its range, or random.

        No word may be sent in the cycle that passes, because the exponent window takes one cycle to change.
        """
        bias = self.rng.choice((self.rng.randint(-8, 8), self.rng.randint(-256, 255), -127, -133, 121, 127))
        self.set(bias, self.rng.randint(1, self.max_chunks))
        await RisingEdge(self.dut.clk)

    def send_rows(self, rows: int, longest: int = 6) -> None:
        """Queue rows of random length with numbers near the bias; for a parallel converter, padded with zeros."""
        for _ in range(rows):
            length = self.rng.randint(1, longest * self.lanes)
            groups = -(-length // self.lanes)
            bits = random_bits(self.numbers, groups, self.lanes, self.settings[0]).ravel()[:length].tolist()
            step = 1 if self.serial else self.lanes
            words = [self._packed(bits[n : n + step]) for n in range(0, length, step)]
            last = 1 << 32 * step
            self.source.send([(word | last * (n == len(words) - 1), False) for n, word in enumerate(words)])

    @property
    def missing(self) -> int:
        """Expected groups, including groups that still wait for random words."""
        return len(self.due) + len(self.model.groups)

    def forget(self) -> None:
        """Discard all expected groups."""
        self.model.reset()
        super().forget()
        self.nonfinite_since_reset = False

    def _packed(self, bits: list[int]) -> int:
        return sum(number << 32 * n for n, number in enumerate(bits))

    def saw_input(self, edge: int, data: int) -> None:
        """Record an accepted group or number."""
        self.model.saw_input(data, *self.settings)

    def saw_output(self, edge: int, data: int) -> None:
        """Compare a group with the next expected group."""
        status = (
            getattr(self.dut, name).value for name in ("saturated_group", "saturated_elements", "nonfinite_group")
        )
        answer, due = Answer(data, *(int(value) for value in status)), self.next_due(edge, "group")
        if answer != due:
            raise AssertionError(f"edge {edge}, group {len(self.received)}: {answer}, not {due}")

    async def _drive_random(self) -> None:
        """Drive random words, new ones after every step, and report used words to the model."""
        edge, width = RisingEdge(self.dut.clk), len(self.dut.random)
        word = self.rng.getrandbits(width)
        while True:
            self.dut.random.value = word
            await edge
            if self.dut.rst.value != ONE and self.dut.step.value == ONE:
                self.model.saw_step(word, self.dut.row.value == ONE)
                word = self.rng.getrandbits(width)

    async def _watch_nonfinite(self) -> None:
        """Check that ``nonfinite`` is high from the first offered group with a NaN or infinity until reset."""
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            if self.dut.rst.value == ONE:
                continue
            if self.dut.o__valid.value == ONE and self.dut.nonfinite_group.value == ONE:
                self.nonfinite_since_reset = True
            if (self.dut.nonfinite.value == ONE) != self.nonfinite_since_reset:
                raise AssertionError(f"edge {now()}: nonfinite is {self.dut.nonfinite.value}")
