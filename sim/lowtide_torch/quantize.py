"""Puts the modules of a network on an engine, in place."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from lowtide.formats import IllegalValue
from lowtide.formats.parameter import instance
from lowtide_torch.attention import (
    EngineMatmul,
    EngineMultiheadAttention,
    EngineScaledDotProductAttention,
    Matmul,
    ScaledDotProductAttention,
)
from lowtide_torch.engine import Engine
from lowtide_torch.errors import UnsupportedLayer
from lowtide_torch.modules import EngineConv1d, EngineConv2d, EngineLinear, OnEngine
from lowtide_torch.recurrent import EngineGRU, EngineLSTM
from lowtide_torch.settings import BFP, TR, FastAdaptive, LowThenHigh, Settings, TwoSided
from lowtide_torch.site import LayerState

__all__ = ["quantize_", "states"]

ON_ENGINE: dict[type[nn.Module], type[nn.Module]] = {
    nn.Linear: EngineLinear,
    nn.Conv1d: EngineConv1d,
    nn.Conv2d: EngineConv2d,
    nn.LSTM: EngineLSTM,
    nn.GRU: EngineGRU,
    nn.MultiheadAttention: EngineMultiheadAttention,
    Matmul: EngineMatmul,
    ScaledDotProductAttention: EngineScaledDotProductAttention,
}
"""Supported modules."""

HOST = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.LocalResponseNorm,
    nn.Embedding,
    nn.EmbeddingBag,
    nn.PReLU,
)
"""Modules with parameters that the host computes: they have no matrix products."""


def quantize_(
    model: nn.Module,
    config: Settings | Mapping[str, Settings | None],
    *,
    engine: Engine | str | None = None,
    filter_fn: Callable[[nn.Module, str], bool] | None = None,
) -> dict[str, str]:
    """Put the modules of a network on an engine, in place; parameters, hooks and names stay.

    Parameters
    ----------
    model : torch.nn.Module
        Network.
    config : BFP, FastAdaptive, TwoSided, LowThenHigh or TR, or mapping of str to these or None
        Settings of all modules, or settings by patterns of names, such as ``{"head": None, "*": BFP()}``. The first
        pattern that matches a name applies; None, or no match, leaves a module to the host.
    engine : Engine or str, optional
        Engine, or its configuration; by default, the preset ``default``.
    filter_fn : callable, optional
        Called with each module and its name; a false result leaves the module to the host.

    Returns
    -------
    dict of str to str
        For each module with a product, by name: its settings, or ``host``.

    Raises
    ------
    UnsupportedLayer
        If a selected module has parameters, and its products are not supported.
    IllegalValue
        If the engine does not have the precision of the settings.
    """
    instance("model", model, nn.Module)
    engine = engine if isinstance(engine, Engine) else Engine("default" if engine is None else engine)
    patterns = config if isinstance(config, Mapping) else {"*": config}
    for pattern, settings in patterns.items():
        if settings is not None:
            kinds = (BFP, FastAdaptive, TwoSided, LowThenHigh, TR)
            names = "BFP, FastAdaptive, TwoSided, LowThenHigh or TR, or None"
            instance(f"config[{pattern!r}]", settings, kinds, names)  # type: ignore
            settings.check(engine.config.bfp)
    chosen: list[tuple[str, nn.Module, Settings]] = []
    report: dict[str, str] = {}
    inside: list[str] = []
    for name, module in model.named_modules():
        if any(name.startswith(outer) for outer in inside):
            continue
        settings = next((found for pattern, found in patterns.items() if fnmatchcase(name, pattern)), None)
        if filter_fn is not None and not filter_fn(module, name):
            settings = None
        if isinstance(module, nn.MultiheadAttention):
            inside.append(f"{name}." if name else "")
        if type(module) in ON_ENGINE:
            report[name] = "host" if settings is None else repr(settings)
            if settings is not None:
                _check(name, module)
                chosen.append((name, module, settings))
        elif isinstance(module, OnEngine):
            raise UnsupportedLayer(f"layer {name!r} is on an engine already: quantize a model once")
        elif settings is not None and _multiplies(module):
            supported = ", ".join(kind.__name__ for kind in ON_ENGINE)
            raise UnsupportedLayer(
                f"layer {name!r}: {type(module).__name__} is not supported: leave it to the host by filter_fn, or"
                f" build it of {supported}"
            )
    if not chosen:
        raise IllegalValue("config and filter_fn", "a selection of at least one supported module", list(patterns))
    for number, (name, module, settings) in enumerate(chosen):
        module.__class__ = ON_ENGINE[type(module)]
        state = LayerState(engine=engine, settings=settings, name=name, number=number, layers=len(chosen))
        object.__setattr__(module, "lowtide", state)
    for module in model.modules():
        if isinstance(module, nn.TransformerEncoderLayer):
            # The fused inference path of PyTorch would multiply without the submodules.
            module.activation_relu_or_gelu = 0
        if isinstance(module, nn.TransformerEncoder):
            module.use_nested_tensor = False
    return report


def states(model: nn.Module) -> list[LayerState]:
    """States of all modules on an engine, in the order of their numbers."""
    found = [module.lowtide for module in model.modules() if isinstance(module, OnEngine)]
    return sorted(found, key=lambda state: state.number)


def _multiplies(module: nn.Module) -> bool:
    """Whether a module has parameters that may be multiplied: any but a vector, unless the host computes the module."""
    if isinstance(module, HOST):
        return False
    return any(is_lazy(parameter) or parameter.dim() > 1 for parameter in module.parameters(recurse=False))


def _check(name: str, module: Any) -> None:
    """Refuse options of a supported module that are not supported."""
    for parameter in module.parameters(recurse=True):
        if parameter.dtype != torch.float32:
            raise UnsupportedLayer(
                f"layer {name!r}: parameters must be of float32, not {str(parameter.dtype).removeprefix('torch.')}:"
                " call .float() before quantize_"
            )
    if isinstance(module, nn.LSTM) and module.proj_size:
        raise UnsupportedLayer(f"layer {name!r}: proj_size of an LSTM must be 0, not {module.proj_size}")
    if isinstance(module, nn.MultiheadAttention) and (module.bias_k is not None or module.add_zero_attn):
        raise UnsupportedLayer(f"layer {name!r}: add_bias_kv and add_zero_attn are not supported: leave it to the host")
