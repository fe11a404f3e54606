"""Networks of PyTorch with the hardware's bits, forward and backward."""

try:
    import torch as _torch
except ModuleNotFoundError as _error:
    from lowtide.errors import LowtideError as _LowtideError

    class MissingTorch(_LowtideError, ModuleNotFoundError):
        """PyTorch is not installed."""

    raise MissingTorch("lowtide_torch needs PyTorch: pip install 'lowtide[torch]'") from _error

from lowtide_torch.attention import Matmul, ScaledDotProductAttention
from lowtide_torch.controller import Controller
from lowtide_torch.engine import Engine
from lowtide_torch.errors import (
    BitsDiffer,
    CheckpointError,
    MissingController,
    NonFinite,
    UnsafeArithmetic,
    UnsupportedLayer,
)
from lowtide_torch.quantize import quantize_
from lowtide_torch.settings import (
    BFP,
    TR,
    FastAdaptive,
    LowThenHigh,
    Nearest,
    Stochastic,
    Truncate,
    TwoSided,
    read_precision,
)

del _torch

__all__ = [
    "BFP",
    "TR",
    "BitsDiffer",
    "CheckpointError",
    "Controller",
    "Engine",
    "FastAdaptive",
    "LowThenHigh",
    "Matmul",
    "MissingController",
    "Nearest",
    "NonFinite",
    "ScaledDotProductAttention",
    "Stochastic",
    "Truncate",
    "TwoSided",
    "UnsafeArithmetic",
    "UnsupportedLayer",
    "quantize_",
    "read_precision",
]
