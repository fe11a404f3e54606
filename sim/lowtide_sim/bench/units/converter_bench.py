"""The bench around a converter: drivers, monitors, model and checker, and what ties them together."""

from collections import deque
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from lowtide_sim.bench.models.converter import Answer, ConverterModel
from lowtide_sim.bench.stimulus.numbers import random_bits
from lowtide_sim.bench.streams.axi_stream import ONE, now
from lowtide_sim.bench.units.bench import UnitBench

__all__ = ["ConverterBench"]


class ConverterBench(UnitBench):
    """Drives an emitted converter, whole groups or serial, and checks all that it does.

    Parameters
    ----------
    dut : cocotb handle
        The emitted unit.
    stalls : tuple of str
        How its input and its output are stalled: names of `PAUSES`.
    """

    def __init__(self, dut: Any, stalls: tuple[str, str] = ("none", "none")):
        super().__init__(dut, stalls)
        self.numbers = np.random.default_rng(self.rng.getrandbits(64))
        self.format = self.sidecar["parameters"]
        self.lanes = self.format["lanes"]
        self.max_chunks = self.format["mantissa"] // self.format["chunk"]
        self.due: deque[Answer] = deque()
        self.model = ConverterModel(self.sidecar, self.due.append)
        self.serial, self.stochastic = self.model.serial, self.model.stochastic
        self.nonfinite_since_reset = False

    def rest(self) -> None:
        """Set what is legal."""
        self.set(0, 1)

    def watch(self) -> None:
        """Watch ``nonfinite``, and give random words."""
        cocotb.start_soon(self._watch_bad())
        if self.stochastic:
            cocotb.start_soon(self._give_words())

    def set(self, bias: int, chunks: int) -> None:
        """Set bias and chunks, for what is sent from now on."""
        self.dut.bias.value, self.dut.chunks.value = bias, chunks
        self.settings = bias, chunks

    async def set_randomly(self) -> None:
        """Set any precision, and a bias that is small, at an end of its range, or anything.

        A cycle passes, in which nothing may be sent: the window is that late.
        """
        bias = self.rng.choice((self.rng.randint(-8, 8), self.rng.randint(-256, 255), -127, -133, 121, 127))
        self.set(bias, self.rng.randint(1, self.max_chunks))
        await RisingEdge(self.dut.clk)

    def send_rows(self, rows: int, longest: int = 6) -> None:
        """Queue rows of numbers about the bias; serial ones of any length, others padded with zeros."""
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
        """Groups that are due, or would be if there were words for them."""
        return len(self.due) + len(self.model.groups)

    def forget(self) -> None:
        """Nothing is due any more."""
        self.model.reset()
        self.due.clear()
        self.nonfinite_since_reset = False

    def _packed(self, bits: list[int]) -> int:
        return sum(number << 32 * n for n, number in enumerate(bits))

    def saw_input(self, edge: int, data: int) -> None:
        """A group or a number was taken."""
        self.model.saw_input(data, *self.settings)

    def saw_output(self, edge: int, data: int) -> None:
        """A group came."""
        if not self.due:
            raise AssertionError(f"edge {edge}: a group came that nothing is due for")
        beside = (
            getattr(self.dut, name).value for name in ("saturated_group", "saturated_elements", "nonfinite_group")
        )
        answer, due = Answer(data, *(int(value) for value in beside)), self.due.popleft()
        if answer != due:
            raise AssertionError(f"edge {edge}, group {len(self.came)}: {answer}, not {due}")

    async def _give_words(self) -> None:
        """Random words, others after every step; the model learns which were used."""
        edge, width = RisingEdge(self.dut.clk), len(self.dut.random)
        word = self.rng.getrandbits(width)
        while True:
            self.dut.random.value = word
            await edge
            if self.dut.rst.value != ONE and self.dut.step.value == ONE:
                self.model.saw_step(word, self.dut.row.value == ONE)
                word = self.rng.getrandbits(width)

    async def _watch_bad(self) -> None:
        """``nonfinite`` is high from the first bad group that is offered until reset."""
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            if self.dut.rst.value == ONE:
                continue
            if self.dut.o__valid.value == ONE and self.dut.nonfinite_group.value == ONE:
                self.nonfinite_since_reset = True
            if (self.dut.nonfinite.value == ONE) != self.nonfinite_since_reset:
                raise AssertionError(f"edge {now()}: nonfinite is {self.dut.nonfinite.value}")
