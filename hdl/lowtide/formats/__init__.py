"""Number formats: widths, ranges and layouts."""

from lowtide.formats.bfp import Bfp, ChunkLayout
from lowtide.formats.parameter import IllegalValue

__all__ = ["Bfp", "ChunkLayout", "IllegalValue"]
