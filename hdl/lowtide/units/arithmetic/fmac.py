"""FMAC: processing element for block floating point."""

from functools import cached_property

from amaranth.hdl import Module, Signal

from lowtide.formats.bfp import Bfp
from lowtide.netlist import Unit
from lowtide.units.arithmetic.accumulator import Accumulator
from lowtide.units.arithmetic.aligner import Aligner
from lowtide.units.arithmetic.dot_product import DotProduct
from lowtide.units.arithmetic.dsp_dot_product import DspDotProduct
from lowtide.units.arithmetic.ecp5_aligner import Ecp5Aligner
from lowtide.units.arithmetic.ports import element_ports, shared_registers
from lowtide.units.stream.delay import delayed

__all__ = ["Fmac"]


class Fmac(Unit):
    """Processing element for BFP: accumulates dot products of chunks, exactly.

    Every beat, ``acc += sum_i (-1)**(sa_i ^ sb_i) * Ma_i * Mb_i * 2**(Ea + Eb)``, an integer in two's complement of
    ``bfp.accumulator`` bits, which cannot overflow. Higher precision takes more chunks, which the element does not
    distinguish. A beat of zero magnitudes changes nothing. Source: the fMAC of FAST, arXiv 2110.15456, with an integer
    accumulator in place of its floating-point accumulator.

    A restart sends the running sum ``acc`` on the drain, with the product of the last beat of a tile. It does not clear
    the sum, which wraps: the array subtracts the running sum of the restart before, see `Accumulator`. The low half
    leaves first, the high half one cycle later, sign-extended if the width is odd. A word on ``drain_i`` leaves on
    ``drain_o`` one cycle later. In the two cycles in which the element sends its sum, ``drain_i`` must be zero; in an
    array, each row restarts one cycle after the row above it. Restarts are at least two cycles apart.

    A reset clears the sum. The first sum begins with the beat after the first restart, which must have no product.

    A register follows every ``bfp.adder_levels`` levels of adders; the aligner's multiplexers are one more level. If
    ``bfp.adder_levels`` is 1, a register precedes the accumulator's adder too.

    Parameters
    ----------
    bfp : Bfp
        Format of the operands, and the depth of the pipeline.
    cycles_a, cycles_b : int
        Cycles in which A and restarts pass, and cycles in which B passes: 1, or 0 for an element that shares the
        registers of its left or upper neighbor.

    Members
    -------
    a_i, a_o : In(bfp.layout_a), Out(bfp.layout_a)
        Chunk of A, from the left; ``a_i`` one cycle later, to the right.
    b_i, b_o : In(bfp.layout_b), Out(bfp.layout_b)
        Chunk of B, from above; ``b_i`` one cycle later, downwards.
    restart_i, restart_o : In(1), Out(1)
        High ``restart_delay`` cycles after the last beat of a tile; ``restart_i`` one cycle later, to the right.
    drain_i, drain_o : In((accumulator + 1) // 2), Out((accumulator + 1) // 2)
        Half words of the drain, upwards; zero when idle.
    """

    keep_hierarchy = True  # otherwise synthesis would merge registers that clear, across several elements of the chip
    spacing, restarts, running_sums = 2, 1, True

    def __init__(self, bfp: Bfp, cycles_a: int = 1, cycles_b: int = 1):
        self.cycles_a, self.cycles_b = cycles_a, cycles_b
        self._bfp, self.accumulator = bfp, bfp.accumulator
        self.module_name = (
            f"fmac_l{bfp.lanes}_a{bfp.chunk_a}_b{bfp.chunk_b}_m{bfp.mantissa}_e{bfp.exponent}_k{bfp.max_k}"
            + (f"_r{bfp.adder_levels}" if bfp.adder_levels > 1 else "")
            + ("" if bfp.multiplier == "logic" else f"_{bfp.multiplier}_{bfp.dsp_lanes}")
            + ("" if bfp.aligner == "logic" else f"_{bfp.aligner}_aligner")
            + shared_registers(cycles_a, cycles_b)
        )
        super().__init__(element_ports(bfp.layout_a, bfp.layout_b, self.accumulator))

    @property
    def bfp(self) -> Bfp:
        """Format of the operands."""
        return self._bfp

    @property
    def half(self) -> int:
        """Bits of the drain: half of the accumulator, rounded up."""
        return (self.bfp.accumulator + 1) // 2

    @property
    def latency(self) -> int:
        """Cycles from the last beat on ``a_i`` to the low half on ``drain_o``."""
        return self.cycles_a + self.restart_delay + Accumulator.latency

    @cached_property  # only one of many elements is elaborated
    def _dot_product(self) -> DotProduct | DspDotProduct:
        return DotProduct(self.bfp) if self.bfp.multiplier == "logic" else DspDotProduct(self.bfp)

    @cached_property
    def _aligner(self) -> Aligner | Ecp5Aligner:
        bfp = self.bfp
        widths = bfp.dot_product, bfp.max_shift, bfp.accumulator
        register = self._dot_product.levels % bfp.adder_levels == 0
        if bfp.aligner == "ecp5":
            return Ecp5Aligner(*widths, input_register=register)
        return Aligner(*widths, input_register=register, output_register=bfp.adder_levels == 1)

    @property
    def restart_delay(self) -> int:
        """Cycles from the last beat to its restart: from ``a_o`` to the accumulator's input."""
        return self._dot_product.latency + self._aligner.latency

    def elaborate(self, platform):
        m = Module()
        m.submodules.dot_product = dot_product = self._dot_product
        m.submodules.aligner = aligner = self._aligner

        shift = Signal.like(aligner.shift)
        m.d.comb += [
            self.a_o.eq(delayed(m, self.a_i, self.cycles_a)),
            self.b_o.eq(delayed(m, self.b_i, self.cycles_b)),
            self.restart_o.eq(delayed(m, self.restart_i, self.cycles_a, reset_less=False)),
            dot_product.a.eq(self.a_o),
            dot_product.b.eq(self.b_o),
            aligner.i.eq(dot_product.o),
            shift.eq(self.a_o.exponent + self.b_o.exponent),
            aligner.shift.eq(delayed(m, shift, dot_product.latency)),
        ]

        m.submodules.accumulator = accumulator = Accumulator(self.bfp.accumulator, len(aligner.o))
        m.d.comb += [
            accumulator.i.eq(aligner.o),
            accumulator.restart.eq(self.restart_o),
            accumulator.drain_i.eq(self.drain_i),
            self.drain_o.eq(accumulator.drain_o),
        ]
        return m
