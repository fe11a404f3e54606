"""How an array's results become integers again."""

import attrs

from lowtide.formats.parameter import parameter
from lowtide.units.multiplier import PRODUCTS

__all__ = ["Requantising"]


@attrs.frozen(kw_only=True)
class Requantising:
    """What the requantiser behind an array is generated for; widths and encoding are those of the array's terms.

    Parameters
    ----------
    lanes : int
        Results that become integers in a cycle, a divisor of ``array.columns``.
    multiplier : int
        Bits of the multiplier.
    product : str
        How it multiplies: ``inferred``, for DSP blocks, or by ``adders``.
    counter : int
        Bits of the counter of results that were held.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    lanes: int = parameter(1, range(1, 513), "results that become integers in a cycle, a divisor of array.columns")
    multiplier: int = parameter(16, range(1, 17), "bits of the multiplier")
    product: str = parameter("inferred", PRODUCTS, "multiplication: inferred for DSP blocks, or adders")
    counter: int = parameter(16, range(10, 33), "bits of the counter of results that were held")
