"""The kinds of arrays: what elements they have, what operands they take, and what results they give."""

from collections.abc import Callable
from functools import partial

from lowtide.array.element import Element
from lowtide.array.params import ArrayShape, Requantising
from lowtide.array.requantized import RequantisedArray
from lowtide.array.systolic import SystolicArray
from lowtide.array.terms.array import TermArray
from lowtide.formats.bfp import Bfp
from lowtide.formats.terms import Terms
from lowtide.units.arithmetic.fmac import Fmac
from lowtide.units.arithmetic.pair_mac import PairMac
from lowtide.units.arithmetic.pmac import Pmac, PmacShape
from lowtide.units.arithmetic.tmac import Tmac

__all__ = ["array_of", "element_maker"]


def element_maker(kind: str, bfp: Bfp, terms: Terms) -> Callable[[], Element]:
    """What makes an element of a kind, for the formats of a configuration."""
    return {
        "fmac": partial(Fmac, bfp),
        "tmac": partial(Tmac, terms),
        "pair_mac": partial(PairMac, terms),
        "pmac": partial(Pmac, PmacShape(width=terms.width, max_k=terms.max_k)),
    }[kind]


def array_of(
    shape: ArrayShape, bfp: Bfp, terms: Terms, requantising: Requantising
) -> SystolicArray | TermArray | RequantisedArray:
    """The array of a configuration."""
    if shape.operands == "integers":
        array = TermArray(shape.rows, shape.columns, terms)
    else:
        array = SystolicArray(shape.rows, shape.columns, element_maker(shape.element, bfp, terms))
    return RequantisedArray(array, terms, requantising) if shape.results == "integers" else array
