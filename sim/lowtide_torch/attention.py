"""Attention whose products have the engine's bits."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowtide_torch.errors import UnsupportedLayer
from lowtide_torch.modules import OnEngine
from lowtide_torch.products import linear, matmul
from lowtide_torch.site import LayerState, Site

__all__ = ["EngineMultiheadAttention", "Matmul", "ScaledDotProductAttention", "attend"]


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    scores: Site,
    values: Site,
    training: bool,
    *,
    mask: Tensor | None = None,
    dropout: float = 0.0,
    scale: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Attention of queries (..., L, E), keys (..., S, E) and values (..., S, V); returns outputs and weights.

    The engine multiplies the scaled queries by the keys, and the weights by the values. The host computes scale, mask,
    softmax and dropout in FP32.
    """
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    found = matmul(query * scale, key.mT, scores, training)
    if mask is not None:
        found = found.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else found + mask
    weights = torch.softmax(found, dim=-1)
    weights = functional.dropout(weights, dropout, training)
    return matmul(weights, value, values, training), weights


class Matmul(nn.Module):
    """``a @ b`` of two activations; on an engine after `quantize_`.

    Use it in place of `torch.matmul` where a network multiplies activations.
    """

    lowtide: LayerState | None = None

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """The product, in FP32 by PyTorch before `quantize_`."""
        return torch.matmul(a, b) if self.lowtide is None else matmul(a, b, Site(self.lowtide), self.training)


class ScaledDotProductAttention(nn.Module):
    """Module in place of `torch.nn.functional.scaled_dot_product_attention`; on an engine after `quantize_`.

    Parameters
    ----------
    dropout : float
        Probability of dropout of the attention weights, while the module is training.
    causal : bool
        Whether a query attends only to keys up to its own place.
    """

    lowtide: LayerState | None = None

    def __init__(self, dropout: float = 0.0, causal: bool = False):
        super().__init__()
        self.dropout, self.causal = dropout, causal

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """Outputs (..., L, V); a mask is boolean, true where a query attends, or added to the scores."""
        if self.lowtide is None:
            dropout = self.dropout if self.training else 0.0
            return functional.scaled_dot_product_attention(query, key, value, mask, dropout, self.causal)
        if self.causal:
            if mask is not None:
                raise UnsupportedLayer(f"layer {self.lowtide.name!r}: a causal attention takes no mask: combine them")
            mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device).tril()
        sites = Site(self.lowtide, "scores", 0), Site(self.lowtide, "values", 1)
        return attend(query, key, value, *sites, self.training, mask=mask, dropout=self.dropout)[0]


class EngineMatmul(OnEngine, Matmul):
    """`Matmul` on an engine."""


class EngineScaledDotProductAttention(OnEngine, ScaledDotProductAttention):
    """`ScaledDotProductAttention` on an engine."""


class EngineMultiheadAttention(OnEngine, nn.MultiheadAttention):
    """`torch.nn.MultiheadAttention` on an engine: its four projections and both products of attention."""

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        if is_causal and attn_mask is None:
            raise UnsupportedLayer(f"layer {self.lowtide.name!r}: is_causal needs attn_mask, as in PyTorch")
        batched = query.dim() == 3
        if not batched:
            query, key, value = query[None], key[None], value[None]
            key_padding_mask = None if key_padding_mask is None else key_padding_mask[None]
        elif not self.batch_first:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        q, k, v = (
            self._projected(x, number).unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2)
            for number, x in enumerate((query, key, value))
        )
        mask = self._mask(attn_mask, key_padding_mask, len(query), query.dtype)
        sites = Site(self.lowtide, "scores", 3), Site(self.lowtide, "values", 4)
        found, weights = attend(q, k, v, *sites, self.training, mask=mask, dropout=self.dropout)
        found = found.transpose(1, 2).flatten(-2)
        y = linear(found, self.out_proj.weight, Site(self.lowtide, "out_proj", 5), self.training)
        y = y if self.out_proj.bias is None else y + self.out_proj.bias
        weights = (weights.mean(1) if average_attn_weights else weights) if need_weights else None
        if not batched:
            return y[0], None if weights is None else weights[0]
        return y if self.batch_first else y.transpose(0, 1), weights

    def _projected(self, x: Tensor, number: int) -> Tensor:
        name = ("q_proj", "k_proj", "v_proj")[number]
        if self._qkv_same_embed_dim:
            weight = self.in_proj_weight.chunk(3)[number]
        else:
            weight = getattr(self, f"{name}_weight")
        y = linear(x, weight, Site(self.lowtide, name, number), self.training)
        return y if self.in_proj_bias is None else y + self.in_proj_bias.chunk(3)[number]

    def _mask(self, attention: Tensor | None, padding: Tensor | None, count: int, dtype: torch.dtype) -> Tensor | None:
        """Sum of both masks; true means excluded, as in `torch.nn.MultiheadAttention`."""
        masks = []
        if attention is not None:
            shaped = (
                attention.reshape(count, self.num_heads, *attention.shape[1:]) if attention.dim() == 3 else attention
            )
            masks.append(shaped)
        if padding is not None:
            masks.append(padding[:, None, None])
        floats = [
            torch.zeros_like(mask, dtype=dtype).masked_fill(mask, -math.inf) if mask.dtype == torch.bool else mask
            for mask in masks
        ]
        return sum(floats[1:], floats[0]) if floats else None
