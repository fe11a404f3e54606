"""Uses of tensors: an operand of a product of a layer."""

import attrs

__all__ = ["KINDS", "OPERANDS", "PRODUCTS", "Use", "uses"]

KINDS = ("weights", "activations", "gradients")
"""Kinds of tensors."""

OPERANDS = {
    "forward": ("activations", "weights"),
    "to_inputs": ("gradients", "weights"),
    "to_weights": ("activations", "gradients"),
}
"""Products of a layer, with the kinds of their operands A and B."""

PRODUCTS = tuple(OPERANDS)


@attrs.frozen
class Use:
    """A tensor in a product, grouped along the reduction. Each use has its own precision.

    Parameters
    ----------
    layer : int
        Layer of the network, from 0.
    product : str
        One of `PRODUCTS`.
    kind : str
        One of `KINDS`.
    """

    layer: int
    product: str
    kind: str

    @property
    def key(self) -> str:
        """Name in logs, such as ``0.forward.weights``."""
        return f"{self.layer}.{self.product}.{self.kind}"


def uses(layers: int) -> list[Use]:
    """All uses in a step; the gradient with respect to the inputs of the network is not needed."""
    return [
        Use(layer, product, kind)
        for layer in range(layers)
        for product, kinds in OPERANDS.items()
        for kind in kinds
        if layer or product != "to_inputs"
    ]
