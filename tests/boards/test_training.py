"""A board as an engine to train on."""

import pytest
from click.testing import CliRunner

from lowtide.cli.failure import Failure
from lowtide.config import Config
from lowtide_boards.device import Device
from lowtide_sim.adaptive import board
from lowtide_sim.adaptive.board import board_at
from lowtide_sim.adaptive.command import train_command


@pytest.fixture
def plugged(device, monkeypatch):
    """The device is what is found at any port."""
    monkeypatch.setattr(Device, "open", lambda port: device)
    return device


def test_a_board_is_taken_as_it_is(plugged):
    assert board_at("any", None) is plugged
    assert board_at("any", plugged.config) is plugged


def test_a_board_of_another_configuration_is_refused(plugged):
    with pytest.raises(Failure, match=r"^the board has array.rows = 1, not 8, for which it was asked$"):
        board_at("any", Config())
    said = CliRunner().invoke(train_command, ["--engine", "board", "--config", "default", "--set", "array.rows=2"])
    assert (said.exit_code, said.stderr) == (
        1,
        "lowtide: the board has array.rows = 1, not 2, for which it was asked\n",
    )


def test_a_board_needs_its_driver(monkeypatch):
    monkeypatch.setattr(board, "entry_points", lambda **_: ())
    with pytest.raises(Failure, match=r"a board needs its driver: pip install 'lowtide\[boards\]'"):
        board_at("any", None)
