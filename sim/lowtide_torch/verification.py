"""Comparison of products in PyTorch with the products of another engine: golden, compiled Verilog, or a device."""

from collections.abc import Iterator

import attrs
import numpy as np
import torch

from lowtide.config import Config
from lowtide_model import Improvement
from lowtide_model.engine import panels
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.panels import MatrixEngine
from lowtide_torch.errors import BitsDiffer
from lowtide_torch.improvements import total_improvement
from lowtide_torch.operand import Operand, Result, tensor_bias
from lowtide_torch.words import panel_states

__all__ = ["Improvements", "check_equal", "equal_bits", "products_of", "self_test_operands"]

Improvements = tuple[Improvement | None, Improvement | None]
"""Relative improvements of A and of B."""


def products_of(engine: MatrixEngine, a: Operand, b: Operand) -> tuple[np.ndarray, Improvements]:
    """Products of all matrices on an engine of the golden model's interface, and the relative improvements."""
    bits, matrices = engine.config.engine.lfsr_bits, len(a.x)
    a_seeds, b_seeds = (
        panel_states(np.array([operand.settings.seed]), side, matrices, bits)[0]
        for operand, side in ((a, "a"), (b, "b"))
    )
    left, right = (operand.x.detach().cpu().numpy() for operand in (a, b))
    products = [
        panels.multiply(
            engine,
            np.ascontiguousarray(left[i]),
            np.ascontiguousarray(right[i].T).T,
            attrs.evolve(a.settings, seed=int(a_seeds[i])),
            attrs.evolve(b.settings, seed=int(b_seeds[i])),
        )
        for i in range(matrices)
    ]
    improvements = (
        total_improvement([product.a_improvement for product in products]),
        total_improvement([product.b_improvement for product in products]),
    )
    return np.stack([product.values for product in products]), improvements


def equal_bits(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Which numbers have equal bits; all NaNs are equal."""
    return (found.view(np.uint32) == expected.view(np.uint32)) | (np.isnan(found) & np.isnan(expected))


def check_equal(what: str, result: Result, values: np.ndarray, improvements: Improvements) -> None:
    """Compare a product with the values and the relative improvements of another engine.

    Raises
    ------
    BitsDiffer
        If a bit differs; ``what`` names the product.
    """
    found = result.values.detach().cpu().numpy().reshape(values.shape)
    different = np.argwhere(~equal_bits(found, values))
    if len(different):
        index = tuple(int(i) for i in different[0])
        raise BitsDiffer(
            f"{what} differs from the reference at {index}: {found[index]!r} instead of {values[index]!r};"
            f" {len(different)} of {found.size} values differ"
        )
    for measured, expected in zip((result.a_improvement, result.b_improvement), improvements, strict=True):
        if measured is not None and expected is not None and measured != expected:
            raise BitsDiffer(f"{what} measured {measured} instead of {expected}")


def self_test_operands(config: Config, device: torch.device) -> Iterator[tuple[Operand, Operand]]:
    """Operands of a few products: short, long, of two matrices, and of each rounding."""
    random, bfp = np.random.default_rng(1), config.bfp
    chunks = min(bfp.mantissa // max(bfp.chunk_a, bfp.chunk_b), 12)
    longest = config.engine.sum_max_k if config.engine.sum_rows else 1000
    lengths = (1, min(3 * bfp.lanes + 1, bfp.max_k), min(1000, bfp.max_k + 2 * bfp.lanes, longest))
    for (matrices, m, n), k in zip(((1, 3, 5), (2, 9, 17), (1, 5, 33)), lengths, strict=True):
        for rounding in ("nearest", "stochastic", "truncate"):
            operands = []
            for shape in ((matrices, m, k), (matrices, k, n)):
                x = torch.from_numpy(random.standard_normal(shape).astype(np.float32))
                bias = tensor_bias(x, bfp.exponent)
                settings = OperandSettings(chunks=chunks, rounding=rounding, seed=2, bias=bias)
                operands.append(Operand(x=x.to(device), settings=settings))
            yield operands[0], operands[1]
