"""Area and speed of Verilog modules, measured with open synthesis and place-and-route tools."""

from lowtide.cache import Cache
from lowtide.errors import SynthesisError
from lowtide.synthesis.measure import Design, Row, measure
from lowtide.synthesis.place import Timing, place
from lowtide.synthesis.table import to_plain, to_table
from lowtide.synthesis.yosys import Area, synthesize
from lowtide.versions import versions

__all__ = [
    "Area",
    "Cache",
    "Design",
    "Row",
    "SynthesisError",
    "Timing",
    "measure",
    "place",
    "synthesize",
    "to_plain",
    "to_table",
    "versions",
]
