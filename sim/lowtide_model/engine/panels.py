"""Products of any size, in panels that fit into an engine."""

from collections.abc import Callable, Iterator
from typing import Protocol

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.engine.seeds import panel_seed
from lowtide_model import Improvement
from lowtide_model.engine.operand import Operand
from lowtide_model.engine.product import Events, Product

__all__ = ["MatrixEngine", "multiply"]

# Of what an engine counts, what belongs to operand A, to operand B, and to the results.
OF_A = ("a_exp_saturated", "a_saturated", "a_nonfinite")
OF_B = ("b_exp_saturated", "b_saturated", "b_nonfinite")


class MatrixEngine(Protocol):
    """What multiplies: `lowtide_sim.engine`'s golden engine, or hardware."""

    @property
    def config(self) -> Config:
        """What it was generated for."""
        ...

    def multiply(self, a: np.ndarray, b: np.ndarray, a_settings: Operand, b_settings: Operand) -> Product:
        """The product of A (M × K) and B (K × N)."""
        ...


def multiply(
    engine: MatrixEngine,
    a: np.ndarray,
    b: np.ndarray,
    a_settings: Operand,
    b_settings: Operand,
    progress: Callable[[int, int], object] = lambda _done, _all: None,
) -> Product:
    """The product of A (M × K) and B (K × N), in as many panels as the engine needs.

    Where K is cut, it is between groups, and the parts are added in FP32, the first to the second, their sum to the
    third, and so on. A panel of an operand is converted alike each time that it is sent. Its random words are those of
    the operand's seed for the first panel, and of another `panel_seed` for each other one.

    Parameters
    ----------
    engine : MatrixEngine
        What multiplies the panels.
    a, b : array of float32, shapes (M, K) and (K, N)
        Views are not copied; the engine reads them across.
    a_settings, b_settings : Operand
        With biases: a panel must not find its own.
    progress : callable
        Called with the panels that are done, and how many there are.

    Returns
    -------
    Product
        What is counted of an operand, once; cycles of all panels.

    Raises
    ------
    ValueError
        If a bias is missing, or the engine refuses a panel.
    """
    for name, operand in (("a", a_settings), ("b", b_settings)):
        if operand.bias is None:
            raise ValueError(f"{name} must have a bias, which all its panels share, not None")
    array, bfp = engine.config.array, engine.config.bfp
    length = _length(engine.config, max(a_settings.chunks, b_settings.chunks), a.shape[1])
    high = _lines(engine.config, a, length, a_settings.chunks, array.rows)
    wide = _lines(engine.config, b.T, length, b_settings.chunks, array.columns)
    values = np.zeros((a.shape[0], b.shape[1]), np.float32)
    parts: list[tuple[bool, bool, Product]] = []
    bits = engine.config.engine.lfsr_bits
    panels = -(-a.shape[1] // length) * -(-a.shape[0] // high) * -(-b.shape[1] // wide)
    progress(0, panels)
    for depth, ks in enumerate(_slices(a.shape[1], length)):
        for down, ms in enumerate(_slices(a.shape[0], high)):
            for across, ns in enumerate(_slices(b.shape[1], wide)):
                panel_a, panel_b = depth * -(-a.shape[0] // high) + down, depth * -(-b.shape[1] // wide) + across
                its_a = attrs.evolve(a_settings, seed=panel_seed(a_settings.seed, "a", panel_a, bits))
                its_b = attrs.evolve(b_settings, seed=panel_seed(b_settings.seed, "b", panel_b, bits))
                part = engine.multiply(a[ms, ks], b[ks, ns], its_a, its_b)
                values[ms, ns] = values[ms, ns] + part.values if depth else part.values
                parts.append((across == 0, down == 0, part))
                progress(len(parts), panels)
    two = bfp.mantissa >= 2 * max(bfp.chunk_a, bfp.chunk_b)
    return Product(
        values=values,
        events=_events(parts),
        a_improvement=_ratio([part.a_improvement for first, _, part in parts if first]) if two else None,
        b_improvement=_ratio([part.b_improvement for _, first, part in parts if first]) if two else None,
        cycles=_cycles([part.cycles for *_, part in parts]),
    )


def _length(config: Config, chunks: int, k: int) -> int:
    """Elements along K of a panel: whole groups, unless that is all of K or more than an engine takes."""
    bfp = config.bfp
    most = min(bfp.max_k, config.engine.buffer_depth // chunks * bfp.lanes)
    return k if k <= most else most // bfp.lanes * bfp.lanes or most


def _lines(config: Config, x: np.ndarray, length: int, chunks: int, at_once: int) -> int:
    """Lines of a panel: as many as the buffers hold, and as can be read across where that may be needed."""
    most = config.engine.buffer_depth // (-(-length // config.bfp.lanes) * chunks) * at_once
    if not x.flags.c_contiguous:
        most = min(most, config.engine.transpose_depth)
    return most // at_once * at_once or most


def _slices(length: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, length)) for start in range(0, length, step))


def _events(parts: list[tuple[bool, bool, Product]]) -> Events:
    """Sums over the panels, each panel of an operand once however often it was sent."""
    counts = dict.fromkeys((field.name for field in attrs.fields(Events)), 0)
    for first_a, first_b, part in parts:
        for name in counts:
            if (name not in OF_A or first_a) and (name not in OF_B or first_b):
                counts[name] += getattr(part.events, name)
    return Events(**counts)


def _ratio(ratios: list[Improvement | None]) -> Improvement | None:
    """That of a whole operand: its panels have one bias, so that their sums have one unit."""
    known = [ratio for ratio in ratios if ratio is not None]
    if len(known) < len(ratios):
        return None
    return Improvement(low_sum=sum(ratio.low_sum for ratio in known), high_sum=sum(ratio.high_sum for ratio in known))


def _cycles(cycles: list[int | None]) -> int | None:
    known = [count for count in cycles if count is not None]
    return sum(known) if len(known) == len(cycles) else None
