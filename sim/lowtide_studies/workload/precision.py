"""Precisions that the workload runs at, and the hardware that takes them."""

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
        """The next precision up that whole chunks make."""
        return Precision(-(-self.a // bfp.chunk_a) * bfp.chunk_a, -(-self.b // bfp.chunk_b) * bfp.chunk_b)


PRECISIONS = tuple(Precision(a, b) for a, b in ((8, 8), (6, 6), (4, 4), (4, 2), (2, 2)))


def fitted(config: Config, precisions: tuple[Precision, ...], k: int) -> tuple[Config, tuple[Precision, ...]]:
    """A configuration with room for these precisions and reductions of ``k``, and the precisions as it takes them.

    ``bfp.mantissa`` and ``bfp.max_k`` are raised where they are too small, and nothing else is changed. Each
    precision is raised to whole chunks; what then occurs twice is left out.
    """
    bfp = config.bfp
    taken = tuple(dict.fromkeys(precision.on(bfp) for precision in precisions))
    widest = max(bits for precision in taken for bits in (precision.a, precision.b))
    step = lcm(bfp.chunk_a, bfp.chunk_b)
    mantissa = max(bfp.mantissa, -(-widest // step) * step)
    return attrs.evolve(config, bfp=attrs.evolve(bfp, mantissa=mantissa, max_k=max(bfp.max_k, k))), taken
