"""Stimulus: tiles of random and of extreme operands, as the beats of both streams."""

import random
from typing import Any, NamedTuple

__all__ = ["Side", "Tile", "Tiles", "tile"]

Beats = list[tuple[int, bool]]


class Tile(NamedTuple):
    """Beats of A and of B, as many of either, ``tlast`` on the last."""

    a: Beats
    b: Beats


class Side:
    """Makes the beats of one of the streams.

    Parameters
    ----------
    sidecar : dict
        What was emitted with the array.
    side : str
        ``a`` or ``b``.
    rng : random.Random
        Where the operands come from.
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
        """A beat for each chunk of a group of every word; lanes from ``used`` on are padding."""
        padding = (-1 << used * self.fields["lane_bits"]) & self.magnitudes
        codes_of_words = [self._code(codes) for _ in range(self.words)]
        return [
            self._beat([self._lanes(magnitudes) & ~padding for _ in range(self.words)], codes_of_words, below)
            for below in range((chunks - 1) * self.chunk, -1, -self.chunk)
        ]

    def largest(self, used: int, negative: list[bool]) -> list[int]:
        """The largest group there is, in all its chunks, of these signs, a sign for each word."""
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
            return bits & self.signs  # a zero may have either sign
        return bits | self.magnitudes if kind == "largest" else bits

    def _beat(self, lanes: list[int], codes: list[int], below: int) -> int:
        beat = 0
        for n, (bits, code) in enumerate(zip(lanes, codes, strict=True)):
            beat |= (bits | code + below << self.fields["exponent_from_bit"]) << n * self.fields["bits"]
        return beat


class Tiles:
    """Makes tiles.

    Parameters
    ----------
    sidecar : dict
        What was emitted with the array.
    rng : random.Random
        Where the operands come from.
    """

    def __init__(self, sidecar: dict[str, Any], rng: random.Random):
        self.a, self.b = Side(sidecar, "a", rng), Side(sidecar, "b", rng)
        self.rng, self.lanes, self.max_k = rng, sidecar["configuration"]["bfp"]["lanes"], self.a.bfp["max_k"]
        self.max_groups = -(-self.max_k // self.lanes)

    def reset(self) -> None:
        """Nothing to forget."""

    def random(self) -> Tile:
        """Any tile: any precision on either side, any length, any kind of operands."""
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
        """A tile of so many beats, of one chunk each."""
        pairs = [
            (self.a.group(1, self.lanes, "any", "any")[0], self.b.group(1, self.lanes, "any", "any")[0])
            for _ in range(beats)
        ]
        return tile(pairs)

    def largest(self, negative: bool) -> Tile:
        """The longest tile there may be, of the largest operands: the ends of the accumulator's range.

        The sums of rows are positive and negative in turn; that of row 0 is ``negative`` or not.
        """
        signs = [bool(row & 1) != negative for row in range(self.a.words)]
        pairs = []
        used_lanes = [self.lanes] * (self.max_groups - 1) + [self.max_k - self.lanes * (self.max_groups - 1)]
        for used in used_lanes:
            a, b = self.a.largest(used, signs), self.b.largest(used, [False] * self.b.words)
            pairs += [(x, y) for x in a for y in b]
        return tile(pairs)

    def _used_lanes(self, groups: int) -> list[int]:
        """Lanes that are no padding, for each group: all of them but in the last."""
        most = min(self.lanes, self.max_k - self.lanes * (groups - 1))
        last = most if self.rng.random() < 0.5 else self.rng.randint(1, most)
        return [self.lanes] * (groups - 1) + [last]


def tile(pairs: list[tuple[int, int]]) -> Tile:
    """A tile of these beats of A and B."""
    ends = [False] * (len(pairs) - 1) + [True]
    return Tile(
        [(a, end) for (a, _), end in zip(pairs, ends, strict=True)],
        [(b, end) for (_, b), end in zip(pairs, ends, strict=True)],
    )
