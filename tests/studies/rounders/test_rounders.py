"""Area of rounders: the table, and the figures of the documentation."""

import pytest

from lowtide_studies.rounders.study import CASES, RounderCost, measure_rounders, to_rounder_table


def case_of(how="source", **wanted):
    """The one case of that kind whose shape is as wanted."""
    found = [
        case
        for case in CASES
        if case.how == how and all(getattr(case.shape, key) == value for key, value in wanted.items())
    ]
    assert len(found) == 1
    return found[0]


SHARED = case_of(fraction=8, random=3, bits=3, polarity="space", lanes=14, rows=False)


def test_table_compares_with_its_first_row():
    reference = RounderCost(CASES[0], "xc7", (25, 25, 29), (24, 24, 24), (13, 13, 17))
    shared = RounderCost(SHARED, "xc7", (29, 50, 85), (7, 7, 7), (29, 22, 57))
    rows = list(zip(*(column.cells for column in to_rounder_table([reference, shared]).columns), strict=True))
    assert rows[0] == ("24", "24", "plain", "1", *("25+24", "49.00", "1.0") * 2, "29+24", "53.00", "1.0")
    assert rows[1][:7] == ("8", "3", "space", "14", "29+7", "2.57", "19.1")
    assert rows[1][7:] == ("50+7", "4.07", "12.0", "85+7", "6.57", "8.1")


@pytest.mark.slow
def test_a_decision_on_three_bits_of_neighbors_is_one_table_per_lane():
    (cost,) = measure_rounders("xc7", cases=[case_of("neighbors", fraction=3)])
    assert (cost.luts[0], cost.ffs[0]) == (16, 0)


@pytest.mark.slow
def test_eight_bits_by_three_are_twelve_times_smaller_than_twenty_four_by_twenty_four():
    reference, comparison, shared = measure_rounders("xc7", cases=[*CASES[:2], SHARED])
    assert (reference.luts[0], reference.ffs[0]) == (25, 24)
    assert reference.per_lane("decision") / shared.per_lane("decision") >= 12
    assert comparison.per_lane("decision") / shared.per_lane("decision") >= 12
    assert reference.per_lane("rounded") / shared.per_lane("rounded") >= 12
