"""Area and speed of Verilog modules, from the open synthesis and place-and-route tools."""

from lowtide.report.cache import Cache
from lowtide.report.error import ReportError
from lowtide.report.measure import Design, Row, measure
from lowtide.report.place import Timing, place
from lowtide.report.synthesis import Area, synthesise
from lowtide.report.table import to_plain, to_table
from lowtide.report.versions import versions

__all__ = [
    "Area",
    "Cache",
    "Design",
    "ReportError",
    "Row",
    "Timing",
    "measure",
    "place",
    "synthesise",
    "to_plain",
    "to_table",
    "versions",
]
