"""Encoder: recodes an unsigned magnitude into digits -1, 0, and +1."""

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
    """Parameters of an encoder.

    Parameters
    ----------
    width : int
        Bits of the magnitude.
    encoding : str
        - ``binary``: the bits of the magnitude.
        - ``booth``: radix 4, at most one term per pair of bits.
        - ``hese``: the fewest possible terms, no two of them neighbors.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    width: int = parameter(8, range(1, 17), "bits of the magnitude")
    encoding: str = parameter("hese", ENCODINGS, "digits of a magnitude")

    @property
    def digits(self) -> int:
        """Digits of a magnitude: 255 is 256 - 1."""
        return self.width + 1


class Encoder(Unit):
    """Encoder: recodes a magnitude into signed digits, ``n = sum_i d[i] * 2**i`` with each ``d[i]`` -1, 0, or +1.

    Digit i is 0 if ``nonzero[i]`` is clear, and ``negative[i]`` is then undefined. Otherwise the digit is -1 if
    ``negative[i]`` is set, and +1 if not. As ``negative`` may be undefined, signs cost no logic: the signs of HESE are
    bits of the magnitude. The user multiplies the digits by the value's own sign.

    ========== ==============================================================================
    ``binary`` the bits
    ``booth``  digits ``n[2j-1] + n[2j] - 2 n[2j+1]`` of weight ``4**j``
    ``hese``   ``nonzero[i] = (3 n ^ n)[i+1]``, ``negative[i] = n[i+1]``
    ========== ==============================================================================

    Combinational. Source: Kung, McDanel and Zhang, Term Revealing, SC20, arXiv 2007.06389, for HESE.

    Parameters
    ----------
    params : EncoderParams
        Width and encoding.

    Members
    -------
    n : In(width)
        Magnitude.
    nonzero : Out(width + 1)
        Which digits are terms.
    negative : Out(width + 1)
        Which terms are negative; undefined for digits that are not terms.
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
