"""What an array that reveals terms must answer to integers, by the golden model."""

from typing import Any

import numpy as np

from lowtide_model.terms import term_matmul
from lowtide_sim.bench.models.tile import Expect, TileModel
from lowtide_sim.bench.stimulus.fields import signed, unpack, words_of

__all__ = ["IntegerModel"]


class IntegerModel(TileModel):
    """Products of revealed integers, under the settings that held when their tile began.

    Parameters are those of `TileModel`.
    """

    def __init__(self, sidecar: dict[str, Any], expect: Expect):
        self.terms, self.layout = sidecar["configuration"]["terms"], sidecar["settings"]
        super().__init__(sidecar, expect)

    def reset(self) -> None:
        """Forget everything; settings are those after reset."""
        largest = {key: self.terms[key] for key in ("group", "budget", "data_terms")}
        self.settings = [(-1, {"reveal": 0, **largest})]  # the edges of writes, and what they wrote
        self.refused = False
        super().reset()

    def saw_write(self, edge: int, word: int) -> None:
        """Settings were written: they hold from the next edge on, unless they are refused."""
        settings = unpack(word, self.layout)
        keys = ("group", "budget", "data_terms")
        self.refused = settings["group"] == 0 or any(settings[key] > self.terms[key] for key in keys)
        if not self.refused:
            self.settings.append((edge, settings))

    def accumulate(self, edge: int, a: int, b: int) -> None:
        """Keep the values of a beat that belong to its group."""
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
        """The product of what revealing leaves."""
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
