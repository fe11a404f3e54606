"""Stimulus: tiles of random and extreme operands, as beats of both streams; tensors as beats."""

import random
from typing import Any, NamedTuple

import numpy as np

from lowtide_model import BfpTensor, Chunk, chunks

__all__ = ["Side", "Tile", "Tiles", "streamed", "tile"]

Beats = list[tuple[int, bool]]


class Tile(NamedTuple):
    """Beats of A and of B, equally many, with ``tlast`` on the last."""

    a: Beats
    b: Beats


class Side:
    """Generates the beats of one stream.

    Parameters
    ----------
    sidecar : dict
        Sidecar of the array.
    side : str
        ``a`` or ``b``.
    rng : random.Random
        Generator of the operands.
    """

    def __init__(self, sidecar: dict[str, Any], side: str, rng: random.Random):
        configuration = sidecar["configuration"]
        self.bfp, self.rng = configuration["bfp"], rng
        self.words = configuration["array"]["rows" if side == "a" else "columns"]
        self.fields = fields = sidecar[f"word_{side}"]
        self.lanes, self.chunk = self.bfp["lanes"], self.bfp[f"chunk_{side}"]
        self.most_chunks = self.bfp["mantissa"] // self.chunk
        self.top_code = 2 ** self.bfp["exponent"] - 1
        self.signs = self._every_lane(1 << fields["sign_bit"])
        self.magnitudes = self._every_lane((1 << fields["magnitude_bits"]) - 1)

    def group(self, chunks: int, used: int, codes: str, magnitudes: str) -> list[int]:
        """One beat per chunk of a group in every word; lanes from index ``used`` are padding."""
        padding = (-1 << used * self.fields["lane_bits"]) & self.magnitudes
        codes_of_words = [self._code(codes) for _ in range(self.words)]
        return [
            self._beat([self._lanes(magnitudes) & ~padding for _ in range(self.words)], codes_of_words, below)
            for below in range((chunks - 1) * self.chunk, -1, -self.chunk)
        ]

    def largest(self, used: int, negative: list[bool]) -> list[int]:
        """All chunks of the largest group, with one sign per word."""
        lanes = (1 << used * self.fields["lane_bits"]) - 1
        bits = [lanes & (self.magnitudes | (self.signs if sign else 0)) for sign in negative]
        below = range((self.most_chunks - 1) * self.chunk, -1, -self.chunk)
        return [self._beat(bits, [self.top_code] * self.words, n) for n in below]

    def _every_lane(self, bits: int) -> int:
        return sum(bits << lane * self.fields["lane_bits"] for lane in range(self.lanes))

    def _code(self, kind: str) -> int:
        choices = {"low": 0, "top": self.top_code, "ends": self.rng.choice((0, self.top_code))}
        return choices[kind] if kind in choices else self.rng.randint(0, self.top_code)

    def _lanes(self, kind: str) -> int:
        bits = self.rng.getrandbits(self.lanes * self.fields["lane_bits"])
        if kind == "sparse":
            kind = self.rng.choice(("zero", "largest", "any"))
        if kind == "zero":
            return bits & self.signs  # zeros may have any sign
        return bits | self.magnitudes if kind == "largest" else bits

    def _beat(self, lanes: list[int], codes: list[int], below: int) -> int:
        beat = 0
        for n, (bits, code) in enumerate(zip(lanes, codes, strict=True)):
            beat |= (bits | code + below << self.fields["exponent_from_bit"]) << n * self.fields["bits"]
        return beat


class Tiles:
    """Generates tiles for an array of FMACs.

    Parameters
    ----------
    sidecar : dict
        Sidecar of the array.
    rng : random.Random
        Generator of the operands.
    """

    def __init__(self, sidecar: dict[str, Any], rng: random.Random):
        self.a, self.b = Side(sidecar, "a", rng), Side(sidecar, "b", rng)
        self.rng, self.lanes, self.max_k = rng, sidecar["configuration"]["bfp"]["lanes"], self.a.bfp["max_k"]
        self.max_groups = -(-self.max_k // self.lanes)

    def reset(self) -> None:
        """Do nothing: there is no state."""

    def random(self) -> Tile:
        """A tile of random precisions, length and kind of operands."""
        rng = self.rng
        groups = rng.choice((1, 1, 2, 3, rng.randint(1, 12)))
        chunks_a, chunks_b = rng.randint(1, self.a.most_chunks), rng.randint(1, self.b.most_chunks)
        codes = rng.choice(("any", "any", "ends", "top", "low"))
        magnitudes = rng.choice(("any", "any", "sparse", "largest", "zero"))
        pairs = []
        for used in self._used_lanes(min(groups, self.max_groups)):
            a = self.a.group(chunks_a, used, codes, magnitudes)
            b = self.b.group(chunks_b, used, codes, magnitudes)
            pairs += [(x, y) for x in a for y in b]
        if rng.random() < 0.5:
            rng.shuffle(pairs)
        return tile(pairs)

    def of_beats(self, beats: int) -> Tile:
        """A tile of ``beats`` beats, each with one chunk."""
        pairs = [
            (self.a.group(1, self.lanes, "any", "any")[0], self.b.group(1, self.lanes, "any", "any")[0])
            for _ in range(beats)
        ]
        return tile(pairs)

    def largest(self, negative: bool) -> Tile:
        """The longest tile of the largest operands, whose sums are the limits of the accumulator's range.

        The sums of rows alternate in sign; the sum of row 0 is negative if ``negative`` is set.
        """
        signs = [bool(row & 1) != negative for row in range(self.a.words)]
        pairs = []
        used_lanes = [self.lanes] * (self.max_groups - 1) + [self.max_k - self.lanes * (self.max_groups - 1)]
        for used in used_lanes:
            a, b = self.a.largest(used, signs), self.b.largest(used, [False] * self.b.words)
            pairs += [(x, y) for x in a for y in b]
        return tile(pairs)

    def _used_lanes(self, groups: int) -> list[int]:
        """Lanes without padding, per group: all lanes, except in the last group."""
        most = min(self.lanes, self.max_k - self.lanes * (groups - 1))
        last = most if self.rng.random() < 0.5 else self.rng.randint(1, most)
        return [self.lanes] * (groups - 1) + [last]


def tile(pairs: list[tuple[int, int]]) -> Tile:
    """A tile from pairs of beats of A and B."""
    ends = [False] * (len(pairs) - 1) + [True]
    return Tile(
        [(a, end) for (a, _), end in zip(pairs, ends, strict=True)],
        [(b, end) for (_, b), end in zip(pairs, ends, strict=True)],
    )


def streamed(tensor: BfpTensor, lanes: int, fields: dict[str, int], chunk: int) -> list[list[int]]:
    """A matrix of the golden model as beats: one beat per chunk of each group of ``lanes`` elements.

    Parameters
    ----------
    tensor : BfpTensor, shape (words, K), grouped along K
        Matrix with one row per word of a beat.
    lanes : int
        Elements per word: the tensor's group, or a divisor of it.
    fields : dict
        Bit fields of a word, from the sidecar.
    chunk : int
        Width of a chunk in bits.
    """
    parts = [_chunk_beats(part, tensor.group // lanes, lanes, fields) for part in chunks(tensor, chunk)]
    return [list(group) for group in zip(*parts, strict=True)]


def _chunk_beats(part: Chunk, words_per_group: int, lanes: int, fields: dict[str, int]) -> list[int]:
    codes = np.repeat(part.codes, words_per_group, axis=-1)
    values = part.signed.reshape(*codes.shape, lanes)
    return [
        sum(
            _chunk_word(values[n, group], int(codes[n, group]), fields) << n * fields["bits"]
            for n in range(codes.shape[0])
        )
        for group in range(codes.shape[1])
    ]


def _chunk_word(values: np.ndarray, code: int, fields: dict[str, int]) -> int:
    word = code << fields["exponent_from_bit"]
    for lane, value in enumerate(values.tolist()):
        word |= (abs(value) | (value < 0) << fields["sign_bit"]) << lane * fields["lane_bits"]
    return word
