"""Receding water: the k largest terms of a group of values, in one step."""

import attrs
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.netlist import Unit
from lowtide.units.terms.first_k_ones import first_k_ones

__all__ = ["RecedingWater", "RecedingWaterParams"]


@attrs.frozen(kw_only=True)
class RecedingWaterParams:
    """What a selector of a group's terms is generated for.

    Parameters
    ----------
    digits : int
        Digits of a value.
    group : int
        Values of a group at most, ``g``.
    budget : int
        Terms that a group may keep at most, ``k``.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or a group has fewer digits than its budget.
    """

    digits: int = parameter(8, range(1, 18), "digits of a value")
    group: int = parameter(8, range(1, 65), "values of a group at most, g")
    budget: int = parameter(16, range(1, 1025), "terms a group may keep at most, k")

    def __attrs_post_init__(self):
        most = self.digits * self.group
        if self.budget > most:
            because = f"group = {self.group} values of digits = {self.digits} have no more"
            raise IllegalValue("budget", f"from 1 to {most} ({because})", self.budget)


class RecedingWater(Unit):
    """Keeps the ``k`` largest terms of a group of values, or all if there are no more.

    The waterline goes down an exponent at a time; every term on it is kept, on the last line in the order of index,
    until there are k. Of equal terms those of the lowest index are kept, therefore, and signs play no part. A group
    never has more than k terms.

    Combinational, and slow for large groups: `Waterline` takes a line a cycle. Source: Kung, McDanel and Zhang, Term
    Revealing, SC20, arXiv 2007.06389, without its overshoot.

    Parameters
    ----------
    params : RecedingWaterParams
        Its digits, group and budget.

    Members
    -------
    nonzero : In(group * digits)
        Which digits are terms, those of value 0 in the lowest bits.
    budget : In(range(budget + 1))
        Terms to keep.
    group : In(range(group + 1))
        Values that count, the first ones. Of the others nothing is kept.
    kept : Out(group * digits)
        Terms that are kept.
    """

    def __init__(self, params: RecedingWaterParams):
        self.params = params
        self.module_name = f"receding_water_{params.group}x{params.digits}_k{params.budget}"
        super().__init__(
            {
                "nonzero": In(params.group * params.digits),
                "budget": In(range(params.budget + 1)),
                "group": In(range(params.group + 1)),
                "kept": Out(params.group * params.digits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        digits, group = self.params.digits, self.params.group
        counts = Signal(group)  # which values do
        lines, kept = Signal(digits * group), Signal(digits * group)
        # Where a line has the digits of value 0, 1, …, the highest line first.
        order = [n * digits + exponent for exponent in reversed(range(digits)) for n in range(group)]
        m.d.comb += [
            counts.eq(Cat(n < self.group for n in range(group))),
            lines.eq(Cat(self.nonzero[bit] & counts[bit // digits] for bit in order)),
            kept.eq(first_k_ones(m, platform, lines, self.budget)),
            self.kept.eq(Cat(kept[order.index(bit)] for bit in range(digits * group))),
        ]
        return m
