"""Errors of networks with the hardware's bits; each message is one line that names the module."""

from lowtide.errors import LowtideError

__all__ = ["BitsDiffer", "CheckpointError", "MissingController", "NonFinite", "UnsafeArithmetic", "UnsupportedLayer"]


class UnsupportedLayer(LowtideError, TypeError):
    """A module, a data type or a call that `lowtide_torch` cannot compute with the hardware's bits."""


class NonFinite(LowtideError, ArithmeticError):
    """An operand has a NaN or an infinity."""


class MissingController(LowtideError, RuntimeError):
    """Settings depend on the steps of a training that no `Controller` counts."""


class UnsafeArithmetic(LowtideError, RuntimeError):
    """PyTorch is set to an arithmetic that is not exact, such as TF32."""


class BitsDiffer(LowtideError, AssertionError):
    """A product differs from the product of the reference engine."""


class CheckpointError(LowtideError, ValueError):
    """A checkpoint belongs to another engine or to another configuration."""
