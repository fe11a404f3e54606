"""Cost and error of one product of a layer."""

import math
from typing import Any

import attrs

from lowtide_model.layer_cost import Cost
from lowtide_onnx.operand import Bits

__all__ = ["LayerReport", "decibels", "decibels_text", "plain"]


@attrs.frozen(kw_only=True)
class LayerReport:
    """Cost and error of a product.

    Parameters
    ----------
    name, product, operation : str
        Node, product of the node if it has several, and operation.
    m, k, n, count : int
        Sizes, and number of products.
    bits : (int, int), optional
        Magnitude bits of A and of B; None for a product on the host.
    cost : Cost, optional
        Cycles, bytes and limits on the engine.
    sqnr : float
        Ratio of signal to quantization noise of the products in dB, for the operands of the run.
    network_sqnr : float
        The ratio of the node's output, compared with the node's output in FP32.
    """

    name: str
    product: str
    operation: str
    m: int
    k: int
    n: int
    count: int
    bits: Bits | None
    cost: Cost | None
    sqnr: float
    network_sqnr: float

    @property
    def macs(self) -> int:
        """Multiplications of all products."""
        return self.m * self.k * self.n * self.count

    @property
    def label(self) -> str:
        """Name of the node, with its product."""
        return f"{self.name} ({self.product})" if self.product else self.name

    def to_json(self) -> dict[str, Any]:
        """Plain values; None for an infinite ratio."""
        names = ("name", "product", "operation", "m", "k", "n", "count", "macs")
        return {
            **{name: getattr(self, name) for name in names},
            "bits": "fp32" if self.bits is None else list(self.bits),
            "sqnr": plain(self.sqnr),
            "network_sqnr": plain(self.network_sqnr),
            "cost": None if self.cost is None else self.cost.to_json(),
        }


def decibels(signal: float, noise: float) -> float:
    """Ratio of two energies in dB; infinite without noise."""
    if not noise:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf


def plain(value: float) -> float | None:
    """A ratio for JSON: None if it is not finite."""
    return round(value, 3) if math.isfinite(value) else None


def decibels_text(value: float) -> str:
    """A ratio in a table: ``exact`` without noise, a dash for NaN."""
    return "–" if math.isnan(value) else "exact" if value == math.inf else f"{value:.1f}"
