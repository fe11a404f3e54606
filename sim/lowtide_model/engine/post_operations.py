"""Operations after a product: scale per column, column bias, ReLU, residual; and the results as packed groups."""

from typing import Any

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.engine.operand import LEAST_BIAS, MOST_BIAS
from lowtide.formats.packed import PackedLayout
from lowtide.formats.parameter import IllegalValue, Unquoted, flag, whole_number
from lowtide_model import BfpTensor, GivenWords, add_fp32, pack, quantize, unpack, words
from lowtide_model.engine.operand import OperandSettings

__all__ = [
    "PostOperations",
    "packed_results",
    "packed_words",
    "result_settings",
    "results_from_words",
    "words_of_results",
]

FLAG = attrs.Converter(lambda value, field: flag(field.name, value), takes_field=True)


def _addend(dimensions: int) -> Any:
    """A converter that accepts an array of float32 of some dimensions, or None."""

    def convert(value: Any, field: attrs.Attribute) -> Any:
        legal = f"an array of float32 of {dimensions} dimension{'s' * (dimensions > 1)}, or None"
        if value is None:
            return None
        if not isinstance(value, np.ndarray):
            raise IllegalValue(field.name, legal, value)
        if value.dtype != np.float32 or value.ndim != dimensions:
            raise IllegalValue(field.name, legal, Unquoted(f"{value.dtype} of {value.ndim}"))
        return value

    return attrs.Converter(convert, takes_field=True)


def _scale(value: Any, field: attrs.Attribute) -> Any:
    """Accept a row of finite factors that are not negative, or None."""
    row = _addend(1).converter(value, field)
    if row is None:
        return None
    wrong = np.argwhere(~np.isfinite(row) | (row < 0))
    if wrong.size:
        at = int(wrong[0, 0])
        raise IllegalValue(f"{field.name} at {at}", "finite and at least 0", float(row[at]))
    return row


def _offset(value: Any, field: attrs.Attribute) -> Any:
    """Accept a row of integers, or None."""
    legal = "an array of integers of 1 dimension, or None"
    if value is None:
        return None
    if not isinstance(value, np.ndarray):
        raise IllegalValue(field.name, legal, value)
    if value.dtype.kind not in "iu" or value.ndim != 1:
        raise IllegalValue(field.name, legal, Unquoted(f"{value.dtype} of {value.ndim}"))
    return value


ROW, MATRIX = _addend(1), _addend(2)
SCALE, OFFSET = (attrs.Converter(of, takes_field=True) for of in (_scale, _offset))


@attrs.frozen(kw_only=True, eq=False)
class PostOperations:
    """Operations on the results of a product, in this order; each sum is rounded as by `add_fp32`.

    The offset and the scale apply to the exact sums of an engine of integers, before the only rounding to FP32.

    Parameters
    ----------
    offset : array of int, shape (N,), optional
        Integer added to the exact sums of each column, of as many bits as a sum, and at most 32.
    scale : array of float32, shape (N,), optional
        Factor of the sums of each column, at least 0. Subnormal factors count as zero.
    bias : array of float32, shape (N,), optional
        Number added to each column.
    relu : bool
        Whether to replace results below zero by +0, before the residual is added.
    residual : array of float32, shape (M, N), optional
        Matrix added to the results.
    final_relu : bool
        Whether to replace results below zero by +0 at the end.

    Raises
    ------
    ValueError
        If an addend is not an array of its type and dimensions, a factor is negative or not finite, or a flag is not a
        boolean.
    """

    offset: np.ndarray | None = attrs.field(default=None, converter=OFFSET)
    scale: np.ndarray | None = attrs.field(default=None, converter=SCALE)
    bias: np.ndarray | None = attrs.field(default=None, converter=ROW)
    relu: bool = attrs.field(default=False, converter=FLAG)
    residual: np.ndarray | None = attrs.field(default=None, converter=MATRIX)
    final_relu: bool = attrs.field(default=False, converter=FLAG)

    def check(self, rows: int, columns: int) -> None:
        """Reject addends of other sizes than a product's.

        Raises
        ------
        ValueError
            If the shape of an addend or of the scale differs.
        """
        row, matrix = (columns,), (rows, columns)
        addends = {"offset": row, "scale": row, "bias": row, "residual": matrix}
        for name, shape in addends.items():
            addend = getattr(self, name)
            if addend is not None and addend.shape != shape:
                raise ValueError(f"{name} of the post operations must have shape {shape}, not {addend.shape}")

    @property
    def scales(self) -> bool:
        """Whether there is an offset or a scale per column."""
        return self.offset is not None or self.scale is not None

    @property
    def adds(self) -> bool:
        """Whether there is a column bias or a residual."""
        return self.bias is not None or self.residual is not None

    def part(self, rows: slice, columns: slice) -> "PostOperations":
        """Return the operations on a part of the results."""
        each = {"offset": columns, "scale": columns, "bias": columns, "residual": (rows, columns)}
        given = {name: (getattr(self, name), at) for name, at in each.items()}
        return attrs.evolve(self, **{name: None if x is None else x[at] for name, (x, at) in given.items()})

    def applied(self, values: np.ndarray) -> np.ndarray:
        """Return FP32 results after the operations that follow the offset and the scale."""
        self.check(*values.shape)
        zero = np.float32(0)
        values = add_fp32(values, zero if self.bias is None else self.bias, relu=self.relu)
        return add_fp32(values, zero if self.residual is None else self.residual, relu=self.final_relu)


def result_settings(config: Config, settings: OperandSettings) -> OperandSettings:
    """Return the settings of packed results, if the engine accepts them.

    Raises
    ------
    ValueError
        If a setting is out of the range of its register, or the bias is missing.
    """
    bfp = config.bfp
    whole_number("chunks of the results", settings.chunks, range(1, bfp.mantissa // bfp.chunk_a + 1))
    whole_number("seed of the results", settings.seed, range(1, 2**config.engine.lfsr_bits))
    whole_number("bias of the results", settings.bias, range(LEAST_BIAS, MOST_BIAS + 1))
    return settings


def packed_results(config: Config, values: np.ndarray, settings: OperandSettings) -> BfpTensor:
    """Convert the results of a product to block floating point, with groups along N, as the engine does.

    Parameters
    ----------
    config : Config
        The engine.
    values : array of float32, shape (M, N)
        Results in FP32.
    settings : OperandSettings
        Precision in chunks of A, rounding, seed, and the bias, which is required. Group g of row r of row t of tiles
        has the random words of step r in row ``t * groups + g``, where ``groups`` is the number of groups of a row.
    """
    bfp = config.bfp
    settings = result_settings(config, settings)
    rounding: Any = settings.rounding
    if rounding == "stochastic":
        source = attrs.evolve(config.engine.source(bfp.lanes), seed=settings.seed)
        groups = -(-values.shape[1] // bfp.lanes)
        tile, step = np.divmod(np.arange(values.shape[0])[:, np.newaxis, np.newaxis], config.array.rows)
        row = tile * groups + np.arange(groups)[:, np.newaxis]
        random = words(source, step, np.arange(bfp.lanes), row)
        rounding = GivenWords(mode="half_step", bits=source.width, words=random.reshape(-1, bfp.lanes))
    return quantize(
        values,
        mantissa=settings.chunks * bfp.chunk_a,
        exponent=bfp.exponent,
        group=bfp.lanes,
        bias=settings.bias,
        rounding=rounding,
        nonfinite="saturate",
    )


def packed_words(config: Config, rows: int, columns: int, chunks: int) -> int:
    """Words of the packed results of a product, without the zeros that fill the last beat."""
    bfp = config.bfp
    return rows * -(-columns // bfp.lanes) * PackedLayout.of(bfp).words(chunks * bfp.chunk_a)


def words_of_results(config: Config, tensor: BfpTensor) -> np.ndarray:
    """Words of packed results in the order of arrival: for each row of tiles, group 0 of each row, then group 1."""
    found, rows = pack(tensor), config.array.rows
    parts = [found[start : start + rows].transpose(1, 0, 2).reshape(-1) for start in range(0, len(found), rows)]
    return np.concatenate(parts)


def results_from_words(
    config: Config, found: np.ndarray, shape: tuple[int, int], settings: OperandSettings
) -> BfpTensor:
    """Return packed results from their words in the order of arrival: the inverse of `words_of_results`.

    Parameters
    ----------
    config : Config
        The engine.
    found : array of uint32
        Words, as many as `packed_words` returns.
    shape : tuple of int
        Rows and columns of the product.
    settings : OperandSettings
        Settings of the results.
    """
    (rows, columns), bfp, high = shape, config.bfp, config.array.rows
    mantissa, groups = settings.chunks * bfp.chunk_a, -(-columns // bfp.lanes)
    size = PackedLayout.of(bfp).words(mantissa)
    parts, start = [], 0
    for first in range(0, rows, high):
        count = min(high, rows - first)
        end = start + groups * count * size
        parts.append(found[start:end].reshape(groups, count, size).transpose(1, 0, 2))
        start = end
    return unpack(
        np.concatenate(parts),
        mantissa=mantissa,
        exponent=bfp.exponent,
        group=bfp.lanes,
        bias=int(settings.bias or 0),
        length=columns,
    )
