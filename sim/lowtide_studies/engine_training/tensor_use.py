"""Uses of tensors: which tensor enters which product of which layer."""

import attrs

__all__ = ["KINDS", "OPERANDS", "PRODUCTS", "Use", "uses"]

KINDS = ("weights", "activations", "gradients")
"""Kinds of tensors."""

OPERANDS = {
    "forward": ("activations", "weights"),
    "to_inputs": ("gradients", "weights"),
    "to_weights": ("activations", "gradients"),
}
"""Products of a layer, and the kinds of their operands A and B."""

PRODUCTS = tuple(OPERANDS)


@attrs.frozen
class Use:
    """A tensor in a product, along whose reduction it is grouped. Each use has a precision of its own.

    Parameters
    ----------
    layer : int
        Of the network, from 0.
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
        """A name, as logs have it: ``0.forward.weights``."""
        return f"{self.layer}.{self.product}.{self.kind}"


def uses(layers: int) -> list[Use]:
    """All uses in a step of a network of so many layers; nothing needs the gradient to its first inputs."""
    return [
        Use(layer, product, kind)
        for layer in range(layers)
        for product, kinds in OPERANDS.items()
        for kind in kinds
        if layer or product != "to_inputs"
    ]
