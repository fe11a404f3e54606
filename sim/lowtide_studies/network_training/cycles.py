"""Products that a training computes, and their cycles on an engine."""

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any

import attrs
from torch import Tensor

from lowtide.config import Config
from lowtide_model.layer_cost import Layer, Setting, layer_costs
from lowtide_torch import Engine
from lowtide_torch.operand import Operand, Result

__all__ = ["CountingEngine", "Cycles", "Product", "cycles_of"]


@attrs.frozen(kw_only=True)
class Product:
    """Sizes of a product M × K × N, and chunks per magnitude of both operands."""

    m: int
    k: int
    n: int
    chunks_a: int
    chunks_b: int

    @property
    def macs(self) -> int:
        """Multiplications."""
        return self.m * self.k * self.n


class CountingEngine(Engine):
    """An engine in PyTorch that counts its products while ``counting`` is true."""

    def __init__(self, config: Config):
        super().__init__(config)
        self.counting = True
        self.used: Counter[Product] = Counter()

    def count(
        self, result: Result, a: Operand, b: Operand, layer: str, after: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        """Count a product. Operand A may be the images of a convolution, in place of its windows."""
        super().count(result, a, b, layer, after)
        if self.counting:
            rows = a.x.shape[1] if a.x.dim() == 3 else result.values.shape[1]
            matrices, k, n = b.x.shape
            product = Product(m=rows, k=k, n=n, chunks_a=a.settings.chunks, chunks_b=b.settings.chunks)
            self.used[product] += matrices


@attrs.define(kw_only=True)
class Cycles:
    """Cycles of products on an engine.

    Parameters
    ----------
    pairs : int
        Pairs of groups, with M and N rounded up to whole tiles, divided by the elements of the array; 0 for integers.
    beats : int
        Cycles of an array that never waits: the pairs times the chunks of A times the chunks of B. Of integers, the
        products with M and N rounded up to whole tiles, divided by the elements.
    packed, fp32 : int
        Cycles of an engine with loading, whose operands arrive packed or as FP32 numbers. Integers are always packed.
    """

    pairs: int = 0
    beats: int = 0
    packed: int = 0
    fp32: int = 0

    def add(self, product: Product, count: int, config: Config, *, chunks: tuple[int, int] | None = None) -> None:
        """Add products that follow each other; with chunks per magnitude of A and B that differ from the product's."""
        chunks = chunks or (product.chunks_a, product.chunks_b)
        sizes = product.m, product.k, product.n
        beats, packed = cycles_of(config, *sizes, *chunks, packed=True)
        _, fp32 = cycles_of(config, *sizes, *chunks, packed=False)
        if config.array.element == "pmac":
            beats = product.k * -(-product.m // config.array.rows) * -(-product.n // config.array.columns)
        else:
            self.pairs += count * beats // (chunks[0] * chunks[1])
        self.beats += count * beats
        self.packed += count * packed
        self.fp32 += count * fp32

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return attrs.asdict(self)


@functools.lru_cache(maxsize=2**16)
def cycles_of(config: Config, m: int, k: int, n: int, chunks_a: int, chunks_b: int, *, packed: bool) -> tuple[int, int]:
    """Beats of a product, and its cycles by the cycle model after an equal product."""
    bits = chunks_a * config.bfp.chunk_a, chunks_b * config.bfp.chunk_b
    layer = Layer(name="product", m=m, k=k, n=n)
    _, cost = layer_costs(config, [layer, layer], Setting(bits_a=bits[0], bits_b=bits[1], packed=packed))
    return cost.floor, cost.cycles
