"""Multiply-accumulate units on which a format is trained, and the products of an engine built of them."""

from typing import Any

import attrs

from lowtide.config import Config
from lowtide_studies.equal_area.cells import INTEGERS
from lowtide_studies.network_training.cycles import Cycles, Product
from lowtide_studies.network_training.formats import MSFP12

__all__ = ["UNITS", "Unit"]


@attrs.frozen(kw_only=True)
class Unit:
    """A unit.

    Parameters
    ----------
    name : str
        Name of a candidate of `lowtide_studies.equal_area.cells.CANDIDATES`, which gives its cells.
    changes : dict, optional
        Configuration keys of the engine that differ from the default. Without it, the unit multiplies two numbers per
        cycle, and is never idle.
    whole : bool
        Whether a chunk of this engine is a whole magnitude, or the engine computes with integers.
    """

    name: str
    changes: dict[str, Any] | None = None
    whole: bool = False

    def add(self, cycles: Cycles, product: Product, count: int) -> None:
        """Add the cycles of products."""
        cycles.add(product, count, Config().changed(self.changes or {}), whole=self.whole)


CHUNKS = Unit(name="fmac, 2 × 2 bits", changes={})
WHOLE = Unit(name="fmac, 4 × 4 bits", changes={"bfp.chunk_a": 4, "bfp.chunk_b": 4}, whole=True)

UNITS: dict[str, tuple[Unit, ...]] = {
    "fp32": (Unit(name="float_mac, FP32"),),
    "bf16": (Unit(name="float_mac, bf16, FP32 sums"),),
    "int8": (Unit(name="pmac, 32-bit sums", changes=INTEGERS, whole=True),),
    "msfp12": (Unit(name="block_float_mac, FP32 sums", changes=MSFP12, whole=True),),
    "fixed-4": (CHUNKS, WHOLE),
    "fixed-2": (CHUNKS,),
    "adaptive": (CHUNKS,),
    "adaptive-weights": (CHUNKS,),
    "two-sided": (CHUNKS,),
    "low-then-high": (CHUNKS,),
    "weights-2": (CHUNKS,),
    "fixed-4-2": (CHUNKS,),
}
"""Units of each format."""
