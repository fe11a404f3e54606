"""Settings of networks: precision and rounding of each operand."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import attrs

from lowtide.engine.operand import ROUNDINGS
from lowtide.formats import Bfp, IllegalValue
from lowtide.formats.parameter import instance, parameter, real_number, whole_number
from lowtide.formats.terms import ENCODINGS, Terms
from lowtide_model import precision_file

__all__ = [
    "BFP",
    "KINDS",
    "TR",
    "FastAdaptive",
    "LowThenHigh",
    "Nearest",
    "Rounded",
    "Settings",
    "Stochastic",
    "Truncate",
    "TwoSided",
    "VariablePrecision",
    "read_precision",
]

KINDS = ("weights", "activations", "gradients")
"""Kinds of operands."""

LEGAL_SEEDS = range(2**32)


@attrs.frozen
class Rounded:
    """Conversion of an operand: bits of a magnitude, and rounding.

    Parameters
    ----------
    bits : int
        Width of a magnitude in bits, a multiple of the engine's chunks. Settings of variable precision ignore it.
    rounding : str
        ``truncate``; ``nearest``, ties away from zero; or ``stochastic``.
    """

    bits: int = parameter(4, range(1, 13), "width of a magnitude in bits")
    rounding: str = parameter("nearest", ROUNDINGS, "rounding of magnitudes")


def Nearest(bits: int = 4) -> Rounded:
    """Rounding to nearest, ties away from zero."""
    return Rounded(bits, "nearest")


def Truncate(bits: int = 4) -> Rounded:
    """Rounding down of magnitudes."""
    return Rounded(bits, "truncate")


def Stochastic(bits: int = 4) -> Rounded:
    """Stochastic rounding with the engine's random words."""
    return Rounded(bits, "stochastic")


def _rounded(value: Any, field: attrs.Attribute) -> Rounded:
    return instance(field.name, value, Rounded, "Nearest(...), Truncate(...) or Stochastic(...)")


ROUNDED = attrs.Converter(_rounded, takes_field=True)  # type: ignore[misc]
DEFAULT, RANDOM = Rounded(4, "nearest"), Rounded(4, "stochastic")


def _seed(value: Any) -> int:
    return whole_number("seed", value, LEGAL_SEEDS)


def _up_to(most: float) -> Any:
    """Converter of a number from 0."""
    return attrs.Converter(lambda value, field: real_number(field.name, value, 0, most), takes_field=True)


RATIO, SHARE = _up_to(3), _up_to(1)


def _kinds(value: Any) -> tuple[str, ...]:
    if isinstance(value, Collection) and not isinstance(value, str) and value and set(value) <= set(KINDS):
        return tuple(kind for kind in KINDS if kind in value)
    raise IllegalValue("kinds", f"one or more of {', '.join(KINDS)}", value)


@attrs.frozen(kw_only=True)
class BFP:
    """Block floating point of constant precision.

    Parameters
    ----------
    weights, activations, gradients : Rounded
        Conversion of each kind of operand.
    seed : int
        Seed of all random words.
    """

    weights: Rounded = attrs.field(default=DEFAULT, converter=ROUNDED)
    activations: Rounded = attrs.field(default=DEFAULT, converter=ROUNDED)
    gradients: Rounded = attrs.field(default=RANDOM, converter=ROUNDED)
    seed: int = attrs.field(default=0, converter=_seed)

    def check(self, bfp: Bfp) -> None:
        """Refuse a precision that an engine does not have.

        Raises
        ------
        IllegalValue
            If a width is not a multiple of both chunks of the engine, or exceeds its mantissa.
        """
        for kind in KINDS:
            step = max(bfp.chunk_a, bfp.chunk_b)
            widths = [bits for bits in range(step, bfp.mantissa + 1) if not (bits % bfp.chunk_a or bits % bfp.chunk_b)]
            because = f"chunks of {bfp.chunk_a} and {bfp.chunk_b} bits, bfp.mantissa = {bfp.mantissa}"
            whole_number(f"bits of {kind}", getattr(self, kind).bits, widths, because=because)


@attrs.frozen(kw_only=True)
class _OneOrTwoChunks:
    """Operands of settings whose precision changes between one chunk and two."""

    weights: Rounded = attrs.field(default=DEFAULT, converter=ROUNDED)
    activations: Rounded = attrs.field(default=DEFAULT, converter=ROUNDED)
    gradients: Rounded = attrs.field(default=RANDOM, converter=ROUNDED)
    seed: int = attrs.field(default=0, converter=_seed)

    def check(self, bfp: Bfp) -> None:
        """Refuse an engine whose magnitudes have one chunk only.

        Raises
        ------
        IllegalValue
            If ``bfp.mantissa`` is less than two chunks.
        """
        least = 2 * max(bfp.chunk_a, bfp.chunk_b)
        if bfp.mantissa < least:
            raise IllegalValue("bfp.mantissa", f"{least} or more, two chunks, for {type(self).__name__}", bfp.mantissa)


@attrs.frozen(kw_only=True)
class FastAdaptive(_OneOrTwoChunks):
    """FAST-Adaptive: two chunks where the relative improvement exceeds a threshold, otherwise one.

    The threshold of layer ``l`` of ``L`` in step ``i`` of ``I`` is ``alpha - beta * i / I - beta * l / L``. The engine
    measures the improvement while it loads an operand, so a decision holds for the next step. The first step has two
    chunks.

    Parameters
    ----------
    alpha : float
        Threshold at the start, from 0 to 3.
    beta : float
        Decrease over all steps, and over all layers.
    kinds : collection of str
        Kinds of operands whose precision adapts: ``weights``, ``activations``, ``gradients``. The others always have
        two chunks.
    weights, activations, gradients : Rounded
        Rounding of each kind of operand; its ``bits`` are ignored.
    seed : int
        Seed of all random words.
    """

    alpha: float = attrs.field(default=0.5, converter=RATIO)
    beta: float = attrs.field(default=0.3, converter=RATIO)
    kinds: tuple[str, ...] = attrs.field(default=KINDS, converter=_kinds)


@attrs.frozen(kw_only=True)
class TwoSided(_OneOrTwoChunks):
    """Hysteresis: two chunks above one threshold of the relative improvement, one chunk below another.

    Between the thresholds, the precision does not change. A decision holds for the next training call of the operand.
    The first call has two chunks.

    Parameters
    ----------
    low, high : float
        Thresholds for one chunk and for two chunks, from 0 to 3.
    hold : int
        Minimum training calls between two changes.
    kinds : collection of str
        Kinds of operands whose precision adapts: ``weights``, ``activations``, ``gradients``. The others always have
        two chunks.
    weights, activations, gradients : Rounded
        Rounding of each kind of operand; its ``bits`` are ignored.
    seed : int
        Seed of all random words.
    """

    low: float = attrs.field(default=0.25, converter=RATIO)
    high: float = attrs.field(default=0.35, converter=RATIO)
    hold: int = parameter(5, range(1, 10**6 + 1), "minimum training calls between two changes")
    kinds: tuple[str, ...] = attrs.field(default=KINDS, converter=_kinds)

    def __attrs_post_init__(self):
        if self.low > self.high:
            raise IllegalValue("low", f"at most high, {self.high:g}", self.low)


@attrs.frozen(kw_only=True)
class LowThenHigh(_OneOrTwoChunks):
    """One chunk for a share of the training, then two: nothing is measured.

    Step ``i`` of ``I``, from 0, has one chunk if ``i < share * I``. A `Controller` counts the steps.

    Parameters
    ----------
    share : float
        Share of the steps with one chunk, from 0 to 1.
    kinds : collection of str
        Kinds of operands that start with one chunk: ``weights``, ``activations``, ``gradients``. The others always
        have two chunks. Gradients of one chunk slow down the training of transformers.
    weights, activations, gradients : Rounded
        Rounding of each kind of operand; its ``bits`` are ignored.
    seed : int
        Seed of all random words.
    """

    share: float = attrs.field(default=0.25, converter=SHARE)
    kinds: tuple[str, ...] = attrs.field(default=("weights", "activations"), converter=_kinds)


@attrs.frozen(kw_only=True)
class TR:
    """Term revealing: integers whose weights keep the largest terms of a group, and whose data the largest of a value.

    Only forward products of weights are revealed. Gradients pass as if integers were not rounded (straight-through),
    in FP32 on the host.

    Parameters
    ----------
    width : int
        Width of an integer in bits.
    group, budget : int
        Weights per group along K, ``g``, and terms kept per group, ``k``.
    data_terms : int
        Terms kept per value of the data, ``s``.
    encoding : str
        Encoding of magnitudes: ``binary``, ``booth`` or ``hese``.
    """

    width: int = parameter(8, range(2, 17), "width of an integer in bits")
    group: int = parameter(8, range(1, 65), "weights per group, g")
    budget: int = parameter(16, range(1, 1025), "terms kept per group, k")
    data_terms: int = parameter(4, range(1, 17), "terms kept per value of the data, s")
    encoding: str = parameter("hese", ENCODINGS, "encoding of a magnitude into digits")
    seed = 0

    def check(self, bfp: Bfp) -> None:
        """Refuse budgets that no array of terms has.

        Raises
        ------
        IllegalValue
            If a budget exceeds the terms of its values.
        """
        del bfp
        Terms(
            width=self.width,
            encoding=self.encoding,
            group=self.group,
            budget=self.budget,
            data_terms=self.data_terms,
        )


VariablePrecision = FastAdaptive | TwoSided | LowThenHigh
"""Settings whose precision changes during a training."""

Settings = BFP | VariablePrecision | TR
"""Settings of a layer; None leaves the layer to the host."""


def read_precision(file: str | Path, gradients: Rounded | None = None) -> dict[str, BFP | None]:
    """Settings of layers from a precision file, such as `lowtide study layer-precision` writes: see `quantize_`.

    Weights and activations are rounded to nearest.

    Parameters
    ----------
    file : str or Path
        TOML file: see `lowtide_model.precision_file.read_precision`.
    gradients : Rounded, optional
        Conversion of gradients; by default, as in `BFP`.

    Raises
    ------
    LowtideError
        If the file cannot be read, or has other contents.
    """
    others = {} if gradients is None else {"gradients": gradients}
    return {
        name: None if bits is None else BFP(activations=Nearest(bits[0]), weights=Nearest(bits[1]), **others)
        for name, bits in precision_file.read_precision(file).items()
    }
