"""A design of one's own in Amaranth: an array with the weights of a layer in a memory beside it."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import connect, flipped

from lowtide.array.array_factory import array_of
from lowtide.config import Config

__all__ = ["FixedWeights"]


class FixedWeights(wiring.Component):
    """Multiplies all that comes by the same matrix B.

    Parameters
    ----------
    config : Config
        Of the array.
    weights : sequence of int
        Beats of B for one tile.

    Members
    -------
    a, c : In(stream of {data, last}), Out(stream of {data, last})
        As of `SystolicArray`.
    """

    def __init__(self, config, weights):
        self.weights = weights
        self.array = array_of(config.array, config.bfp, config.terms, config.requantizer)
        ports = self.array.signature.members
        super().__init__({"a": ports["a"], "c": ports["c"]})

    def elaborate(self, platform):
        m = Module()
        m.submodules.array = array = self.array
        beats = len(self.weights)
        width = array.b.payload.shape()["data"].width
        m.submodules.weights = weights = memory.Memory(shape=width, depth=beats, init=self.weights)
        read = weights.read_port(domain="comb")
        beat = Signal(range(beats))
        last = Signal()
        m.d.comb += [
            last.eq(beat == beats - 1),
            read.addr.eq(beat),
            array.b.payload.data.eq(read.data),
            array.b.payload.last.eq(last),
            array.b.valid.eq(1),
        ]
        with m.If(array.b.ready):
            m.d.sync += beat.eq(Mux(last, 0, beat + 1))
        connect(m, flipped(self.a), array.a)
        connect(m, array.c, flipped(self.c))
        return m


if __name__ == "__main__":
    from amaranth.back import verilog

    print(verilog.convert(FixedWeights(Config.load("tiny"), [0] * 4), name="fixed_weights"))
