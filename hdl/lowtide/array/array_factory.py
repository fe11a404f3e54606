"""Factory of arrays: maps a configuration to an element and an array."""

from collections.abc import Callable
from functools import partial

from lowtide.array.element import Element
from lowtide.array.params import ArrayParams, RequantizationParams
from lowtide.array.requantized import RequantizedArray
from lowtide.array.systolic import SystolicArray
from lowtide.array.terms.array import TermArray
from lowtide.formats.bfp import Bfp
from lowtide.formats.terms import Terms
from lowtide.units.arithmetic.fmac import Fmac
from lowtide.units.arithmetic.pair_mac import PairMac
from lowtide.units.arithmetic.pmac import Pmac, PmacParams
from lowtide.units.arithmetic.tmac import Tmac

__all__ = ["array_of", "element_factory"]


def element_factory(kind: str, bfp: Bfp, terms: Terms) -> Callable[..., Element]:
    """Return a function that makes an element of a kind, for the formats of a configuration."""
    return {
        "fmac": partial(Fmac, bfp),
        "tmac": partial(Tmac, terms),
        "pair_mac": partial(PairMac, terms),
        "pmac": partial(Pmac, PmacParams(width=terms.width, max_k=terms.max_k)),
    }[kind]


def array_of(
    params: ArrayParams, bfp: Bfp, terms: Terms, requantizing: RequantizationParams
) -> SystolicArray | TermArray | RequantizedArray:
    """Return the array of a configuration."""
    if params.operands == "integers":
        array = TermArray(params.rows, params.columns, terms, params.skew, params.block)
    else:
        element = element_factory(params.element, bfp, terms)
        array = SystolicArray(params.rows, params.columns, element, params.skew, params.block)
    return RequantizedArray(array, terms, requantizing) if params.results == "integers" else array
