"""Receding water: selects the k largest terms of a group, combinationally."""

import attrs
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.netlist import Unit
from lowtide.units.terms.first_k_ones import first_k_ones

__all__ = ["RecedingWater", "RecedingWaterParams"]


@attrs.frozen(kw_only=True)
class RecedingWaterParams:
    """Parameters of a combinational selector of a group's terms.

    Parameters
    ----------
    digits : int
        Digits of a value.
    group : int
        Largest number of values of a group, ``g``.
    budget : int
        Largest number of terms that a group keeps, ``k``.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or the budget exceeds the digits of a group.
    """

    digits: int = parameter(8, range(1, 18), "digits of a value")
    group: int = parameter(8, range(1, 65), "largest number of values of a group, g")
    budget: int = parameter(16, range(1, 1025), "largest number of terms that a group keeps, k")

    def __attrs_post_init__(self):
        most = self.digits * self.group
        if self.budget > most:
            because = f"group = {self.group} values of digits = {self.digits} have no more"
            raise IllegalValue("budget", f"from 1 to {most} ({because})", self.budget)


class RecedingWater(Unit):
    """Receding water: keeps the ``k`` largest terms of a group of values, or all terms if there are fewer.

    From the highest exponent down, the unit keeps every term of an exponent, in the order of index, until it has kept k
    terms. So of equal terms it keeps the terms of the lowest index, and signs have no effect. A group never has more
    than k terms.

    Combinational, and slow for large groups: `Waterline` selects one exponent per cycle. Source: Kung, McDanel and
    Zhang, Term Revealing, SC20, arXiv 2007.06389, without its overshoot.

    Parameters
    ----------
    params : RecedingWaterParams
        Digits, group, and budget.

    Members
    -------
    nonzero : In(group * digits)
        Which digits are terms, value 0 in the lowest bits.
    budget : In(range(budget + 1))
        Number of terms to keep.
    group : In(range(group + 1))
        Number of values in the group. The unit keeps no terms of later values.
    kept : Out(group * digits)
        Which digits are kept terms, value 0 in the lowest bits.
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
        valid = Signal(group)  # values in the group
        planes, kept = Signal(digits * group), Signal(digits * group)
        # Index of each digit in the order of planes, the highest exponent first, each with the values in order.
        order = [n * digits + exponent for exponent in reversed(range(digits)) for n in range(group)]
        m.d.comb += [
            valid.eq(Cat(n < self.group for n in range(group))),
            planes.eq(Cat(self.nonzero[bit] & valid[bit // digits] for bit in order)),
            kept.eq(first_k_ones(m, platform, planes, self.budget)),
            self.kept.eq(Cat(kept[order.index(bit)] for bit in range(digits * group))),
        ]
        return m
