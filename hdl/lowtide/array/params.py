"""Parameters of a systolic array and of its requantizer."""

import attrs

from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.units.arithmetic.multiplier import PRODUCTS

__all__ = ["ArrayParams", "RequantizationParams"]


@attrs.frozen(kw_only=True)
class ArrayParams:
    """Shape and elements of a systolic array.

    Parameters
    ----------
    rows, columns : int
        Processing elements: a tile of the product is ``rows`` × ``columns``.
    element : str
        Kind of processing element: ``fmac`` for block floating point; ``tmac`` for integer data and terms of weights;
        ``pair_mac`` for terms of both operands; ``pmac`` for integers.
    operands : str
        Content of the operand streams: ``packed``, as a processing element takes them; or ``integers``, whose terms
        the array reveals, for ``tmac`` alone.
    results : str
        Content of the result stream: ``accumulators``, exact; or ``integers``, requantized for the next layer, for
        every element but ``fmac``.
    skew : str
        Where operands wait for their row or column: in ``registers``, or in ``memory`` made of look-up tables.
    block_rows, block_columns : int
        Rows that share registers of operand B, and columns that share registers of operand A: an operand passes a
        block of elements in one cycle.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or the element does not support such operands or results.
    """

    rows: int = parameter(8, range(1, 513), "rows of processing elements")
    columns: int = parameter(8, range(1, 513), "columns of processing elements")
    element: str = parameter("fmac", ("fmac", "tmac", "pair_mac", "pmac"), "kind of processing element")
    operands: str = parameter("packed", ("packed", "integers"), "content of the operand streams")
    results: str = parameter("accumulators", ("accumulators", "integers"), "content of the result stream")
    skew: str = parameter(
        "registers", ("registers", "memory"), "where operands wait for their row or column", internal=True
    )
    block_rows: int = parameter(1, range(1, 513), "rows that share registers of operand B", internal=True)
    block_columns: int = parameter(1, range(1, 513), "columns that share registers of operand A", internal=True)

    def __attrs_post_init__(self):
        if self.results == "integers" and self.element == "fmac":
            raise IllegalValue("results", "accumulators for the element fmac", self.results)
        if self.operands == "integers" and self.element != "tmac":
            raise IllegalValue("operands", f"packed for the element {self.element}", self.operands)

    @property
    def block(self) -> tuple[int, int]:
        """Rows and columns of a block of elements that share registers."""
        return self.block_rows, self.block_columns


@attrs.frozen(kw_only=True)
class RequantizationParams:
    """Parameters of the requantizer of an array; its widths and its encoding follow from the terms of the array.

    Parameters
    ----------
    lanes : int
        Results requantized per cycle, a divisor of ``array.columns``.
    multiplier : int
        Width of the multiplier in bits.
    product : str
        Multiplication: ``inferred``, for DSP blocks, or by ``adders``.
    counter_bits : int
        Width of the counter of saturated results in bits.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    lanes: int = parameter(1, range(1, 513), "results requantized per cycle, a divisor of array.columns")
    multiplier: int = parameter(16, range(1, 17), "width of the multiplier in bits")
    product: str = parameter("inferred", PRODUCTS, "multiplication: inferred for DSP blocks, or adders")
    counter_bits: int = parameter(16, range(10, 33), "width of the counter of saturated results in bits")
