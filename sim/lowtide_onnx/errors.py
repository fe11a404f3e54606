"""Errors of ONNX networks on an engine; each message is one line that names the node, the input or the key."""

from lowtide.errors import LowtideError

__all__ = ["EngineDiffers", "InputError", "MissingPackage", "ModelError", "NodeDiffers", "NonFinite", "RefusedNode"]


class MissingPackage(LowtideError, ImportError):
    """A package of an extra is not installed."""


class ModelError(LowtideError, ValueError):
    """A file that is not a legal ONNX model, or that onnxruntime cannot run."""


class InputError(LowtideError, ValueError):
    """Inputs whose names, shapes or types differ from the model's inputs."""


class RefusedNode(LowtideError, TypeError):
    """A node with products that no engine computes, and that the precision does not leave to the host."""


class NonFinite(LowtideError, ArithmeticError):
    """An operand or an input has a NaN or an infinity."""


class NodeDiffers(LowtideError, AssertionError):
    """A node's output differs from onnxruntime's output of the same node."""


class EngineDiffers(LowtideError, ValueError):
    """An engine has another configuration than the network."""
