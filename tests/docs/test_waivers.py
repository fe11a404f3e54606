"""The page on integration has the waivers that the tests use."""

from pathlib import Path

from lowtide_sim.waivers import control_file

PAGE = Path(__file__).parents[2] / "docs" / "waivers.vlt"


def test_the_page_has_the_waivers():
    lines = [line for line in PAGE.read_text().splitlines() if not line.startswith("//")]
    assert lines == control_file().splitlines()
