"""Products of any size, split into panels that fit into an engine."""

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.engine.seeds import panel_seed
from lowtide_model import BfpTensor
from lowtide_model.engine.following import Following
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.passes import Part, split
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.product import AnySettings, Events, Operand, Product, settings_of
from lowtide_model.engine.reveal import Reveal, effective
from lowtide_model.engine.sums import Pass, total_improvement
from lowtide_model.terms import IntegerTensor

__all__ = ["MatrixEngine", "multiply"]

# Events of operand A and of operand B; the other events belong to the results.
EVENTS_OF_A = ("a_exp_saturated", "a_saturated", "a_nonfinite")
EVENTS_OF_B = ("b_exp_saturated", "b_saturated", "b_nonfinite")


class MatrixEngine(Protocol):
    """Interface of every engine: the golden engine, simulated hardware, or a device."""

    @property
    def config(self) -> Config:
        """Configuration of the engine."""
        ...

    def multiply(
        self,
        a: Operand,
        b: Operand,
        a_settings: AnySettings | None = None,
        b_settings: AnySettings | None = None,
        *,
        reveal: Reveal | None = None,
        post: PostOperations | None = None,
        results: AnySettings | None = None,
    ) -> Product:
        """Multiply A (M × K) and B (K × N)."""
        ...

    def multiply_sum(
        self,
        passes: Sequence[Pass],
        *,
        post: PostOperations | None = None,
        results: AnySettings | None = None,
    ) -> Product:
        """Add up products in exact sums on chip, rounded once."""
        ...


def multiply(
    engine: MatrixEngine,
    a: Operand,
    b: Operand,
    a_settings: AnySettings | None,
    b_settings: AnySettings | None,
    *,
    reveal: Reveal | None = None,
    progress: Callable[[int, int], object] = lambda _done, _all: None,
    post: PostOperations | None = None,
    results: AnySettings | None = None,
) -> Product:
    """Multiply A (M × K) and B (K × N), split into panels that fit into the engine.

    K is split between groups. An engine with sums on chip adds up all of K exactly and rounds once. Without sums on
    chip, the host adds the partial products in FP32, in order of K. Every transmission of an operand's panel converts
    it to equal bits. The first panel uses the operand's seed, and each other panel its own `panel_seed`.

    The engine applies post operations to each panel of C. If the host adds the partial products, the host applies them
    to the sum, with equal bits. The engine packs groups if one panel has all of C. Otherwise the host does, with the
    bits of an engine that has room for all of C. The engine packs the integers of each panel.

    Parameters
    ----------
    engine : MatrixEngine
        Engine that multiplies the panels.
    a, b : array of float32 or BfpTensor, shapes (M, K) and (K, N)
        Operands. Transposed views are not copied; the engine transposes them. An engine of integers takes arrays of
        integers.
    a_settings, b_settings : OperandSettings, IntegerSettings or None
        Conversion settings of an array; None for a `BfpTensor`. Biases are required, because all panels of an operand
        must share one.
    reveal : Reveal, optional
        Term revealing, of an engine with the element ``tmac``; None to keep every term.
    progress : callable
        Called with the number of completed panels and the number of all panels.
    post : PostOperations, optional
        Operations on the results.
    results : OperandSettings or IntegerSettings, optional
        Settings of packed results, with a bias, or of integers; None for results in FP32.

    Returns
    -------
    Product
        The product. Events of an operand's panel count once; cycles are the sum of all panels.

    Raises
    ------
    ValueError
        If a bias is missing, the engine rejects a panel, K exceeds the sums on chip, the engine lacks what follows the
        product, or the host would have to scale or to convert exact sums.
    """
    for_a, for_b = settings_of(engine.config, "a", a, a_settings), settings_of(engine.config, "b", b, b_settings)
    for name, operand in (("a", for_a), ("b", for_b)):
        if operand.bias is None:
            raise ValueError(f"bias of {name} must be an integer, which all panels share, not None")
    config, bfp = engine.config, engine.config.bfp
    integers = config.array.element != "fmac"
    group = config.lanes if reveal is None else effective(config, reveal).group
    parts = split(
        engine.config,
        m=a.shape[0],
        k=a.shape[1],
        n=b.shape[1],
        chunks_a=for_a.chunks,
        chunks_b=for_b.chunks,
        in_order_a=integers or _in_order(a),
        in_order_b=integers or _in_order(b if isinstance(b, BfpTensor) else b.T),
        group=group,
    )
    length = parts[0].k.stop
    if length < a.shape[1] and length % bfp.lanes and BfpTensor in (type(a), type(b)):
        raise ValueError(f"K of packed groups must be at most {length}, which is less than a group, not {a.shape[1]}")
    if reveal is not None and length < a.shape[1] and length % group:
        raise ValueError(f"K must be at most {length}, which is less than a group of {group}, not {a.shape[1]}")
    follows = Following.of(engine.config, parts, (a.shape[0], b.shape[1]), post, results)
    values = np.zeros((a.shape[0], b.shape[1]), np.float32)
    found: list[tuple[bool, bool, Product]] = []
    progress(0, len(parts))
    passes: list[Pass] = []
    integer_parts: list[tuple[tuple[slice, slice], IntegerTensor]] = []
    for done, part in enumerate(parts, 1):
        passes.append(_pass(engine.config, part, a, b, for_a, for_b, reveal))
        if part.keep:
            continue
        after, its = follows.on_engine(part), passes[0]
        if part.add:
            product = engine.multiply_sum(passes, **after)
        else:
            after |= {} if reveal is None else {"reveal": reveal}
            product = engine.multiply(its.a, its.b, its.a_settings, its.b_settings, **after)
        passes = []
        block = part.rows, part.columns
        on_host = part.k.start and not part.add
        if isinstance(product.tensor, IntegerTensor):
            integer_parts.append((block, product.tensor))
        elif product.tensor is None:
            values[block] = values[block] + product.values if on_host else product.values
        found.append((part.first_a, part.first_b, product))
        progress(done, len(parts))
    two = not integers and bfp.mantissa >= 2 * max(bfp.chunk_a, bfp.chunk_b)
    tensor = _joined(values.shape, integer_parts) if integer_parts else found[-1][2].tensor
    exact, tensor, events = follows.on_host(values, tensor, _events(found))
    return Product(
        values=exact,
        tensor=tensor,
        events=events,
        a_improvement=total_improvement([part.a_improvement for first, _, part in found if first]) if two else None,
        b_improvement=total_improvement([part.b_improvement for _, first, part in found if first]) if two else None,
        cycles=_cycles([part.cycles for *_, part in found]),
    )


def _joined(shape: tuple[int, ...], parts: list[tuple[tuple[slice, slice], IntegerTensor]]) -> IntegerTensor:
    """The packed integers of all panels."""
    integers = np.zeros(shape, np.int64)
    for block, tensor in parts:
        integers[block] = tensor.integers
    return attrs.evolve(parts[0][1], integers=integers)


def _pass(
    config: Config, part: Part, a: Operand, b: Operand, for_a: AnySettings, for_b: AnySettings, reveal: Reveal | None
) -> Pass:
    """The operands of a part, with the seeds of their panels."""
    bits = config.engine.lfsr_bits
    return Pass(
        a=_part(a, part.rows, part.k) if isinstance(a, BfpTensor) else a[part.rows, part.k],
        b=_part(b, part.columns, part.k) if isinstance(b, BfpTensor) else b[part.k, part.columns],
        a_settings=None if isinstance(a, BfpTensor) else _of_panel(for_a, "a", part.panel_a, bits),
        b_settings=None if isinstance(b, BfpTensor) else _of_panel(for_b, "b", part.panel_b, bits),
        reveal=reveal,
    )


def _of_panel(settings: AnySettings, side: str, panel: int, bits: int) -> AnySettings:
    """The settings of a panel of an operand: integers need no seed."""
    if isinstance(settings, IntegerSettings):
        return settings
    return attrs.evolve(settings, seed=panel_seed(settings.seed, side, panel, bits))


def _in_order(x: Operand) -> bool:
    """Whether an operand, with its vectors first, is always sent in order."""
    return isinstance(x, BfpTensor) or x.flags.c_contiguous


def _part(x: BfpTensor, vectors: slice, elements: slice) -> BfpTensor:
    """Return some vectors and some whole groups of a tensor."""
    groups = slice(elements.start // x.group, -(-elements.stop // x.group))
    return attrs.evolve(
        x,
        signed=x.signed[vectors, groups.start * x.group : groups.stop * x.group],
        codes=x.codes[vectors, groups],
        length=elements.stop - elements.start,
    )


def _events(parts: list[tuple[bool, bool, Product]]) -> Events:
    """Sums over the panels; an operand's panel counts once, however often it was sent."""
    counts = dict.fromkeys((field.name for field in attrs.fields(Events)), 0)
    for first_a, first_b, part in parts:
        for name in counts:
            if (name not in EVENTS_OF_A or first_a) and (name not in EVENTS_OF_B or first_b):
                counts[name] += getattr(part.events, name)
    return Events(**counts)


def _cycles(cycles: list[int | None]) -> int | None:
    known = [count for count in cycles if count is not None]
    return sum(known) if len(known) == len(cycles) else None
