"""Operands and results of an engine, and the check that a product fits into the engine."""

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.engine.operand import ROUNDINGS, OperandLayout
from lowtide.formats.parameter import IllegalValue, instance, whole_number
from lowtide_model import BfpTensor, Improvement, pack
from lowtide_model.engine.integer_operand import IntegerSettings, checked_integers, integer_settings, packed_integers
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.terms import IntegerTensor

__all__ = [
    "AnySettings",
    "Events",
    "Operand",
    "OperandVectors",
    "Product",
    "conversion_events",
    "operand_vectors",
    "settings_of",
]

Operand = np.ndarray | BfpTensor
"""Matrix of float32, or a matrix that is already in block floating point, with its groups along K; or, for an engine of
integers, a matrix of integers."""

AnySettings = OperandSettings | IntegerSettings
"""Settings of an operand."""


@attrs.frozen(kw_only=True)
class Events:
    """Numerical events of a product.

    Parameters
    ----------
    a_exp_saturated, b_exp_saturated : int
        Groups whose exponent saturated.
    a_saturated, b_saturated : int
        Elements whose magnitude saturated.
    a_nonfinite, b_nonfinite : int
        Groups with a NaN or an infinity.
    overflows, underflows : int
        Results that became infinite, or became zero although their sums were not zero.
    c_exp_saturated, c_saturated, c_nonfinite : int
        Groups of packed results whose exponent saturated, elements whose magnitude saturated, and groups with a NaN or
        an infinity. Of packed integers, only ``c_saturated`` counts.
    """

    a_exp_saturated: int = 0
    b_exp_saturated: int = 0
    a_saturated: int = 0
    b_saturated: int = 0
    a_nonfinite: int = 0
    b_nonfinite: int = 0
    overflows: int
    underflows: int
    c_exp_saturated: int = 0
    c_saturated: int = 0
    c_nonfinite: int = 0


@attrs.frozen(eq=False)
class OperandVectors:
    """An operand as vectors along the reduction axis, and its order on the stream.

    Parameters
    ----------
    x : array of float32, shape (vectors, numbers)
        Rows of A, or columns of B; or the words of their packed groups or integers, as bits of FP32 numbers.
    transposed : bool
        Whether memory has the first elements of all vectors first, then the second. The operand is sent in this order,
        without a copy.
    length : int
        ``K``; by default, the numbers of a vector.
    packed : bool, optional
        Whether ``x`` has packed groups; None if the engine takes no packed groups, or integers.
    """

    x: np.ndarray
    transposed: bool
    length: int = attrs.field(default=attrs.Factory(lambda self: self.x.shape[1], takes_self=True))
    packed: bool | None = None

    @property
    def in_memory_order(self) -> np.ndarray:
        """The operand with contiguous rows, in the order in which it is sent."""
        return self.x.T if self.transposed else self.x

    def settings(self, operand: AnySettings) -> dict[str, int]:
        """Values of the operand's registers, by their names without the prefix ``a_`` or ``b_``."""
        shape = {"vectors": self.x.shape[0], "length": self.length}
        if isinstance(operand, IntegerSettings):
            return shape | {"bias": operand.bias}
        return shape | {
            "transposed": int(self.transposed),
            "chunks": operand.chunks,
            "rounding": ROUNDINGS.index(operand.rounding),
            "seed": operand.seed,
            "bias_auto": int(operand.bias is None),
            "bias": operand.bias or 0,
            **({} if self.packed is None else {"packed": int(self.packed)}),
        }


@attrs.frozen(kw_only=True, eq=False)
class Product:
    """Result of an engine.

    Parameters
    ----------
    values : array of float32, shape (M, N)
        The product. With packed results, an array of float64: the exact values of ``tensor``.
    events : Events
        Numerical events.
    a_improvement, b_improvement : Improvement, optional
        Relative improvement of each operand; None if magnitudes have only one chunk.
    cycles : int, optional
        Clock cycles from the start until the last result was accepted; None without a clock.
    tensor : BfpTensor or IntegerTensor, optional
        Packed results, with groups along N, or integers; None for results in FP32.
    """

    values: np.ndarray
    events: Events
    a_improvement: Improvement | None = None
    b_improvement: Improvement | None = None
    cycles: int | None = None
    tensor: BfpTensor | IntegerTensor | None = None


def conversion_events(side: str, x: Operand, converted: BfpTensor, axis: int) -> dict[str, int]:
    """Events of an operand's conversion; a tensor that arrives converted has none."""
    if isinstance(x, BfpTensor):
        return dict.fromkeys((f"{side}_exp_saturated", f"{side}_saturated", f"{side}_nonfinite"), 0)
    nonfinite = np.moveaxis(~np.isfinite(x), axis, -1)
    nonfinite = np.pad(nonfinite, [(0, 0), (0, -nonfinite.shape[1] % converted.group)])
    return {
        f"{side}_exp_saturated": converted.saturated_groups,
        f"{side}_saturated": converted.saturated_elements,
        f"{side}_nonfinite": int(nonfinite.reshape(len(nonfinite), -1, converted.group).any(axis=-1).sum()),
    }


def settings_of(config: Config, side: str, x: Operand, settings: AnySettings | None) -> AnySettings:
    """Return the settings of operand ``side``, ``a`` or ``b``: as given, or as a tensor in BFP has them.

    Raises
    ------
    ValueError
        If the engine cannot take the tensor, if settings are given for a tensor, or if the settings are for an engine
        with another format of operands.
    """
    if config.array.element != "fmac":
        return integer_settings(side, settings)
    if settings is not None:
        what = "of type OperandSettings, or None, for an engine with array.element = fmac"
        instance(f"{side}_settings", settings, OperandSettings, what)
    if not isinstance(x, BfpTensor):
        return settings or OperandSettings()
    if settings is not None:
        raise IllegalValue(f"{side}_settings", "None for a BfpTensor, which needs no conversion", settings)
    bfp = config.bfp
    if not config.engine.packed_operands:
        raise ValueError(f"{side} must be a matrix of float32, not a BfpTensor: engine.packed_operands is false")
    chunk, axis = (bfp.chunk_a, 1) if side == "a" else (bfp.chunk_b, 0)
    whole_number(f"mantissa of {side}", x.mantissa, range(chunk, bfp.mantissa + 1, chunk))
    whole_number(f"exponent of {side}", x.exponent, (bfp.exponent,), because="the bfp.exponent")
    whole_number(f"group of {side}", x.group, (bfp.lanes,), because="the bfp.lanes")
    whole_number(f"dimensions of {side}", x.signed.ndim, (2,))
    whole_number(f"axis of {side}", x.axis, (axis,), because="groups along K")
    return OperandSettings(chunks=x.mantissa // chunk, bias=x.bias)


def operand_vectors(
    config: Config, a: Operand, b: Operand, a_settings: AnySettings, b_settings: AnySettings
) -> tuple[OperandVectors, OperandVectors]:
    """Check that the engine can compute a product, and return both operands as vectors along the reduction axis.

    Raises
    ------
    ValueError
        If the operands are not float32 matrices or tensors in BFP, or matrices of integers for an engine of integers;
        if they do not multiply, are empty, or do not fit into the engine; or if a setting is out of the range of its
        register.
    """
    array, integers = config.array, config.array.element != "fmac"
    for name, operand in (("a", a), ("b", b)):
        if integers:
            checked_integers(name, config, operand)
            continue
        if isinstance(operand, BfpTensor):
            continue
        if not isinstance(operand, np.ndarray):
            raise ValueError(f"{name} must be a matrix of float32, not of type {type(operand).__name__}")
        if operand.ndim != 2 or operand.dtype != np.float32:
            raise ValueError(f"{name} must be a matrix of float32, not {operand.dtype} of {operand.ndim} dimensions")
    if a.shape[1] != b.shape[0] or 0 in (*a.shape, *b.shape):
        raise ValueError(f"a and b must be matrices that multiply, not of shapes {a.shape} and {b.shape}")
    if a.shape[1] > config.max_k:
        raise ValueError(f"K must be at most {config.max_k}, the max_k, not {a.shape[1]}")
    if integers:
        assert isinstance(a, np.ndarray)
        assert isinstance(b, np.ndarray)
        return _integers("a", config, a, array.rows), _integers("b", config, b.T, array.columns)
    assert isinstance(a_settings, OperandSettings)
    assert isinstance(b_settings, OperandSettings)
    bfp = config.bfp
    return (
        _vectors("a", config, a, a_settings, array.rows, bfp.chunk_a),
        _vectors("b", config, b if isinstance(b, BfpTensor) else b.T, b_settings, array.columns, bfp.chunk_b),
    )


def _integers(name: str, config: Config, x: np.ndarray, panel: int) -> OperandVectors:
    count, length = x.shape
    _check_room(name, config, count, length, panel, 1)
    return OperandVectors(packed_integers(x, config.terms.width), transposed=False, length=length)


def _check_room(name: str, config: Config, count: int, length: int, panel: int, chunks: int) -> None:
    """Refuse an operand that exceeds the buffer."""
    words, most = -(-count // panel) * -(-length // config.lanes) * chunks, config.engine.buffer_depth
    if words > most:
        raise ValueError(
            f"{name} must take at most {most} words of a buffer, the engine.buffer_depth:"
            f" {count} vectors of {length} in {chunks} chunks take {words}"
        )


def _vectors(name: str, config: Config, x: Operand, operand: OperandSettings, panel: int, chunk: int) -> OperandVectors:
    bfp, engine = config.bfp, config.engine
    legal = OperandLayout(bfp, chunk, panel * engine.buffer_depth, engine).legal
    for setting in ("chunks", "seed", *(() if operand.bias is None else ("bias",))):
        whole_number(f"{setting} of {name}", getattr(operand, setting), legal[setting])
    count, length = (len(x.signed), x.length) if isinstance(x, BfpTensor) else x.shape
    _check_room(name, config, count, length, panel, operand.chunks)
    if isinstance(x, BfpTensor):
        return OperandVectors(pack(x).reshape(count, -1).view(np.float32), transposed=False, length=length, packed=True)
    transposed = engine.transpose_depth > 0 and not x.flags.c_contiguous and x.T.flags.c_contiguous
    if transposed and count > engine.transpose_depth:
        raise ValueError(
            f"{name}, transposed, must have at most {engine.transpose_depth} vectors, the engine.transpose_depth,"
            f" not {count}"
        )
    return OperandVectors(x, transposed, packed=False if engine.packed_operands else None)
