"""Products of layers: on an engine, as `docs/reference/network_numerics.md` defines them, or on the host."""

import functools
from collections.abc import Callable

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.engine.seeds import operand_seed, panel_seed
from lowtide_model import default_bias, matmul, quantize, to_fp32
from lowtide_model.engine import panels
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import MatrixEngine
from lowtide_model.engine.passes import split
from lowtide_onnx.operand import Bits, Operand

__all__ = ["engine_product", "host_product", "reference_product"]


def engine_product(
    engine: MatrixEngine,
    a: Operand,
    b: Operand,
    bits: Bits,
    rounding: str,
    entropy: tuple[int, ...],
    progress: Callable[[float, int], object],
) -> np.ndarray:
    """Products of a batch of matrices on an engine.

    Parameters
    ----------
    engine : MatrixEngine
        The engine.
    a, b : Operand
        Operands of finite numbers.
    bits : (int, int)
        Magnitude bits of A and of B.
    rounding : str
        ``truncate``, ``nearest`` or ``stochastic``.
    entropy : tuple of int
        The six numbers that determine the random words.
    progress : callable
        Called with the number of completed matrices, which has a fraction within a matrix, and of all matrices.

    Raises
    ------
    ValueError
        If K exceeds the sums on chip.
    """
    config = engine.config
    word = int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0])
    for_a, for_b = (
        OperandSettings(
            chunks=of // chunk,
            rounding=rounding,
            seed=operand_seed(word, side, config.engine.lfsr_bits) if rounding == "stochastic" else 1,
            bias=default_bias(np.array([one.most], np.float32), exponent=config.bfp.exponent),
        )
        for side, one, of, chunk in zip("ab", (a, b), bits, (config.bfp.chunk_a, config.bfp.chunk_b), strict=True)
    )
    if type(engine) is GoldenEngine and rounding != "stochastic":
        return _whole(config, a.x, b.x, for_a, for_b)
    values = []
    for number, (left, right) in enumerate(zip(a.x, b.x, strict=True)):
        its_a, its_b = (
            attrs.evolve(of, seed=panel_seed(of.seed, side, number, config.engine.lfsr_bits))
            for side, of in (("a", for_a), ("b", for_b))
        )
        product = panels.multiply(
            engine,
            np.ascontiguousarray(left),
            np.ascontiguousarray(right.T).T,
            its_a,
            its_b,
            progress=lambda done, of, number=number: progress(number + done / of, len(a.x)),
        )
        values.append(product.values)
    return np.stack(values)


def _whole(config: Config, a: np.ndarray, b: np.ndarray, for_a: OperandSettings, for_b: OperandSettings) -> np.ndarray:
    """The bits of `panels.multiply` on the golden engine, for all rows and columns of all matrices at once.

    Neither operand may be rounded stochastically. Then the bits depend only on the slices of K and on the biases.
    """
    shape = a.shape[1], a.shape[2], b.shape[2]
    slices, on_chip = _slices(config, *shape, for_a.chunks, for_b.chunks)
    bfp, total = config.bfp, None
    for part in slices:
        left, right = (
            quantize(
                x,
                mantissa=settings.chunks * chunk,
                exponent=bfp.exponent,
                group=bfp.lanes,
                axis=axis,
                bias=settings.bias,
                rounding=settings.rounding,
            )
            for x, settings, chunk, axis in (
                (a[:, :, part], for_a, bfp.chunk_a, -1),
                (b[:, part], for_b, bfp.chunk_b, -2),
            )
        )
        sums = matmul(left, right, bfp=bfp)
        if on_chip:
            total = sums if total is None else _added(config, total, sums)
        else:
            values = to_fp32(sums, left, right).values
            total = values if total is None else total + values
    assert total is not None
    return to_fp32(total, left, right).values if on_chip else total


def _added(config: Config, total: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Exact sum of accumulators, as Python integers if a sum on chip may exceed 64 bits."""
    wide = attrs.evolve(config.bfp, max_k=config.engine.sum_max_k).accumulator > 64
    return total.astype(object) + sums if wide else total + sums


@functools.lru_cache(maxsize=4096)
def _slices(config: Config, m: int, k: int, n: int, chunks_a: int, chunks_b: int) -> tuple[list[slice], bool]:
    """Slices of K, and whether the engine adds them on chip."""
    parts = split(config, m=m, k=k, n=n, chunks_a=chunks_a, chunks_b=chunks_b)
    found = {part.k.start: part.k for part in parts}
    return [found[start] for start in sorted(found)], parts[0].keep


def host_product(a: Operand, b: Operand) -> np.ndarray:
    """Products in FP32, summed in an order of the host."""
    return np.matmul(a.x, b.x)


def reference_product(a: Operand, b: Operand) -> np.ndarray:
    """Products in float64, rounded to FP32: the reference of a check."""
    with np.errstate(over="ignore"):
        return np.matmul(a.x.astype(np.float64), b.x.astype(np.float64)).astype(np.float32)
