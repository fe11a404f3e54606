"""Precisions of the workload, and the hardware that supports them."""

from math import lcm

import attrs

from lowtide.config import Config
from lowtide.formats import Bfp

__all__ = ["PRECISIONS", "Precision", "fitted"]


@attrs.frozen
class Precision:
    """Magnitude bits of both operands.

    Parameters
    ----------
    a, b : int
        Bits of A, the activations, and of B, the weights.
    """

    a: int
    b: int

    def __str__(self) -> str:
        return f"{self.a}×{self.b}"

    def on(self, bfp: Bfp) -> "Precision":
        """Round up to whole chunks."""
        return Precision(-(-self.a // bfp.chunk_a) * bfp.chunk_a, -(-self.b // bfp.chunk_b) * bfp.chunk_b)


PRECISIONS = tuple(Precision(a, b) for a, b in ((8, 8), (6, 6), (4, 4), (4, 2), (2, 2)))


def fitted(config: Config, precisions: tuple[Precision, ...], k: int) -> tuple[Config, tuple[Precision, ...]]:
    """A configuration that supports these precisions and reductions of ``k``, and the precisions in whole chunks.

    Only ``bfp.mantissa`` and ``bfp.max_k`` are raised, if they are too small. Each precision is rounded up to whole
    chunks, without duplicates.
    """
    bfp = config.bfp
    taken = tuple(dict.fromkeys(precision.on(bfp) for precision in precisions))
    widest = max(bits for precision in taken for bits in (precision.a, precision.b))
    step = lcm(bfp.chunk_a, bfp.chunk_b)
    mantissa = max(bfp.mantissa, -(-widest // step) * step)
    return attrs.evolve(config, bfp=attrs.evolve(bfp, mantissa=mantissa, max_k=max(bfp.max_k, k))), taken
