"""Models of arrays: the expected results, tile by tile, from the beats that monitors observe."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from operator import mul
from typing import Any

import numpy as np

from lowtide_model.terms import term_matmul
from lowtide_sim.bench.models.element import ELEMENTS, Memory
from lowtide_sim.bench.stimulus.fields import signed, unpack, words_of

__all__ = ["ArrayModel", "Expect", "IntegerModel", "TileModel", "Word", "WordModel"]

Expect = Callable[[list[int], bool], None]


class TileModel(ABC):
    """Base of the models of arrays: pairs beats of A and B; subclasses accumulate them.

    Parameters
    ----------
    sidecar : dict
        Sidecar of the array.
    expect : function
        Called with each expected row of results: its words, and whether it is the last row of its tile.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Expect):
        array = sidecar["configuration"]["array"]
        self.rows, self.columns = array["rows"], array["columns"]
        self.expect = expect
        self.reset()

    def reset(self) -> None:
        """Clear the state, as a reset of the array does."""
        self.a: deque[tuple[int, int, bool]] = deque()
        self.b: deque[tuple[int, int, bool]] = deque()
        self.misaligned_since: int | None = None
        self.clear()

    def saw_a(self, edge: int, data: int, last: bool) -> None:
        """Record an accepted beat of A."""
        self.a.append((edge, data, last))
        self._step()

    def saw_b(self, edge: int, data: int, last: bool) -> None:
        """Record an accepted beat of B."""
        self.b.append((edge, data, last))
        self._step()

    @abstractmethod
    def accumulate(self, edge: int, a: int, b: int) -> None:
        """Add the products of a beat."""

    @abstractmethod
    def results(self) -> list[list[int]]:
        """Rows of the completed tile."""

    @abstractmethod
    def clear(self) -> None:
        """Start a tile."""

    def _step(self) -> None:
        while self.a and self.b:
            (edge_a, a, last_a), (edge_b, b, last_b) = self.a.popleft(), self.b.popleft()
            if edge_a != edge_b:
                raise AssertionError(f"beat of A accepted at edge {edge_a}, but beat of B at edge {edge_b}")
            if last_a != last_b and self.misaligned_since is None:
                self.misaligned_since = edge_a
            self.accumulate(edge_a, a, b)
            if last_a:
                for row, words in enumerate(self.results()):
                    self.expect(words, row == self.rows - 1)
                self.clear()


Groups = list[tuple[list[int], int]]


class Word:
    """Unpacks the words of a stream by the bit fields of the sidecar."""

    def __init__(self, fields: dict[str, int], lanes: int, words: int):
        self.bits, self.words = fields["bits"], words
        self.exponent_from = fields["exponent_from_bit"]
        self.mask = (1 << self.bits) - 1
        self.lane_mask = (1 << fields["lane_bits"]) - 1
        self.shifts = [lane * fields["lane_bits"] for lane in range(lanes)]
        magnitudes = (1 << fields["magnitude_bits"]) - 1
        self.values = [
            -(lane & magnitudes) if lane >> fields["sign_bit"] & 1 else lane & magnitudes
            for lane in range(self.lane_mask + 1)
        ]

    def groups(self, beat: int) -> Groups:
        """Signed values and exponent code of each word of a beat."""
        return [self._group(beat >> n * self.bits & self.mask) for n in range(self.words)]

    def _group(self, word: int) -> tuple[list[int], int]:
        values, mask = self.values, self.lane_mask
        return [values[word >> shift & mask] for shift in self.shifts], word >> self.exponent_from


class ArrayModel(TileModel):
    """Model of an array of FMACs, in Python integers: sums of products of chunks.

    For parameters, see `TileModel`.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Expect):
        array, lanes = sidecar["configuration"]["array"], sidecar["configuration"]["bfp"]["lanes"]
        self.word_a = Word(sidecar["word_a"], lanes, array["rows"])
        self.word_b = Word(sidecar["word_b"], lanes, array["columns"])
        super().__init__(sidecar, expect)

    def accumulate(self, edge: int, a: int, b: int) -> None:
        """Add the products of a beat's groups."""
        columns = self.word_b.groups(b)
        for sums, (x, code_x) in zip(self.sums, self.word_a.groups(a), strict=True):
            for column, (y, code_y) in enumerate(columns):
                sums[column] += sum(map(mul, x, y)) << code_x + code_y

    def results(self) -> list[list[int]]:
        """The sums."""
        return self.sums

    def clear(self) -> None:
        """Start from zero."""
        self.sums = [[0] * self.columns for _ in range(self.rows)]


class IntegerModel(TileModel):
    """Model of an array that reveals terms: products by the golden model, with the settings at the start of each tile.

    For parameters, see `TileModel`.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Expect):
        self.terms, self.layout = sidecar["configuration"]["terms"], sidecar["settings"]
        super().__init__(sidecar, expect)

    def reset(self) -> None:
        """Clear the state; settings get their reset values."""
        largest = {key: self.terms[key] for key in ("group", "budget", "data_terms")}
        self.settings = [(-1, {"reveal": 0, **largest})]  # edges of writes, and written settings
        self.refused = False
        super().reset()

    def saw_write(self, edge: int, word: int) -> None:
        """Record a write of settings: they are valid from the next edge, unless they are illegal and rejected."""
        settings = unpack(word, self.layout)
        keys = ("group", "budget", "data_terms")
        self.refused = settings["group"] == 0 or any(settings[key] > self.terms[key] for key in keys)
        if not self.refused:
            self.settings.append((edge, settings))

    def accumulate(self, edge: int, a: int, b: int) -> None:
        """Keep the values of a beat, without padding."""
        if not self.beats:
            self.settings = self.settings[-20:]
            self.tile = next(settings for since, settings in reversed(self.settings) if since < edge)
        values = self.terms["values"]
        group = self.tile["group"] if self.tile["reveal"] else self.terms["group"]
        slot = self.beats % -(-group // values)
        used = min(values, group - slot * values)
        self.beats += 1
        self.a_values.append(self._integers(a, self.rows)[:, :used])
        self.b_values.append(self._integers(b, self.columns)[:, :used])

    def results(self) -> list[list[int]]:
        """The product of the revealed operands."""
        revealing = self.tile["reveal"]
        everything = {"group": self.terms["group"], "budget": 1 << 20, "data_terms": 1 << 20}
        settings = {key: self.tile[key] for key in everything} if revealing else everything
        a, b = np.concatenate(self.a_values, axis=1), np.concatenate(self.b_values, axis=1).T
        return term_matmul(a, b, width=self.terms["width"], encoding=self.terms["encoding"], **settings).tolist()

    def clear(self) -> None:
        """Start a tile."""
        self.beats = 0
        self.a_values: list[np.ndarray] = []
        self.b_values: list[np.ndarray] = []

    def _integers(self, beat: int, words: int) -> np.ndarray:
        width, values = self.terms["width"], self.terms["values"]
        integers = [signed(word, width) for word in words_of(beat, width, words * values)]
        return np.array(integers, np.int64).reshape(words, values)


class WordModel(TileModel):
    """Model of an array with packed words: sums of each element's addends. All elements of a row store equal data.

    For parameters, see `TileModel`.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Expect):
        self.element = ELEMENTS[sidecar["configuration"]["array"]["element"]](sidecar)
        self.bits_a, self.bits_b = sidecar["word_a"]["bits"], sidecar["word_b"]["bits"]
        super().__init__(sidecar, expect)

    def reset(self) -> None:
        """Clear the state."""
        self.memories: list[Memory] = [{} for _ in range(self.rows)]
        super().reset()

    def accumulate(self, edge: int, a: int, b: int) -> None:
        """Add the products of a beat; data that it writes are available from the next beat."""
        columns = words_of(b, self.bits_b, self.columns)
        for sums, memory, x in zip(self.sums, self.memories, words_of(a, self.bits_a, self.rows), strict=True):
            for column, y in enumerate(columns):
                sums[column] += self.element.addend(memory, x, y)
            self.element.store(memory, x)

    def results(self) -> list[list[int]]:
        """The sums."""
        return self.sums

    def clear(self) -> None:
        """Start from zero."""
        self.sums = [[0] * self.columns for _ in range(self.rows)]
