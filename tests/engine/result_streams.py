"""Streams of results for the tests of what follows a product: beats of tiles, and a bench with stalls."""

import random

import numpy as np
from amaranth.sim import Simulator

__all__ = ["Port", "beats_of_tiles", "run", "tiles_of"]


def tiles_of(matrix, rows, columns, fill=0):
    """A matrix as tiles in row order, shape (tiles, rows, columns), padded."""
    down, across = -(-matrix.shape[0] // rows), -(-matrix.shape[1] // columns)
    missing = [(0, down * rows - matrix.shape[0]), (0, across * columns - matrix.shape[1])]
    padded = np.pad(matrix, missing, constant_values=fill)
    return padded.reshape(down, rows, across, columns).transpose(0, 2, 1, 3).reshape(-1, rows, columns)


def beats_of_tiles(words, rows, columns, numbers, fill=0):
    """Words of a matrix as beats with ``last``, tile by tile in row order."""
    beats = tiles_of(words, rows, columns, fill).reshape(-1, numbers)
    return with_last(beats)


def with_last(beats):
    """Beats as integers, each with ``last`` above its numbers."""
    packed = [sum(int(word) << 32 * n for n, word in enumerate(beat)) for beat in beats]
    return [beat | (n == len(packed) - 1) << 32 * len(beats[0]) for n, beat in enumerate(packed)]


class Port:
    """Stream that sends or receives beats, with a share of stalled cycles."""

    def __init__(self, stream, beats=None, stall=0.0, seed=1):
        self.stream, self.left, self.stall = stream, list(beats or []), stall
        self.rng, self.offers, self.received = random.Random(seed), False, []

    def drive(self, ctx):
        """Offer a beat, or ``ready``."""
        free = self.rng.random() >= self.stall
        self.offers = bool(self.left) and (self.offers or free)
        ctx.set(self.stream.valid, self.offers)
        junk = self.rng.getrandbits(len(self.stream.payload.as_value()))
        ctx.set(self.stream.payload.as_value(), self.left[0] if self.offers else junk)

    def accept(self, ctx):
        """Set ``ready``."""
        self.ready = self.rng.random() >= self.stall
        ctx.set(self.stream.ready, self.ready)

    def sent(self, ctx):
        """Drop the beat that was accepted."""
        if self.offers and ctx.get(self.stream.ready):
            self.left.pop(0)
            self.offers = False

    def take(self, ctx):
        """Store the beat that is accepted."""
        if self.ready and ctx.get(self.stream.valid):
            self.received.append(ctx.get(self.stream.payload.as_value()))


def run(dut, bench):
    """Run a bench on a clocked unit."""
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
