"""Encoder: an unsigned magnitude as digits in {-1, 0, +1}."""

from collections.abc import Callable, Mapping

import attrs
from amaranth.hdl import Module, Value
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import parameter
from lowtide.formats.terms import ENCODINGS
from lowtide.netlist import Unit
from lowtide.units.terms.digit_encodings import binary_digits, booth_digits, hese_digits

__all__ = ["Encoder", "EncoderParams"]

DIGITS: Mapping[str, Callable[[Module, Value], tuple[Value, Value]]] = {
    "binary": binary_digits,
    "booth": booth_digits,
    "hese": hese_digits,
}


@attrs.frozen(kw_only=True)
class EncoderParams:
    """What an encoder is generated for.

    Parameters
    ----------
    width : int
        Bits of the magnitude.
    encoding : str
        - ``binary``: its bits.
        - ``booth``: radix 4, a term for each pair of bits at most.
        - ``hese``: no two neighbors, and the fewest terms that there can be.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    width: int = parameter(8, range(1, 17), "bits of the magnitude")
    encoding: str = parameter("hese", ENCODINGS, "which digits stand for a magnitude")

    @property
    def digits(self) -> int:
        """Digits of a magnitude: 255 is 256 - 1."""
        return self.width + 1


class Encoder(Unit):
    """Recodes a magnitude into signed digits: ``n = sum_i d[i] * 2**i`` with each ``d[i]`` -1, 0 or +1.

    Digit i is 0 where ``nonzero[i]`` is clear, and then ``negative[i]`` means nothing: it may be 0 or 1. Otherwise it
    is -1 if ``negative[i]`` is set, and +1 if not. That freedom is why signs cost nothing: those of HESE are bits of
    the magnitude. A value's own sign multiplies all of its digits, and is left to whoever uses them.

    ========== ==============================================================================
    ``binary`` the bits
    ``booth``  digits ``n[2j-1] + n[2j] - 2 n[2j+1]`` of weight ``4**j``
    ``hese``   ``nonzero[i] = (3 n ^ n)[i+1]``, ``negative[i] = n[i+1]``
    ========== ==============================================================================

    Combinational. Source: Kung, McDanel and Zhang, Term Revealing, SC20, arXiv 2007.06389, for HESE.

    Parameters
    ----------
    params : EncoderParams
        Its width and encoding.

    Members
    -------
    n : In(width)
        Magnitude.
    nonzero : Out(width + 1)
        Which digits are terms.
    negative : Out(width + 1)
        Which terms are negative; where there is none, anything.
    """

    def __init__(self, params: EncoderParams):
        self.params = params
        self.module_name = f"encoder_{params.encoding}_{params.width}"
        super().__init__({"n": In(params.width), "nonzero": Out(params.digits), "negative": Out(params.digits)})

    def elaborate(self, platform):
        m = Module()
        nonzero, negative = DIGITS[self.params.encoding](m, self.n)
        m.d.comb += [self.nonzero.eq(nonzero), self.negative.eq(negative)]
        return m
