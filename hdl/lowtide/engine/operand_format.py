"""Operand formats: what distinguishes an engine of block floating point from an engine of integers."""

from collections.abc import Sequence
from functools import partial

from amaranth.hdl import Const, Value
from amaranth.lib import data

from lowtide.array.systolic import SystolicArray
from lowtide.array.terms.array import TermArray
from lowtide.array.terms.control import legal_settings
from lowtide.array.terms.settings import Settings
from lowtide.engine.integer_layout import IntegerLayout
from lowtide.engine.integer_loader import IntegerLoader
from lowtide.engine.loader import Loader
from lowtide.engine.operand import OperandLayout
from lowtide.engine.params import CONVERSION_KEYS, EngineParams, integer_format
from lowtide.formats.bfp import Bfp
from lowtide.formats.parameter import host_parameters
from lowtide.formats.terms import ENCODINGS, Terms
from lowtide.units.arithmetic.fmac import Fmac
from lowtide.units.arithmetic.pmac import Pmac, PmacParams

__all__ = ["INTEGER_KEYS", "TERM_KEYS", "BfpOperands", "IntegerOperands", "OperandFormat"]

TERM_KEYS = ("width", "encoding", "group", "budget", "data_terms", "values", "max_k")
"""Keys of the section ``[terms]`` that a host needs for the element ``tmac``."""

INTEGER_KEYS = ("width", "max_k")
"""Keys of the section ``[terms]`` that a host needs for the element ``pmac``."""


class BfpOperands:
    """Operands in block floating point: FP32 numbers that a `Loader` converts, or packed groups.

    Parameters
    ----------
    rows, columns : int
        Processing elements.
    bfp : Bfp
        Format of the groups.
    params : EngineParams
        Buffers and stream widths.

    Attributes
    ----------
    element : str
        Kind of processing element: ``fmac``.
    width : int
        Bits of an integer: none.
    format : Bfp
        Format that sizes the accumulator.
    layouts : tuple of two OperandLayout
        Settings of A and of B.
    packs : bool
        Whether operands may arrive packed.
    reveals : Settings or None
        Settings of term revealing: none.

    Raises
    ------
    IllegalValue
        If `EngineParams.check` refuses the parameters.
    """

    reveals = None
    element = "fmac"
    width = 0

    def __init__(self, rows: int, columns: int, bfp: Bfp, params: EngineParams):
        params.check(rows, columns, bfp)
        self.rows, self.columns, self.bfp, self.params, self.format = rows, columns, bfp, params, bfp
        self.packs = params.packed_operands
        self._chunks = bfp.chunk_a, bfp.chunk_b
        self.layouts = (
            OperandLayout(bfp, bfp.chunk_a, rows * params.buffer_depth, params),
            OperandLayout(bfp, bfp.chunk_b, columns * params.buffer_depth, params),
        )
        self.name = f"m{bfp.mantissa}"

    @property
    def constants(self) -> dict[str, int]:
        """Parameters that a host needs, by the names of the configuration keys."""
        return {**host_parameters(self.bfp), **{name: int(n) for name, n in host_parameters(self.params).items()}}

    @property
    def engine_name(self) -> tuple[str, str]:
        """Parameters of the operands in the name of an engine: stream and buffers, and what may arrive packed."""
        params = self.params
        sizes = params.buffer_depth, params.input_width, params.transpose_depth, params.write_width
        return "_".join(map(str, (*sizes, params.random_name))), "_p" * self.packs

    def array(self, skew: str, block: tuple[int, int]) -> SystolicArray:
        """Return the array."""
        return SystolicArray(self.rows, self.columns, partial(Fmac, self.bfp), skew, block)

    def loaders(self) -> list[Loader]:
        """Return the loaders of A and of B."""
        vectors = self.rows, self.columns
        return [Loader(n, self.bfp, chunk, self.params) for n, chunk in zip(vectors, self._chunks, strict=True)]

    def scale(self, biases: Sequence[Value], chunks: Sequence[Value]) -> Value:
        """Exponent of the lowest bit of a product. Magnitudes of m bits are in units of 2**(B - (m - 1))."""
        lowest = [bias - chunk * n for bias, chunk, n in zip(biases, self._chunks, chunks, strict=True)]
        return lowest[0] + lowest[1] + 2

    def accepts(self, reveal: data.View | None) -> Value:
        """Whether settings of term revealing are legal."""
        return Const(1)


class IntegerOperands:
    """Operands in packed integers, which an `IntegerLoader` writes into the buffers as they are.

    The array reveals their terms (``tmac``), or multiplies the integers (``pmac``).

    Parameters
    ----------
    rows, columns : int
        Processing elements.
    element : str
        Kind of processing element: ``tmac`` or ``pmac``.
    terms : Terms
        Width of the integers, and the terms that a ``tmac`` takes.
    params : EngineParams
        Buffers and stream widths.

    Attributes
    ----------
    bfp : None
        Format of groups: none.
    width : int
        Bits of an integer.
    format : Terms or PmacParams
        Format that sizes the accumulator.
    layouts : tuple of two IntegerLayout
        Settings of A and of B.
    packs : bool
        Whether operands may arrive packed: always.
    reveals : Settings or None
        Settings of term revealing; none for ``pmac``.

    Raises
    ------
    IllegalValue
        If `EngineParams.check_integers` refuses the parameters.
    """

    packs = True
    bfp = None

    def __init__(self, rows: int, columns: int, element: str, terms: Terms, params: EngineParams):
        params.check_integers(rows, columns, element, terms)
        self.rows, self.columns, self.terms, self.params = rows, columns, terms, params
        self.element, self.width = element, terms.width
        self.format = integer_format(element, terms)
        self.reveals = Settings(terms) if element == "tmac" else None
        values = terms.values if self.reveals else 1
        self.layouts = (
            IntegerLayout(terms.width, values, terms.max_k, rows * params.buffer_depth, params.slots),
            IntegerLayout(terms.width, values, terms.max_k, columns * params.buffer_depth, params.slots),
        )
        self.name = f"{terms.group}_{terms.budget}_{terms.data_terms}" if self.reveals else "integers"

    @property
    def constants(self) -> dict[str, int]:
        """Parameters that a host needs, by the names of the configuration keys; an encoding by its number."""
        terms = {name: getattr(self.terms, name) for name in (TERM_KEYS if self.reveals else INTEGER_KEYS)}
        if self.reveals:
            terms["encoding"] = ENCODINGS.index(self.terms.encoding)
        engine = {name: int(n) for name, n in host_parameters(self.params).items() if name not in CONVERSION_KEYS}
        return terms | engine

    @property
    def engine_name(self) -> tuple[str, str]:
        """Parameters of the operands in the name of an engine: stream and buffers, and nothing further."""
        params = self.params
        return f"{params.buffer_depth}_{params.input_width}_{params.write_width}", ""

    def array(self, skew: str, block: tuple[int, int]) -> SystolicArray | TermArray:
        """Return the array."""
        if self.reveals:
            return TermArray(self.rows, self.columns, self.terms, skew, block)
        integers = PmacParams(width=self.terms.width, max_k=self.terms.max_k)
        return SystolicArray(self.rows, self.columns, partial(Pmac, integers), skew, block)

    def loaders(self) -> list[IntegerLoader]:
        """Return the loaders of A and of B."""
        vectors = self.rows, self.columns
        return [
            IntegerLoader(n, layout, self.terms.width, self.params)
            for n, layout in zip(vectors, self.layouts, strict=True)
        ]

    def scale(self, biases: Sequence[Value], chunks: Sequence[Value]) -> Value:
        """Exponent of the lowest bit of a product."""
        return biases[0] + biases[1]

    def accepts(self, reveal: data.View | None) -> Value:
        """Whether settings of term revealing are legal: a group occupies whole words of the buffer."""
        if reveal is None:
            return Const(1)
        return legal_settings(self.terms, reveal) & ~reveal.group[: (self.terms.values - 1).bit_length()].any()


OperandFormat = BfpOperands | IntegerOperands
"""Format of the operands of an engine."""
