"""Serial HESE encoder: recodes one digit per cycle, the lowest first."""

import attrs
from amaranth.hdl import Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit

__all__ = ["SerialHese", "SerialParams"]


@attrs.frozen(kw_only=True)
class SerialParams:
    """Parameters of a serial HESE encoder: none, as it recodes magnitudes of any width."""


class SerialHese(Unit):
    """Serial HESE encoder: recodes a magnitude of any width into HESE digits, one bit per cycle, the lowest first.

    In a run of ones the mode is 1. A digit is a term if bit and mode differ. The bit above then decides: if set, the
    term is negative and the next mode is 1.

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

    A magnitude of ``width`` bits takes ``width + 1`` cycles of ``enable``, the last with zeros. The outputs are
    combinational, and valid while ``enable`` is high. Source: Kung, McDanel and Zhang, Term Revealing, SC20, arXiv
    2007.06389.

    Parameters
    ----------
    params : SerialParams
        No parameters.

    Members
    -------
    enable : In(1)
        High while bits are valid.
    first : In(1)
        High with the lowest bits of a magnitude; resets the mode.
    bits : In(2)
        Bits i and i + 1 of the magnitude, bit i in the lowest bit.
    nonzero : Out(1)
        High if digit i is a term.
    negative : Out(1)
        High if the term is negative; undefined if digit i is not a term.
    """

    def __init__(self, params: SerialParams | None = None):
        self.params = params or SerialParams()
        self.module_name = "serial_hese"
        super().__init__({"enable": In(1), "first": In(1), "bits": In(2), "nonzero": Out(1), "negative": Out(1)})

    def elaborate(self, platform):
        m = Module()
        last_mode = Signal()
        mode = Signal()
        m.d.comb += [
            mode.eq(last_mode & ~self.first),
            self.nonzero.eq(self.bits[0] ^ mode),
            self.negative.eq(self.bits[1]),
        ]
        with m.If(self.enable):
            m.d.sync += last_mode.eq(Mux(self.nonzero, self.bits[1], mode))
        return m
