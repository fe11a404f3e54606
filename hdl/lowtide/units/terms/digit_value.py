"""Digit value: converts signed digits to an integer."""

import attrs
from amaranth.hdl import Module, Signal, signed
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import parameter
from lowtide.netlist import Unit

__all__ = ["DigitValue", "DigitValueParams"]


@attrs.frozen(kw_only=True)
class DigitValueParams:
    """Parameters of a digit value unit.

    Parameters
    ----------
    digits : int
        Digits of a value.

    Raises
    ------
    IllegalValue
        If ``digits`` is out of range.
    """

    digits: int = parameter(8, range(1, 18), "digits of a value")


class DigitValue(Unit):
    """Digit value: sums signed digits, ``o = (-1)**sign * sum_i d[i] * 2**i``, in two's complement.

    With ``minus`` the terms that are negative after applying the sign, the sum is ``nonzero - 2 minus``: one adder.

    Combinational.

    Parameters
    ----------
    params : DigitValueParams
        Number of digits.

    Members
    -------
    nonzero : In(digits)
        Which digits are terms.
    negative : In(digits)
        Which terms are negative; ignored for digits that are not terms.
    sign : In(1)
        Negates the value while high.
    o : Out(signed(digits + 1))
        Integer.
    """

    def __init__(self, params: DigitValueParams):
        self.params = params
        self.module_name = f"digit_value_{params.digits}"
        super().__init__(
            {
                "nonzero": In(params.digits),
                "negative": In(params.digits),
                "sign": In(1),
                "o": Out(signed(params.digits + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        minus = Signal(self.params.digits)
        m.d.comb += [
            minus.eq(self.nonzero & (self.negative ^ self.sign.replicate(self.params.digits))),
            self.o.eq(self.nonzero - (minus << 1)),
        ]
        return m
