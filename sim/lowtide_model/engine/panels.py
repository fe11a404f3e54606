"""Products of any size, split into panels that fit into an engine."""

from collections.abc import Callable, Iterator
from typing import Protocol

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.engine.seeds import panel_seed
from lowtide_model import BfpTensor, Improvement
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.product import Events, Operand, Product, settings_of

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
        a_settings: OperandSettings | None = None,
        b_settings: OperandSettings | None = None,
    ) -> Product:
        """Multiply A (M × K) and B (K × N)."""
        ...


def multiply(
    engine: MatrixEngine,
    a: Operand,
    b: Operand,
    a_settings: OperandSettings | None,
    b_settings: OperandSettings | None,
    progress: Callable[[int, int], object] = lambda _done, _all: None,
) -> Product:
    """Multiply A (M × K) and B (K × N), split into panels that fit into the engine.

    K is split between groups, and the partial products are added in FP32, in order of K. Every transmission of an
    operand's panel converts it to equal bits. The first panel uses the operand's seed, and each other panel its own
    `panel_seed`.

    Parameters
    ----------
    engine : MatrixEngine
        Engine that multiplies the panels.
    a, b : array of float32 or BfpTensor, shapes (M, K) and (K, N)
        Operands. Transposed views are not copied; the engine transposes them.
    a_settings, b_settings : OperandSettings or None
        Conversion settings of an array; None for a `BfpTensor`. Biases are required, because all panels of an operand
        must share one.
    progress : callable
        Called with the number of completed panels and the number of all panels.

    Returns
    -------
    Product
        The product. Events of an operand's panel count once; cycles are the sum of all panels.

    Raises
    ------
    ValueError
        If a bias is missing, or the engine rejects a panel.
    """
    for_a, for_b = settings_of(engine.config, "a", a, a_settings), settings_of(engine.config, "b", b, b_settings)
    for name, operand in (("a", for_a), ("b", for_b)):
        if operand.bias is None:
            raise ValueError(f"bias of {name} must be an integer, which all panels share, not None")
    array, bfp = engine.config.array, engine.config.bfp
    length = _length(engine.config, max(for_a.chunks, for_b.chunks), a.shape[1])
    if length < a.shape[1] and length % bfp.lanes and BfpTensor in (type(a), type(b)):
        raise ValueError(f"K of packed groups must be at most {length}, which is less than a group, not {a.shape[1]}")
    high = _vectors(engine.config, length, for_a.chunks, array.rows, _in_order(a))
    wide = _vectors(
        engine.config, length, for_b.chunks, array.columns, _in_order(b if isinstance(b, BfpTensor) else b.T)
    )
    values = np.zeros((a.shape[0], b.shape[1]), np.float32)
    parts: list[tuple[bool, bool, Product]] = []
    bits = engine.config.engine.lfsr_bits
    panels = -(-a.shape[1] // length) * -(-a.shape[0] // high) * -(-b.shape[1] // wide)
    progress(0, panels)
    for depth, ks in enumerate(_slices(a.shape[1], length)):
        for down, ms in enumerate(_slices(a.shape[0], high)):
            for across, ns in enumerate(_slices(b.shape[1], wide)):
                panel_a, panel_b = depth * -(-a.shape[0] // high) + down, depth * -(-b.shape[1] // wide) + across
                its_a = attrs.evolve(for_a, seed=panel_seed(for_a.seed, "a", panel_a, bits))
                its_b = attrs.evolve(for_b, seed=panel_seed(for_b.seed, "b", panel_b, bits))
                part = engine.multiply(
                    _part(a, ms, ks) if isinstance(a, BfpTensor) else a[ms, ks],
                    _part(b, ns, ks) if isinstance(b, BfpTensor) else b[ks, ns],
                    None if isinstance(a, BfpTensor) else its_a,
                    None if isinstance(b, BfpTensor) else its_b,
                )
                values[ms, ns] = values[ms, ns] + part.values if depth else part.values
                parts.append((across == 0, down == 0, part))
                progress(len(parts), panels)
    two = bfp.mantissa >= 2 * max(bfp.chunk_a, bfp.chunk_b)
    return Product(
        values=values,
        events=_events(parts),
        a_improvement=_improvement([part.a_improvement for first, _, part in parts if first]) if two else None,
        b_improvement=_improvement([part.b_improvement for _, first, part in parts if first]) if two else None,
        cycles=_cycles([part.cycles for *_, part in parts]),
    )


def _length(config: Config, chunks: int, k: int) -> int:
    """Elements along K per panel: whole groups, unless all of K fits or a group exceeds the engine's maximum."""
    bfp = config.bfp
    most = min(bfp.max_k, config.engine.buffer_depth // chunks * bfp.lanes)
    return k if k <= most else most // bfp.lanes * bfp.lanes or most


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


def _vectors(config: Config, length: int, chunks: int, panel: int, in_order: bool) -> int:
    """Vectors per panel: limited by the buffers and, for operands that may be sent transposed, by the transposer."""
    most = config.engine.buffer_depth // (-(-length // config.bfp.lanes) * chunks) * panel
    if not in_order:
        most = min(most, config.engine.transpose_depth)
    return most // panel * panel or most


def _slices(length: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, length)) for start in range(0, length, step))


def _events(parts: list[tuple[bool, bool, Product]]) -> Events:
    """Sums over the panels; an operand's panel counts once, however often it was sent."""
    counts = dict.fromkeys((field.name for field in attrs.fields(Events)), 0)
    for first_a, first_b, part in parts:
        for name in counts:
            if (name not in EVENTS_OF_A or first_a) and (name not in EVENTS_OF_B or first_b):
                counts[name] += getattr(part.events, name)
    return Events(**counts)


def _improvement(panels: list[Improvement | None]) -> Improvement | None:
    """Improvement of a whole operand: its panels share a bias, so their sums have one unit."""
    known = [panel for panel in panels if panel is not None]
    if len(known) < len(panels):
        return None
    return Improvement(low_sum=sum(panel.low_sum for panel in known), high_sum=sum(panel.high_sum for panel in known))


def _cycles(cycles: list[int | None]) -> int | None:
    known = [count for count in cycles if count is not None]
    return sum(known) if len(known) == len(cycles) else None
