"""The kinds of processing elements that an array may have."""

from collections.abc import Callable
from functools import partial

from lowtide.array.element import Element
from lowtide.formats.bfp import Bfp
from lowtide.formats.terms import Terms
from lowtide.units.fmac import Fmac
from lowtide.units.terms.pair_mac import PairMac
from lowtide.units.terms.pmac import Pmac, PmacShape
from lowtide.units.terms.tmac import Tmac

__all__ = ["element_maker"]


def element_maker(kind: str, bfp: Bfp, terms: Terms) -> Callable[[], Element]:
    """What makes an element of a kind, for the formats of a configuration."""
    return {
        "fmac": partial(Fmac, bfp),
        "tmac": partial(Tmac, terms),
        "pair_mac": partial(PairMac, terms),
        "pmac": partial(Pmac, PmacShape(width=terms.width, max_k=terms.max_k)),
    }[kind]
