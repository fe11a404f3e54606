"""Serial HESE: a digit a cycle, the lowest first."""

import attrs
from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["SerialHese", "SerialParams"]


@attrs.frozen(kw_only=True)
class SerialParams:
    """What a serial encoder is generated for: there is one form, for magnitudes of any width."""


class SerialHese(Unit):
    """Recodes a magnitude into the digits of HESE as its bits come, the lowest first, for any number of bits.

    Inside a run of ones the mode is 1. A digit is a term where bit and mode differ, and is then negative, and a run
    begins or goes on, if the bit above is set:

    ==== ============= ======= =========
    mode n[i+1] n[i]   digit i next mode
    ==== ============= ======= =========
    0    00, 10        0       0
    0    01            +       0
    0    11            -       1
    1    00            +       0
    1    01, 11        0       1
    1    10            -       1
    ==== ============= ======= =========

    A magnitude of ``width`` bits takes ``width + 1`` cycles of ``enable``, the last one with zeros. The digit comes in
    the same cycle; where ``enable`` is low it means nothing, and nothing changes. Source: Kung, McDanel and Zhang,
    Term Revealing, SC20, arXiv 2007.06389.

    Parameters
    ----------
    params : SerialParams
        There is one form.

    Members
    -------
    enable : In(1)
        Bits come.
    first : In(1)
        They are the lowest of a magnitude. Whatever came before is forgotten.
    bits : In(2)
        Bits i and i + 1 of the magnitude, bit i the lower one.
    nonzero : Out(1)
        Digit i is a term.
    negative : Out(1)
        It is negative; if it is none, anything.
    """

    def __init__(self, params: SerialParams | None = None):
        self.params = params or SerialParams()
        self.module_name = "serial_hese"
        super().__init__({"enable": In(1), "first": In(1), "bits": In(2), "nonzero": Out(1), "negative": Out(1)})

    def elaborate(self, platform):
        m = Module()
        held = Signal()
        mode = Signal()
        m.d.comb += [
            mode.eq(held & ~self.first),
            self.nonzero.eq(self.bits[0] ^ mode),
            self.negative.eq(self.bits[1]),
        ]
        with m.If(self.enable):
            m.d.sync += held.eq(Mux(self.nonzero, self.bits[1], mode))
        return m
