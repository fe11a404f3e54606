"""Multiply-accumulate units on which a format is trained, and the products of an engine built of them."""

from typing import Any

import attrs

from lowtide.config import Config
from lowtide_studies.equal_area.cells import BESIDE, CANDIDATES, INTEGERS, Candidate
from lowtide_studies.network_training.cycles import Cycles, Product
from lowtide_studies.network_training.formats import MSFP12

__all__ = ["COMPARED", "UNITS", "Unit"]


@attrs.frozen(kw_only=True)
class Unit:
    """A unit.

    Parameters
    ----------
    name : str
        Name of one of `COMPARED`, which gives its cells.
    changes : dict, optional
        Configuration keys of the engine that differ from the default. Without it, the unit multiplies two numbers per
        cycle, and is never idle.
    chunks : pair of int, optional
        Chunks per magnitude of A and B, if they differ from the counted products'; 1 and 1 for integers.
    """

    name: str
    changes: dict[str, Any] | None = None
    chunks: tuple[int, int] | None = None

    def add(self, cycles: Cycles, product: Product, count: int) -> None:
        """Add the cycles of products."""
        cycles.add(product, count, Config().changed(self.changes or {}), chunks=self.chunks)


CHUNKS = Unit(name="fmac, 2 × 2 bits", changes={})
MIXED = Unit(name="fmac, 4 × 2 bits", changes={"bfp.chunk_a": 4, "bfp.chunk_b": 2}, chunks=(1, 2))
WHOLE = Unit(name="fmac, 4 × 4 bits", changes={"bfp.chunk_a": 4, "bfp.chunk_b": 4}, chunks=(1, 1))

UNITS: dict[str, tuple[Unit, ...]] = {
    "fp32": (Unit(name="float_mac, FP32"),),
    "bf16": (Unit(name="float_mac, bf16, FP32 sums"),),
    "int8": (Unit(name="pmac, 32-bit sums", changes=INTEGERS, chunks=(1, 1)),),
    "msfp12": (Unit(name="block_float_mac, FP32 sums", changes=MSFP12),),
    "fixed-4": (CHUNKS, MIXED, WHOLE),
    "fixed-4-2": (CHUNKS,),
    "fixed-2": (CHUNKS,),
    "adaptive": (CHUNKS,),
    "adaptive-weights": (CHUNKS,),
    "two-sided": (CHUNKS,),
    "low-then-high": (CHUNKS,),
    "weights-2": (CHUNKS,),
}
"""Units of each format."""

COMPARED = (
    *CANDIDATES,
    Candidate(
        schedule="fixed-4",
        name=MIXED.name,
        unit="fmac",
        changes={"chunk_a": 4, "chunk_b": 2},
        cycle="chunks",
        beside=tuple(BESIDE),
        engine={"bfp.chunk_a": 4, "bfp.chunk_b": 2},
    ),
)
"""Units with their cells: of `lowtide study equal-area`, and one with chunks of two widths."""
