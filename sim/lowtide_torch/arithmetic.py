"""Modes in which PyTorch's arithmetic is exact enough for the hardware's bits."""

from typing import Any

import torch

from lowtide_torch.errors import UnsafeArithmetic

__all__ = ["check_arithmetic"]


def check_arithmetic(device: torch.device, layer: str = "") -> None:
    """Refuse modes in which PyTorch rounds float32 products.

    Raises
    ------
    UnsafeArithmetic
        If TF32 or bfloat16 may replace float32 in products, or PyTorch flushes subnormal numbers.
    """
    where = f"layer {layer!r}: " if layer else ""
    if torch.get_float32_matmul_precision() != "highest":
        raise UnsafeArithmetic(
            f"{where}float32 products must be exact: call torch.set_float32_matmul_precision('highest')"
        )
    backends: list[tuple[str, Any]] = [("mkldnn.matmul", torch.backends.mkldnn), ("mkldnn.conv", torch.backends.mkldnn)]
    if device.type == "cuda":
        backends = [("cuda.matmul", torch.backends.cuda)]  # no convolution of cuDNN is called
    for name, backend in backends:
        precision = getattr(getattr(backend, name.split(".")[1], None), "fp32_precision", "none")
        if precision not in ("none", "ieee"):
            raise UnsafeArithmetic(
                f"{where}float32 products must be exact: set torch.backends.{name}.fp32_precision = 'ieee',"
                f" not {precision!r}"
            )
