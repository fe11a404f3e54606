"""Recurrent layers whose products have the engine's bits."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from lowtide_torch.errors import UnsupportedLayer
from lowtide_torch.modules import OnEngine
from lowtide_torch.products import linear
from lowtide_torch.site import Site

__all__ = ["EngineGRU", "EngineLSTM"]


class _Recurrent(OnEngine, nn.RNNBase):
    """Layers and directions of a recurrent network.

    One product has the inputs of all steps of time; each step has one product of its hidden state. The host adds
    biases and computes the gates in FP32.
    """

    def _run(self, x: Tensor, first: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Outputs and last states; states have the shape (layers * directions, N, hidden)."""
        x = x.transpose(0, 1) if self.batch_first else x
        directions = 2 if self.bidirectional else 1
        last: list[list[Tensor]] = []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                place = layer * directions + direction
                y, states = self._direction(x, [one[place] for one in first], layer, direction)
                outputs.append(y)
                last.append(states)
            x = torch.cat(outputs, -1) if directions == 2 else outputs[0]
            if layer < self.num_layers - 1:
                x = functional.dropout(x, self.dropout, self.training)
        x = x.transpose(0, 1) if self.batch_first else x
        return x, [torch.stack(states) for states in zip(*last, strict=True)]

    def _direction(self, x: Tensor, states: list[Tensor], layer: int, direction: int) -> tuple[Tensor, list[Tensor]]:
        suffix = f"l{layer}" + ("_reverse" if direction else "")
        number = 2 * (layer * (2 if self.bidirectional else 1) + direction)
        sites = Site(self.lowtide, f"ih_{suffix}", number), Site(self.lowtide, f"hh_{suffix}", number + 1)
        gates = linear(x, getattr(self, f"weight_ih_{suffix}"), sites[0], self.training)
        weight = getattr(self, f"weight_hh_{suffix}")
        input_bias = getattr(self, f"bias_ih_{suffix}") if self.bias else None
        hidden_bias = getattr(self, f"bias_hh_{suffix}") if self.bias else None
        gates = gates if input_bias is None else gates + input_bias
        outputs = []
        for one in reversed(gates.unbind()) if direction else gates.unbind():
            hidden = linear(states[0], weight, sites[1], self.training)
            hidden = hidden if hidden_bias is None else hidden + hidden_bias
            states = self._step(one, hidden, states)
            outputs.append(states[0])
        return torch.stack(outputs[::-1] if direction else outputs), states

    def _step(self, gates: Tensor, hidden: Tensor, states: list[Tensor]) -> list[Tensor]:
        raise NotImplementedError

    def _check(self, x: Any) -> None:
        if isinstance(x, PackedSequence):
            raise UnsupportedLayer(
                f"layer {self.lowtide.name!r}: a PackedSequence is not supported: pad the sequences to one length"
            )

    def _zeros(self, x: Tensor) -> Tensor:
        count = x.shape[0 if self.batch_first else 1]
        directions = 2 if self.bidirectional else 1
        return x.new_zeros(self.num_layers * directions, count, self.hidden_size)


class EngineLSTM(_Recurrent, nn.LSTM):
    """`torch.nn.LSTM` on an engine."""

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        self._check(input)
        if input.dim() == 2:
            hx = None if hx is None else tuple(one[:, None] for one in hx)
            y, (h, c) = self.forward(input[None] if self.batch_first else input[:, None], hx)
            return (y[0] if self.batch_first else y[:, 0]), (h[:, 0], c[:, 0])
        first = [self._zeros(input), self._zeros(input)] if hx is None else list(hx)
        y, last = self._run(input, first)
        return y, tuple(last)

    def _step(self, gates: Tensor, hidden: Tensor, states: list[Tensor]) -> list[Tensor]:
        i, f, g, o = (gates + hidden).chunk(4, -1)
        c = torch.sigmoid(f) * states[1] + torch.sigmoid(i) * torch.tanh(g)
        return [torch.sigmoid(o) * torch.tanh(c), c]


class EngineGRU(_Recurrent, nn.GRU):
    """`torch.nn.GRU` on an engine."""

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        self._check(input)
        if input.dim() == 2:
            y, h = self.forward(
                input[None] if self.batch_first else input[:, None], None if hx is None else hx[:, None]
            )
            return (y[0] if self.batch_first else y[:, 0]), h[:, 0]
        y, last = self._run(input, [self._zeros(input) if hx is None else hx])
        return y, last[0]

    def _step(self, gates: Tensor, hidden: Tensor, states: list[Tensor]) -> list[Tensor]:
        (r, z, n), (hr, hz, hn) = gates.chunk(3, -1), hidden.chunk(3, -1)
        reset, update = torch.sigmoid(r + hr), torch.sigmoid(z + hz)
        new = torch.tanh(n + reset * hn)
        return [(1 - update) * new + update * states[0]]
