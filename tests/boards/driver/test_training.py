"""A board as an engine to train on."""

import pytest

from lowtide.config import Config
from lowtide.errors import CommandError
from lowtide_boards.driver.device import Device
from lowtide_studies.engine_training import command
from lowtide_studies.engine_training.command import board_at


@pytest.fixture
def plugged(device, monkeypatch):
    """The device is what is found at any port."""
    monkeypatch.setattr(Device, "open", lambda port: device)
    return device


def test_a_board_of_any_configuration_without_a_request(plugged):
    assert board_at("any", None) is plugged
    assert board_at("any", plugged.config) is plugged


def test_a_board_of_another_configuration_is_refused(plugged, lowtide):
    with pytest.raises(CommandError, match=r"^the board has array.rows = 1, not 8, for which it was asked$"):
        board_at("any", Config())
    said = lowtide("train", "--engine", "board", "--config", "default", "--set", "array.rows=2")
    assert (said.code, said.err) == (
        1,
        "lowtide: the board has array.rows = 1, not 2, for which it was asked\n",
    )


def test_a_board_needs_its_driver(monkeypatch):
    monkeypatch.setattr(command, "entry_points", lambda **_: ())
    with pytest.raises(CommandError, match=r"a board needs its driver: pip install 'lowtide\[boards\]'"):
        board_at("any", None)
