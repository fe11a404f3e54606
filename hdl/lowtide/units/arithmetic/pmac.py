"""PMAC: processing element for plain integers, the baseline."""

import attrs
from amaranth.hdl import Cat, Const, Module, Value, signed

from lowtide.formats.parameter import parameter
from lowtide.netlist import Unit
from lowtide.units.arithmetic.accumulator import Accumulator
from lowtide.units.arithmetic.adder_tree import add
from lowtide.units.arithmetic.multiplier import booth_row
from lowtide.units.arithmetic.ports import element_ports, shared_registers
from lowtide.units.stream.delay import delayed

__all__ = ["Pmac", "PmacParams"]


@attrs.frozen(kw_only=True)
class PmacParams:
    """Parameters of a processing element for plain integers.

    Parameters
    ----------
    width : int
        Bits of an integer in two's complement.
    multiplier : str
        ``booth``: rows of radix-4 Booth digits, one adder each; the smallest in look-up tables.
        ``inferred``: ``a * b``, which synthesis may map to a DSP block.
    max_k : int
        Longest reduction, which sizes the accumulator.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    width: int = parameter(8, range(2, 17), "bits of an integer in two's complement")
    multiplier: str = parameter("booth", ("booth", "inferred"), "implementation of products")
    max_k: int = parameter(4096, range(1, 2**20 + 1), "longest reduction, which sizes the accumulator")

    @property
    def max_sum(self) -> int:
        """Largest magnitude of a reduction of ``max_k`` elements."""
        return self.max_k * 4 ** (self.width - 1)

    @property
    def accumulator(self) -> int:
        """Bits of the two's complement accumulator, which cannot overflow."""
        return self.max_sum.bit_length() + 1


class Pmac(Unit):
    """Processing element for integers: accumulates products exactly, one per cycle.

    ``acc += a * b``, an integer in two's complement of ``params.accumulator`` bits, which cannot overflow. It has the
    port names and the drain of `Fmac` and `Tmac`, so that the three areas can be compared.

    With Booth's digits ``d_j`` of ``b``, in {-2, -1, 0, 1, 2}, the product is ``sum_j d_j a 4**j``. Selecting a
    multiple and inverting a negative one takes five inputs per bit, and the six-input look-up tables of a carry chain
    also add the result. So a row costs only an adder. A register separates consecutive rows. The accumulator's carry
    input adds the 1 that a negative first row lacks.

    Parameters
    ----------
    params : PmacParams
        Width, multiplier, longest reduction.
    cycles_a, cycles_b : int
        Cycles in which A and restarts pass, and cycles in which B passes: 1, or 0 for an element that shares the
        registers of its left or upper neighbor.

    Members
    -------
    a_i, a_o : In(signed(width)), Out(signed(width))
        Factor, from the left; ``a_i`` one cycle later, to the right.
    b_i, b_o : In(signed(width)), Out(signed(width))
        Factor, from above; ``b_i`` one cycle later, downwards.
    restart_i, restart_o : In(1), Out(1)
        High ``restart_delay`` cycles after the last beat of a tile; ``restart_i`` one cycle later, to the right.
    drain_i, drain_o : In((accumulator + 1) // 2), Out((accumulator + 1) // 2)
        Half words of the drain, upwards; zero when idle.
    """

    keep_hierarchy = True
    spacing, restarts, running_sums = 2, 1, True

    def __init__(self, params: PmacParams, cycles_a: int = 1, cycles_b: int = 1):
        self.cycles_a, self.cycles_b = cycles_a, cycles_b
        self.params, self.accumulator = params, params.accumulator
        self.module_name = f"pmac_w{params.width}_{params.multiplier}_k{params.max_k}" + shared_registers(
            cycles_a, cycles_b
        )
        super().__init__(element_ports(signed(params.width), signed(params.width), self.accumulator))

    @property
    def latency(self) -> int:
        """Cycles from the last beat on ``a_i`` to the low half on ``drain_o``."""
        return self.cycles_a + self.restart_delay + Accumulator.latency

    @property
    def restart_delay(self) -> int:
        """Cycles from the last beat to its restart: one per row."""
        return (self.params.width + 1) // 2 if self.params.multiplier == "booth" else 1

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.a_o.eq(delayed(m, self.a_i, self.cycles_a)),
            self.b_o.eq(delayed(m, self.b_i, self.cycles_b)),
            self.restart_o.eq(delayed(m, self.restart_i, self.cycles_a, reset_less=False)),
        ]
        booth = self.params.multiplier == "booth"
        product, carry = self._rows(m) if booth else (delayed(m, self.a_o * self.b_o), Const(0))
        m.submodules.accumulator = accumulator = Accumulator(self.accumulator, len(product), carry=booth)
        if booth:
            m.d.comb += accumulator.carry.eq(carry)
        m.d.comb += [
            accumulator.i.eq(product),
            accumulator.restart.eq(self.restart_o),
            accumulator.drain_i.eq(self.drain_i),
            self.drain_o.eq(accumulator.drain_o),
        ]
        return m

    def _rows(self, m: Module) -> tuple[Value, Value]:
        """Return the product without its carry, and the carry."""
        a = self.a_o
        b = Cat(Const(0, 1), self.b_o, self.b_o[-1])  # a digit includes the bit below its own two
        total = delayed(m, booth_row(a, b[:3]))
        first_negative = delayed(m, b[2])
        done = []  # bits of the product that no later row changes
        for low in range(2, self.params.width, 2):
            a, b = delayed(m, a), delayed(m, b)
            done = [delayed(m, bits) for bits in [*done, total[:2]]]
            first_negative = delayed(m, first_negative)
            total = delayed(m, add(total[2:].as_signed(), booth_row(a, b[low : low + 3]), b[low + 2]))
        return Cat(*done, total).as_signed(), first_negative
