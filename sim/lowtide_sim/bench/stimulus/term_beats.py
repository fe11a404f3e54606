"""Stimulus: products as beats of an array that multiplies terms, with data and term queues prepared in advance."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lowtide_model.terms import TermQueue, reveal_data, term_queue
from lowtide_sim.bench.stimulus.fields import pack
from lowtide_sim.bench.stimulus.tiles import Tile

__all__ = ["term_tiles"]

Word = dict[str, Any]
BeatWords = list[list[Word]]  # words of all rows or columns, per beat


def term_tiles(
    sidecar: dict[str, Any],
    products: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    group: int,
    budget: int,
    data_terms: int,
) -> list[Tile]:
    """Tiles of consecutive products: while the terms of a group are sent, the data of the next group are written.

    Parameters
    ----------
    sidecar : dict
        Sidecar of an array of ``tmac`` or ``pair_mac``.
    products : sequence of (rows × K, K × columns)
        Data and weights, integers.
    group, budget, data_terms : int
        ``g``, ``k`` and ``s``.
    """
    groups: list[tuple[BeatWords, BeatWords, bool]] = []
    for a, b in products:
        data, weights = _groups(sidecar, a, b, group, budget, data_terms)
        groups += [(x, y, n == len(data) - 1) for n, (x, y) in enumerate(zip(data, weights, strict=True))]
    tiles, beats = [], [(words, None) for words in _in_bank(groups[0][0], 0)]
    for n, (_, terms, ends) in enumerate(groups):
        next_data = _in_bank(groups[n + 1][0], (n + 1) % 2) if n + 1 < len(groups) else []
        own_terms = _in_bank(terms, n % 2)
        beats += [
            (next_data[i] if i < len(next_data) else None, own_terms[i] if i < len(own_terms) else None)
            for i in range(max(len(next_data), len(own_terms)))
        ]
        if ends:
            tiles.append(_tile(sidecar, beats))
            beats = []
    return tiles


def _groups(
    sidecar: dict[str, Any], a: np.ndarray, b: np.ndarray, group: int, budget: int, data_terms: int
) -> tuple[list[BeatWords], list[BeatWords]]:
    """For each group, the words of its data and the words of its weights' terms, one list per beat."""
    configuration = sidecar["configuration"]
    terms, pairs = configuration["terms"], configuration["array"]["element"] == "pair_mac"
    form = {"width": terms["width"], "encoding": terms["encoding"]}
    queue = term_queue(b.T, group=group, budget=budget, **form)
    a = np.pad(a, [(0, 0), (0, -a.shape[1] % group)])
    cut = a.reshape(len(a), -1, group)
    numbers = range(cut.shape[1])
    if pairs:
        own, most = term_queue(a, group=1, budget=data_terms, **form), terms["data_terms"]
        return [_data_terms(own, n, group, most) for n in numbers], [
            _paired(queue, n, data_terms, most, terms["parallel"]) for n in numbers
        ]
    left = reveal_data(cut, terms=data_terms, **form)
    return [_values(left[:, n], terms["values"]) for n in numbers], [
        _queued(queue, n, terms["parallel"]) for n in numbers
    ]


def _values(values: np.ndarray, each: int) -> BeatWords:
    rows, group = values.shape
    padded = np.pad(values, [(0, 0), (0, -group % each)])
    return [
        [
            {"slot": slot, "write": 1, "value": {str(j): int(padded[row, slot * each + j]) for j in range(each)}}
            for row in range(rows)
        ]
        for slot in range(padded.shape[1] // each)
    ]


def _data_terms(own: TermQueue, n: int, group: int, most: int) -> BeatWords:
    """Terms of a group's values, one per beat."""
    return [
        [
            {"slot": i * most + j, "write": 1} | _term(own, (row, n * group + i, j))
            for row in range(own.exponent.shape[0])
        ]
        for i in range(group)
        for j in range(own.exponent.shape[-1])
    ]


def _queued(queue: TermQueue, n: int, each: int) -> BeatWords:
    """Terms of a group's weights, ``each`` per beat."""
    columns, _, budget = queue.exponent.shape
    return [
        [
            {"term": {str(j): _weight(queue, column, n, k + j) for j in range(min(each, budget - k))}}
            for column in range(columns)
        ]
        for k in range(0, budget, each)
    ]


def _paired(queue: TermQueue, n: int, data_terms: int, most: int, each: int) -> BeatWords:
    """Terms of a group's weights, each paired with all terms of its value, ``each`` pairs per beat."""
    columns, _, budget = queue.exponent.shape
    beats: BeatWords = [[] for _ in range(-(-budget * data_terms // each))]
    for column in range(columns):
        words = [_weight(queue, column, n, k) for k in range(budget)]
        pairs = [word | {"slot": word["index"] * most + j} for word in words for j in range(data_terms)]
        for beat, first in zip(beats, range(0, len(pairs), each), strict=True):
            beat.append({"pair": {str(i): pair for i, pair in enumerate(pairs[first : first + each])}})
    return beats


def _weight(queue: TermQueue, column: int, n: int, k: int) -> Word:
    return _term(queue, (column, n, k)) | {"index": int(queue.index[column, n, k])}


def _term(queue: TermQueue, place: tuple[int, ...]) -> Word:
    return {name: int(getattr(queue, name)[place]) for name in ("exponent", "negative", "nonzero")}


def _in_bank(beats: BeatWords, bank: int) -> BeatWords:
    return [[word | {"bank": bank} for word in words] for words in beats]


def _tile(sidecar: dict[str, Any], beats: list[tuple[list[Word] | None, list[Word] | None]]) -> Tile:
    def side(name: str, n: int) -> list[tuple[int, bool]]:
        layout = sidecar[f"word_{name}"]
        return [
            (
                sum(pack(word, layout) << i * layout["bits"] for i, word in enumerate(beat[n] or [])),
                number == len(beats) - 1,
            )
            for number, beat in enumerate(beats)
        ]

    return Tile(side("a", 0), side("b", 1))
