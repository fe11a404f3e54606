"""Area times time of given cells, and how cells are found."""

import pytest

from lowtide_studies.term_revealing.area_time import ELEMENTS, Cells, area_time, measure
from lowtide_studies.term_revealing.revealed import Setting

SETTING = Setting(group=8, budget=12, data_terms=2)
CELLS = {
    "pmac": Cells(logic=100),
    "pmac, Booth rows": Cells(logic=90),
    "pmac, DSP": Cells(logic=5, dsps=1),
    "tmac": Cells(logic=60),
    "pair_mac": Cells(logic=40),
}


def test_cells_times_cycles_a_product():
    rows = area_time(CELLS, SETTING)
    assert [(row.element, row.cycles, row.product) for row in rows] == [
        ("pmac", 1, 100),
        ("pmac, Booth rows", 1, 90),
        ("pmac, DSP", 1, 5),
        ("tmac", 1.5, 90),
        ("pair_mac", 3, 120),
    ]
    assert rows[2].cells.dsps == 1


def test_elements_whose_cells_are_not_known_are_left_out():
    assert [row.element for row in area_time({"tmac": Cells(logic=1)}, SETTING)] == ["tmac"]


@pytest.mark.slow
def test_every_element_is_measured():
    (cells,) = measure([(SETTING, 8)], target="ecp5")
    assert list(cells) == list(ELEMENTS)
    assert [found.dsps for found in cells.values()] == [0, 0, 1, 0, 0]
    # A queue of terms is smaller than a multiplier of integers, whichever way synthesis builds the multiplier.
    assert cells["tmac"].logic < cells["pmac, Booth rows"].logic < cells["pmac"].logic
