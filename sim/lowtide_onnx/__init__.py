"""ONNX networks with the bits of an engine: precision, cycles and bytes of each layer."""

from lowtide_onnx.errors import (
    EngineDiffers,
    InputError,
    MissingPackage,
    ModelError,
    NodeDiffers,
    NonFinite,
    RefusedNode,
)
from lowtide_onnx.load import load_onnx

__all__ = [
    "EngineDiffers",
    "InputError",
    "MissingPackage",
    "ModelError",
    "NodeDiffers",
    "NonFinite",
    "RefusedNode",
    "load_onnx",
]
