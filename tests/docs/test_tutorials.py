"""Every block of the README and of a tutorial runs, and prints what the reader sees."""

import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from docs.pages import run_page
from fixtures.folders import BUILD
from lowtide.emission import UNITS
from lowtide_sim.simulator import SimulatorMissing, check_installed

TOP = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder, but for engines that other tests have built; modules in it can be imported."""
    for kept in ("engines", "simulations"):
        (BUILD / kept).mkdir(parents=True, exist_ok=True)
        (tmp_path / "build").mkdir(exist_ok=True)
        (tmp_path / "build" / kept).symlink_to(BUILD / kept)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.modules", dict(sys.modules))
    return tmp_path


@pytest.mark.parametrize(
    ("page", "blocks", "simulates"),
    [
        ("README.md", 4, False),
        pytest.param("docs/tutorials/first_array.md", 8, True, marks=pytest.mark.slow),
        ("docs/tutorials/numpy_on_a_device.md", 7, True),
        pytest.param("docs/tutorials/train_digits.md", 4, False, marks=pytest.mark.slow),
        ("docs/tutorials/custom_unit.md", 4, False),
    ],
)
def test_every_block_runs(page, blocks, simulates, folder):
    if simulates:
        try:
            check_installed("verilator")
        except SimulatorMissing as missing:
            pytest.skip(str(missing))
    with patch.dict(UNITS):
        assert run_page(TOP / page, folder) == blocks
