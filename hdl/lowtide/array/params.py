"""Parameters of a systolic array and of the requantizer behind it."""

import attrs

from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.units.arithmetic.multiplier import PRODUCTS

__all__ = ["ArrayParams", "RequantizationParams"]


@attrs.frozen(kw_only=True)
class ArrayParams:
    """Shape of a systolic array.

    Parameters
    ----------
    rows, columns : int
        Processing elements: a tile of the product is ``rows`` × ``columns``.
    element : str
        Kind of processing element: ``fmac`` for block floating point; ``tmac`` for data and terms of weights,
        ``pair_mac`` for terms of both; ``pmac`` for plain integers.
    operands : str
        What the streams of operands carry: ``packed`` as a processing element takes them, or, for ``tmac`` alone,
        ``integers``, whose terms are revealed on the way.
    results : str
        What the stream of results carries: ``accumulators``, exact, or, but for ``fmac``, ``integers``, data of the
        next layer.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or the element does not go with such operands or results.
    """

    rows: int = parameter(8, range(1, 513), "rows of processing elements")
    columns: int = parameter(8, range(1, 513), "columns of processing elements")
    element: str = parameter("fmac", ("fmac", "tmac", "pair_mac", "pmac"), "kind of processing element")
    operands: str = parameter("packed", ("packed", "integers"), "what the streams of operands carry")
    results: str = parameter("accumulators", ("accumulators", "integers"), "what the stream of results carries")

    def __attrs_post_init__(self):
        if self.results == "integers" and self.element == "fmac":
            raise IllegalValue("results", "accumulators for the element fmac", self.results)
        if self.operands == "integers" and self.element != "tmac":
            raise IllegalValue("operands", f"packed for the element {self.element}", self.operands)


@attrs.frozen(kw_only=True)
class RequantizationParams:
    """What the requantizer behind an array is generated for; widths and encoding are those of the array's terms.

    Parameters
    ----------
    lanes : int
        Results that become integers in a cycle, a divisor of ``array.columns``.
    multiplier : int
        Bits of the multiplier.
    product : str
        How it multiplies: ``inferred``, for DSP blocks, or by ``adders``.
    counter_bits : int
        Bits of the counter of results that were held.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    lanes: int = parameter(1, range(1, 513), "results that become integers in a cycle, a divisor of array.columns")
    multiplier: int = parameter(16, range(1, 17), "bits of the multiplier")
    product: str = parameter("inferred", PRODUCTS, "multiplication: inferred for DSP blocks, or adders")
    counter_bits: int = parameter(16, range(10, 33), "bits of the counter of results that were held")
