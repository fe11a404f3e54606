"""Models of processing elements with packed words, in Python integers, made from the sidecar of the array."""

from typing import Any

from lowtide_sim.bench.stimulus.fields import signed, unpack

__all__ = ["ELEMENTS", "PairMac", "Pmac", "Tmac"]

Memory = dict[tuple[int, int], Any]


class Tmac:
    """Model of `tmac`: data in two banks, and terms with the indices of data."""

    def __init__(self, sidecar: dict[str, Any]):
        self.a, self.b = sidecar["word_a"], sidecar["word_b"]
        self.values = sidecar["configuration"]["terms"]["values"]

    def addend(self, memory: Memory, a: int, b: int) -> int:
        """Value that two words add to the sum."""
        word = unpack(b, self.b)
        return sum(
            (-1) ** term["negative"] * memory[word["bank"], term.get("index", 0)] << term["exponent"]
            for term in word["term"].values()
            if term["nonzero"]
        )

    def store(self, memory: Memory, a: int) -> None:
        """Store the data of a word of A."""
        word = unpack(a, self.a)
        if word["write"]:
            bits = self.a["fields"]["value"]["fields"]["0"]["bits"]
            for j, value in word["value"].items():
                memory[word["bank"], word.get("slot", 0) * self.values + int(j)] = signed(value, bits)


class PairMac:
    """Model of `pair_mac`: terms of data in two banks, and terms of weights with the slots of data terms."""

    def __init__(self, sidecar: dict[str, Any]):
        self.a, self.b = sidecar["word_a"], sidecar["word_b"]

    def addend(self, memory: Memory, a: int, b: int) -> int:
        """Value that two words add to the sum."""
        word = unpack(b, self.b)
        return sum(
            self._value(pair) * memory[word["bank"], pair.get("slot", 0)]
            for pair in word["pair"].values()
            if pair["nonzero"]
        )

    def store(self, memory: Memory, a: int) -> None:
        """Store the data of a word of A."""
        word = unpack(a, self.a)
        if word["write"]:
            memory[word["bank"], word.get("slot", 0)] = self._value(word)

    def _value(self, term: dict[str, int]) -> int:
        return term["nonzero"] * (-1) ** term["negative"] << term["exponent"]


class Pmac:
    """Model of `pmac`: products of integers."""

    def __init__(self, sidecar: dict[str, Any]):
        self.bits = sidecar["word_a"]["bits"]

    def addend(self, memory: Memory, a: int, b: int) -> int:
        """Value that two words add to the sum."""
        return signed(a, self.bits) * signed(b, self.bits)

    def store(self, memory: Memory, a: int) -> None:
        """Do nothing: the element stores no data."""


ELEMENTS = {"tmac": Tmac, "pair_mac": PairMac, "pmac": Pmac}
