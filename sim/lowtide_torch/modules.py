"""Modules whose products have the engine's bits: linear and convolution layers."""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from lowtide_torch.convolution import convolve
from lowtide_torch.products import linear
from lowtide_torch.site import LayerState, Site

__all__ = ["EngineConv1d", "EngineConv2d", "EngineLinear", "OnEngine"]


class OnEngine:
    """A module on an engine: its `LayerState` is part of the module's ``state_dict``."""

    lowtide: LayerState

    def get_extra_state(self) -> dict[str, Any]:
        """State for a checkpoint: engine, settings, counts of calls, and measurements."""
        return self.lowtide.saved()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore the state of a checkpoint; raises `CheckpointError` for another engine or other settings."""
        self.lowtide.load(state)


class EngineLinear(OnEngine, nn.Linear):
    """`torch.nn.Linear` on an engine; the host adds the bias in FP32."""

    def forward(self, input: Tensor) -> Tensor:
        y = linear(input, self.weight, Site(self.lowtide), self.training)
        return y if self.bias is None else y + self.bias


class EngineConv2d(OnEngine, nn.Conv2d):
    """`torch.nn.Conv2d` on an engine; the host pads the images and adds the bias in FP32."""

    def forward(self, input: Tensor) -> Tensor:
        batched = input if input.dim() == 4 else input[None]
        padding = _padding(self)
        if self.padding_mode != "zeros" or padding is None:
            mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
            batched, padding = functional.pad(batched, self._reversed_padding_repeated_twice, mode=mode), (0, 0)
        y = convolve(
            batched,
            self.weight,
            Site(self.lowtide),
            self.training,
            stride=_pair(self.stride),
            padding=padding,
            dilation=_pair(self.dilation),
            groups=self.groups,
        )
        y = y if self.bias is None else y + self.bias[:, None, None]
        return y if input.dim() == 4 else y[0]


class EngineConv1d(OnEngine, nn.Conv1d):
    """`torch.nn.Conv1d` on an engine: images of one row."""

    def forward(self, input: Tensor) -> Tensor:
        batched = input if input.dim() == 3 else input[None]
        padding = _padding(self)
        if self.padding_mode != "zeros" or padding is None:
            mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
            batched, padding = functional.pad(batched, self._reversed_padding_repeated_twice, mode=mode), (0,)
        y = convolve(
            batched[:, :, None],
            self.weight[:, :, None],
            Site(self.lowtide),
            self.training,
            stride=(1, self.stride[0]),
            padding=(0, padding[0]),
            dilation=(1, self.dilation[0]),
            groups=self.groups,
        )[:, :, 0]
        y = y if self.bias is None else y + self.bias[:, None]
        return y if input.dim() == 3 else y[0]


def _padding(module: nn.Conv1d | nn.Conv2d) -> Any:
    """Padding per axis; None for ``same``, which may differ between sides."""
    if module.padding == "valid":
        return (0,) * len(module.kernel_size)
    return None if isinstance(module.padding, str) else module.padding


def _pair(values: tuple[int, ...]) -> tuple[int, int]:
    return values[0], values[1]
