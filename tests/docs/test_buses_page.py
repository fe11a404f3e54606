"""The page of buses has the ports that the hardware has."""

import re
from itertools import cycle
from pathlib import Path

import pytest
from amaranth.hdl import Shape
from amaranth.lib.wiring import In

from lowtide.config import Config
from lowtide.emission.top import AxiStreamEngine
from lowtide.interfaces.bus_engine import BUSES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "buses.md"


@pytest.mark.parametrize("bus", BUSES)
def test_ports(bus):
    prefix = BUSES[bus].prefix
    ports = {
        name: ("in" if member.flow is In else "out", str(Shape.cast(member.shape).width))
        for name, member in AxiStreamEngine(Config(), bus=bus).signature.members.items()
        if name.startswith(f"{prefix}_")
    }
    listed = {}
    for line in re.findall(rf"^\| (`{prefix}_.*)", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        names, directions, widths = (cell.split(", ") for cell in line.split(" | ")[:3])
        listed |= {
            name.strip("`"): (direction, width)
            for name, direction, width in zip(names, cycle(directions), widths, strict=False)
        }
    assert listed == ports
