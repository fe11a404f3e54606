"""The driver at a real port: a simulated device behind a pseudo-terminal, and what else may be there."""

import json
import os
import threading

import numpy as np
import pytest
from click.testing import CliRunner
from serial.serialutil import SerialException

from lowtide_boards.cli import device as commands
from lowtide_boards.driver.device import Device
from lowtide_boards.driver.errors import NotLowtide, PortError
from lowtide_boards.driver.self_test import self_test
from lowtide_sim.serial.pseudo_terminal import PseudoTerminal


class Served:
    """A terminal that is served in a thread, and can be pulled out."""

    def __init__(self, line, link):
        self.line, self.link = line, link
        self.plug()

    def plug(self):
        self._pulled = threading.Event()
        self.terminal = PseudoTerminal(self.line, self.link)
        self._thread = threading.Thread(target=self.terminal.run, args=(self._pulled.is_set,))
        self._thread.start()

    def pull(self):
        self._pulled.set()
        self._thread.join()
        self.terminal.close()


@pytest.fixture
def served(line, tmp_path):
    served = Served(line, tmp_path / "device")
    yield served
    served.pull()


def test_a_driver_sets_the_fastest_baud_rate(served):
    with Device.open(str(served.link)) as device:
        assert device.info().baud == 460_800
        assert self_test(device, products=3) > 3


def test_a_requested_baud_rate(served):
    with Device.open(str(served.link), baud=230_400) as device:
        assert device.info().baud == 230_400
        assert device.read("rows") == 1


def test_it_can_be_opened_again(served):
    for _ in range(2):
        with Device.open(str(served.link)) as device:
            assert device.read("rows") == 1


@pytest.mark.slow
def test_a_port_closed_without_a_baud_reset(served):
    """The device gives its rate up by itself."""
    Device.open(str(served.link)).connection.port.close()
    with Device.open(str(served.link), timeout=4) as device:
        assert device.read("rows") == 1


def test_a_cable_that_is_pulled_and_put_back(served):
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 8)).astype(np.float32), rng.standard_normal((8, 4)).astype(np.float32)
    with Device.open(str(served.link)) as device:
        due = device.matmul(a, b)
        served.pull()
        later = threading.Timer(1.0, served.plug)
        later.start()
        try:
            assert device.matmul(a, b).tobytes() == due.tobytes()
        finally:
            later.join()


def test_a_cable_that_stays_away(served, monkeypatch):
    from lowtide_boards.driver import reconnection

    monkeypatch.setattr(reconnection, "RETURN_TIMEOUT", 0.3)
    with Device.open(str(served.link)) as device:
        served.pull()
        try:
            with pytest.raises(PortError, match="no such port"):
                device.matmul(np.ones((1, 2)), np.ones((2, 1)))
        finally:
            served.plug()


def test_a_port_in_use(served):
    with Device.open(str(served.link)), pytest.raises(PortError, match="in use by another program"):
        Device.open(str(served.link))


def test_no_such_port():
    with pytest.raises(PortError, match=r"^cannot open /dev/nothing: no such port"):
        Device.open("/dev/nothing")


def test_no_serial_port(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(PortError, match="not a working serial port"):
        Device.open(str(file))


def test_a_port_that_may_not_be_used(monkeypatch):
    def refuse(*_of, **_options):
        raise SerialException(13, "could not open port")

    monkeypatch.setattr("serial.serial_for_url", refuse)
    with pytest.raises(PortError, match="permission denied; join its group"):
        Device.open("/dev/ttyUSB0")


@pytest.mark.parametrize("answer", [b"", b"login: "])
def test_something_else_is_at_the_port(answer):
    """A terminal that is silent, and one that sends one answer to everything."""
    ours, theirs = os.openpty()
    done = threading.Event()

    def say():
        while not done.is_set():
            os.read(ours, 100)
            os.write(ours, answer)

    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    with pytest.raises(NotLowtide, match=r"no lowtide device at .*: no answer at 115200 baud"):
        Device.open(os.ttyname(theirs), timeout=0.05)
    done.set()


def test_no_port_is_named(monkeypatch):
    monkeypatch.delenv("LOWTIDE_PORT", raising=False)
    monkeypatch.setattr("lowtide_boards.driver.ports.comports", list)
    with pytest.raises(PortError, match="no USB serial port found; or simulate a device with `lowtide device serve`"):
        Device.open()


def test_a_link_replaces_no_file(line, tmp_path):
    file = tmp_path / "notes"
    file.write_text("mine")
    with pytest.raises(FileExistsError, match="the path is not a symbolic link"):
        PseudoTerminal(line, file)
    assert file.read_text() == "mine"
    terminal = PseudoTerminal(line, tmp_path / "new" / "device")
    assert (tmp_path / "new" / "device").is_symlink()
    terminal.close()
    assert not (tmp_path / "new" / "device").is_symlink()


def test_commands(served, monkeypatch, lowtide):
    monkeypatch.setenv("LOWTIDE_PORT", str(served.link))
    said = CliRunner().invoke(commands.info, ["--json"])
    assert json.loads(said.stdout)["config"]["array"]["columns"] == 2
    assert "array.columns" in CliRunner().invoke(commands.info).stdout
    said = CliRunner().invoke(commands.test, ["--products", "2", "--json"])
    found = json.loads(said.stdout)
    assert (found["products"], found["port"]) == (2, str(served.link))
    assert "equal the golden model" in CliRunner().invoke(commands.test, ["--products", "1"]).stdout
    said = lowtide("device", "info", "--port", "/dev/nothing")
    assert said.code == 1
    assert said.err.startswith("lowtide: cannot open /dev/nothing: ")
    assert said.err.count("\n") == 1
