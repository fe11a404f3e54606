"""Area and speed of Verilog modules, measured with open synthesis and place-and-route tools."""

from lowtide.cache import Cache
from lowtide.errors import SynthesisError
from lowtide.synthesis.chip import ChipArea, chip_area
from lowtide.synthesis.liberty import Library, read_library
from lowtide.synthesis.measure import Design, Row, measure
from lowtide.synthesis.place import Timing, place
from lowtide.synthesis.table import to_plain, to_table
from lowtide.synthesis.yosys import Area, synthesize
from lowtide.versions import versions

__all__ = [
    "Area",
    "Cache",
    "ChipArea",
    "Design",
    "Library",
    "Row",
    "SynthesisError",
    "Timing",
    "chip_area",
    "measure",
    "place",
    "read_library",
    "synthesize",
    "to_plain",
    "to_table",
    "versions",
]
