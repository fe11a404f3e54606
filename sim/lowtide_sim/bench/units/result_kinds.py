"""The units that turn an array's results into numbers of a format, and what a bench has to know of each."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from lowtide_sim.bench.models.normalizer import NormalizerModel, normalizer_word
from lowtide_sim.bench.models.requantizer import RequantizerModel, requantizer_word

__all__ = ["ResultKind", "kind_of"]


@attrs.frozen(kw_only=True)
class ResultKind:
    """A kind of unit, alone or for rows.

    Parameters
    ----------
    model : class
        Its model.
    word : function
        Of the model and a generator, a payload with its settings.
    settings : sequence of str
        Ports of the settings.
    flags, counts : sequence of str
        Ports of what is counted: of a unit alone, and of one for rows.
    """

    model: Callable[[dict[str, Any]], Any]
    word: Callable[[Any, Any], Sequence[int]]
    settings: Sequence[str]
    flags: Sequence[str]
    counts: Sequence[str]


def kind_of(sidecar: dict[str, Any]) -> ResultKind:
    """The kind of what was emitted."""
    return _KINDS[sidecar["top"].removeprefix("row_").split("_")[0]]


_KINDS = {
    "normalizer": ResultKind(
        model=NormalizerModel,
        word=normalizer_word,
        settings=["scale"],
        flags=["overflow", "underflow"],
        counts=["overflows", "underflows"],
    ),
    "requantizer": ResultKind(
        model=RequantizerModel,
        word=requantizer_word,
        settings=["multiplier", "shift", "relu", "data_terms"],
        flags=["saturated"],
        counts=["saturations"],
    ),
}
