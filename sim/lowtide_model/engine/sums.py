"""Sums of products on chip: their passes, and the check that an engine can add them up."""

from collections.abc import Sequence

import attrs

from lowtide.config import Config
from lowtide.formats.parameter import IllegalValue, instance, whole_number
from lowtide_model import Improvement
from lowtide_model.engine.product import (
    AnySettings,
    Events,
    Operand,
    OperandVectors,
    Product,
    operand_vectors,
    settings_of,
)
from lowtide_model.engine.reveal import Reveal, reveal_registers

__all__ = ["CheckedPass", "Pass", "checked_passes", "scale_of", "total"]


@attrs.frozen(kw_only=True, eq=False)
class Pass:
    """A pass of a sum: one of the products that an engine adds up, a part of the reduction.

    Parameters
    ----------
    a, b : array of float32 or BfpTensor, shapes (M, K) and (K, N)
        Operands.
    a_settings, b_settings : OperandSettings or IntegerSettings, optional
        Settings for the conversion of an array, or of integers; None for a tensor.
    reveal : Reveal, optional
        Term revealing; None to keep every term.
    """

    a: Operand
    b: Operand
    a_settings: AnySettings | None = None
    b_settings: AnySettings | None = None
    reveal: Reveal | None = None


@attrs.frozen(kw_only=True, eq=False)
class CheckedPass:
    """A pass as an engine takes it.

    Parameters
    ----------
    vectors : pair of OperandVectors
        A and B as vectors along the reduction axis.
    settings : pair of OperandSettings or IntegerSettings
        Settings of A and of B.
    reveal : dict of str to int
        Values of the registers of term revealing, by name.
    shape : pair of int
        Rows and columns of the result.
    add : bool
        Whether the pass adds the sums on chip: all passes but the first.
    keep : bool
        Whether the sums stay on chip: in all passes but the last.
    """

    vectors: tuple[OperandVectors, OperandVectors]
    settings: tuple[AnySettings, AnySettings]
    reveal: dict[str, int]
    shape: tuple[int, int]
    add: bool
    keep: bool


def checked_passes(config: Config, passes: Sequence[Pass]) -> list[CheckedPass]:
    """Check that an engine can compute a sum of products, and return its passes as the engine takes them.

    A single pass is a product, which needs no sums on chip.

    Raises
    ------
    ValueError
        If the engine cannot compute one of the products, or lacks a setting, or cannot add them up: the engine has no
        sums, a bias is missing, results differ in shape or scale, the block of results or K of all passes is too large.
    """
    if not isinstance(passes, Sequence) or not passes:
        raise IllegalValue("passes", "a sequence of one Pass or more", passes)
    checked = []
    for n, each in enumerate(passes):
        each = instance(f"passes[{n}]", each, Pass)
        settings = (
            settings_of(config, "a", each.a, each.a_settings),
            settings_of(config, "b", each.b, each.b_settings),
        )
        vectors = operand_vectors(config, each.a, each.b, *settings)
        shape = each.a.shape[0], each.b.shape[1]
        checked.append(
            CheckedPass(
                vectors=vectors,
                settings=settings,
                reveal=reveal_registers(config, each.reveal),
                shape=shape,
                add=n > 0,
                keep=n < len(passes) - 1,
            )
        )
    if len(checked) > 1:
        _check_sum(config, checked)
    return checked


def scale_of(config: Config, settings: tuple[AnySettings, AnySettings]) -> int:
    """Exponent of the lowest bit of a product's sums; both biases must be given."""
    a, b = settings
    assert a.bias is not None
    assert b.bias is not None
    if config.array.element != "fmac":
        return a.bias + b.bias
    return a.bias - config.bfp.chunk_a * a.chunks + b.bias - config.bfp.chunk_b * b.chunks + 2


def total(products: Sequence[Product]) -> Product:
    """The last product, with the events, the improvements and the cycles of all passes."""
    counts = {field.name: sum(getattr(p.events, field.name) for p in products) for field in attrs.fields(Events)}
    cycles = [p.cycles for p in products if p.cycles is not None]
    return attrs.evolve(
        products[-1],
        events=Events(**counts),
        a_improvement=total_improvement([p.a_improvement for p in products]),
        b_improvement=total_improvement([p.b_improvement for p in products]),
        cycles=sum(cycles) if len(cycles) == len(products) else None,
    )


def total_improvement(parts: Sequence[Improvement | None]) -> Improvement | None:
    """Improvement of a whole operand: its parts share a bias, so their sums have one unit."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return Improvement(low_sum=sum(part.low_sum for part in known), high_sum=sum(part.high_sum for part in known))


def _check_sum(config: Config, passes: list[CheckedPass]) -> None:
    engine, array = config.engine, config.array
    if not engine.sum_rows:
        raise ValueError(f"engine.sum_rows must be 1 or more for a sum of {len(passes)} passes, not 0")
    down, across = engine.sum_tiles(array.rows, array.columns)
    rows, columns = passes[0].shape
    whole_number("rows of a", rows, range(1, down * array.rows + 1), because="the block of sums on chip")
    whole_number("columns of b", columns, range(1, across * array.columns + 1), because="the block of sums on chip")
    scale = None
    for n, each in enumerate(passes):
        for name, settings in zip("ab", each.settings, strict=True):
            if settings.bias is None:
                raise IllegalValue(
                    f"bias of {name} in pass {n}", "an integer, as the sums on chip have one scale", None
                )
        if each.shape != (rows, columns):
            raise IllegalValue(f"shape of pass {n}", f"{(rows, columns)}, the shape of pass 0", each.shape)
        its = scale_of(config, each.settings)
        scale = its if scale is None else scale
        if its != scale:
            raise IllegalValue(f"scale of pass {n}", f"{scale}, the scale of pass 0", its)
    k = sum(each.vectors[0].length for each in passes)
    if k > engine.sum_max_k:
        raise ValueError(f"K of all passes must be at most {engine.sum_max_k}, the engine.sum_max_k, not {k}")
