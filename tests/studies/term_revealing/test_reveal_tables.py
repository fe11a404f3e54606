"""What is printed where nothing is good enough, and where cells are known."""

import io

import pytest
from rich.console import Console

from lowtide_studies.harness.statistics import Difference
from lowtide_studies.harness.tables import mean_and_error
from lowtide_studies.term_revealing.area_time import Cells, Measured, measure_chosen
from lowtide_studies.term_revealing.report import area_table, sentences, tables
from lowtide_studies.term_revealing.revealed import Setting
from lowtide_studies.term_revealing.study import Study
from lowtide_studies.term_revealing.sweep import Narrower, Plain, Point, Sweep


def printed(*found):
    written = io.StringIO()
    console = Console(width=200, file=written)
    for table in found:
        console.print(table)
    return written.getvalue()


def study(loss):
    """A perceptron at 8 and at 6 bits with one setting, which loses so much on validation images."""
    point = Point(
        setting=Setting(group=8, budget=10, data_terms=2),
        validation=[97 - loss] * 2,
        held_out=[95.0, 96.0],
        present=[1.5, 1.5],
        at_most=2.5,
    )
    present = {"binary": [6.0, 6.0], "booth": [4.0, 4.0], "hese": [3.0, 3.0]}
    plain = Plain(fp32=[97.0, 97.0], validation=[97.0, 97.0], held_out=[96.0, 96.0], present=present)
    return Study(
        seeds=(0, 1),
        split=1,
        by_channel=False,
        sweeps=[Sweep(network="perceptron", width=width, plain=plain, points=[point]) for width in (6, 8)],
        narrower=[Narrower(network="perceptron", held_out={8: [96.0, 96.0], 4: [94.0, 95.0]})],
    )


def test_sentences():
    found = [*sentences(study(0.4)), *sentences(study(1))]
    assert found[1] == (
        "perceptron, 8 bits: hese g=8 k=10 s=2 needs 19.6 times fewer pairs than all bits and "
        "4.0 times fewer pairs than the nonzero bits. It loses 0.50 ± 0.50 points on held-out images."
    )
    assert found[2] == "perceptron, 6 bits: no setting loses 0.5 points or less on validation images."


def test_tables_say_that_there_is_none():
    good, bad = printed(*tables(study(0.4))), printed(*tables(study(1)))
    assert "hese g=8 k=10 s=2" in good
    # By two costs at two widths, and for its group and its encoding.
    assert bad.count(" none ") == good.count(" none ") + 6


def test_nothing_is_measured_where_nothing_is_chosen():
    assert measure_chosen(study(1).sweeps, target="xc7") == []


def test_fronts_are_of_the_widest_integers():
    assert [sweep.width for sweep in study(0).widest] == [8]
    assert "perceptron, 6 bits: held-out" not in printed(*tables(study(0)))


def test_fewer_bits():
    assert "1.50 ± 0.50" in printed(list(tables(study(0)))[-1])


def test_area_table():
    cells = {"pmac": Cells(logic=100), "pmac, DSP": Cells(logic=8, dsps=1), "pair_mac": Cells(logic=40)}
    setting = Setting(group=8, budget=10, data_terms=2)
    measured = Measured(network="perceptron", width=8, setting=setting, target="xc7", cells=cells)
    lines = printed(area_table(measured)).splitlines()
    rows = [[word.strip() for word in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    assert rows == [
        ["pmac", "100", "0", "1.00", "100", "1.00"],
        ["pmac, DSP", "8", "1", "1.00", "8", ""],
        ["pair_mac", "40", "0", "2.50", "100", "1.00"],
    ]
    assert measured.to_json()["area_time"]["pair_mac"] == {"cycles": 2.5, "product": 100}


@pytest.mark.parametrize(("mean", "words"), [(-0.001, "0.00 ± 0.10"), (-1.5, "−1.50 ± 0.10")])
def test_mean_and_error(mean, words):
    assert mean_and_error(Difference(mean=mean, error=0.1, unpaired=0.1)) == words
