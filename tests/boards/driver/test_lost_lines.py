"""Ports lost at any moment: the first `DeviceError` is raised, the port closes, and a later call reconnects."""

import os
import re
import threading
import time
from typing import cast

import numpy as np
import pytest
import serial

from lowtide_boards.driver import reconnection
from lowtide_boards.driver.device import Device
from lowtide_boards.driver.errors import DeviceError, PortError
from lowtide_boards.driver.framed_port import FramedPort, Port
from lowtide_sim.serial.pseudo_terminal import PseudoTerminal

A, B = np.ones((1, 4), np.float32), np.ones((4, 2), np.float32)


class Served:
    """A terminal that is served in a thread, and can be pulled out."""

    def __init__(self, line, link):
        self.line, self.link = line, link
        self.pulled = True
        self.plug()

    def plug(self):
        self._stop, self.pulled = threading.Event(), False
        self.terminal = PseudoTerminal(self.line, self.link)
        self._thread = threading.Thread(target=self.terminal.run, args=(self._stop.is_set,))
        self._thread.start()

    def pull(self):
        if not self.pulled:
            self.pulled = True
            self._stop.set()
            self._thread.join()
            self.terminal.close()


@pytest.fixture
def served(line, tmp_path):
    served = Served(line, tmp_path / "device")
    yield served
    served.pull()


@pytest.fixture
def soon(monkeypatch):
    """The driver waits for a lost device only for a moment."""
    monkeypatch.setattr(reconnection, "RETURN_TIMEOUT", 0.3)


def port_of(device):
    """The port of pyserial below a device."""
    return cast("serial.Serial", device.connection.port)


def pull_at(device, served, name):
    """Pull the cable when the port is next used so."""
    port = device.connection.port
    used = getattr(port, name)

    def pulled(*of):
        served.pull()
        return used(*of)

    setattr(port, name, pulled)


CALLS = {
    "multiply": lambda device: device.matmul(A, B),
    "read": lambda device: device.read("rows"),
    "write": lambda device: device.write("a_vectors", 1),
    "rate": lambda device: device.set_baud(230_400),
}


def call_in_block(device, call):
    """A call in a block at whose end the device is closed, and what it raises."""
    with device:
        call(device)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("moment", ["write", "read"])
def test_a_cable_pulled_during_a_call(served, soon, moment, call):
    device = Device.open(str(served.link))
    port = port_of(device)
    pull_at(device, served, moment)
    with pytest.raises(DeviceError) as raised:
        call_in_block(device, CALLS[call])
    assert re.match(rf"{served.link} failed: [^(]", str(raised.value))
    assert "\n" not in str(raised.value)
    assert not port.is_open


@pytest.mark.parametrize("call", [*CALLS, "close"])
def test_a_cable_pulled_before_a_flush(served, soon, call):
    """After an incomplete exchange, the next call flushes the port: there, pyserial raises no OSError."""

    def interrupt(share):
        if share > 0.3:
            raise KeyboardInterrupt

    device = Device.open(str(served.link))
    port = port_of(device)
    with pytest.raises(KeyboardInterrupt):
        device.matmul(A, B, progress=interrupt)
    served.pull()
    if call == "close":
        device.close()
    else:
        with pytest.raises(DeviceError, match="failed") as raised:
            call_in_block(device, CALLS[call])
        assert str(raised.value).startswith(str(served.link))
    assert not port.is_open


@pytest.mark.parametrize("moment", ["write", "read", "reset_input_buffer", "close"])
def test_a_cable_pulled_while_the_port_closes(served, moment):
    """Closing a port that is gone is no error, and the port is free."""
    with Device.open(str(served.link)) as device:
        port = port_of(device)
        pull_at(device, served, moment)
        if moment == "reset_input_buffer":
            device.connection._synchronized = False
    assert not port.is_open
    device.close()


def test_the_first_failure_is_the_one_reported(served, soon):
    """The error of the block's body, not the error of closing the device."""

    def fail(_device):
        served.pull()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        call_in_block(Device.open(str(served.link)), fail)


def test_the_error_has_the_failure_before_the_failed_reconnection(served, soon):
    device = Device.open(str(served.link))
    served.pull()
    with pytest.raises(PortError, match=r"failed: .*; not reconnected within 0\.3 s: cannot open"):
        call_in_block(device, CALLS["multiply"])


@pytest.mark.parametrize("call", ["multiply", "read", "write"])
def test_a_file_descriptor_that_was_closed(served, soon, call):
    device = Device.open(str(served.link))
    descriptor = port_of(device).fd
    assert descriptor is not None
    os.close(descriptor)
    try:
        CALLS[call](device)  # the device is connected, and the port is reopened
        assert device.read("rows") == 1
    finally:
        device.close()


def test_a_later_call_waits_for_the_device(served, soon, monkeypatch):
    with Device.open(str(served.link)) as device:
        due = device.matmul(A, B)
        for call in CALLS.values():
            if call is CALLS["rate"]:
                continue
            served.pull()
            with pytest.raises(DeviceError):
                call(device)
            monkeypatch.setattr(reconnection, "RETURN_TIMEOUT", 10)
            later = threading.Timer(0.7, served.plug)
            since = time.monotonic()
            later.start()
            try:
                call(device)
            finally:
                later.join()
            assert time.monotonic() - since > 0.6
            assert device.matmul(A, B).tobytes() == due.tobytes()
            assert device.info().baud == 460_800
            monkeypatch.setattr(reconnection, "RETURN_TIMEOUT", 0.3)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_terminal_that_vanishes_while_it_is_opened(after):
    """At once, or after some bytes of the greeting."""
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)

    def go():
        os.read(ours, after)
        os.close(ours)
        os.close(theirs)

    if after:
        thread = threading.Thread(target=go, daemon=True)
        thread.start()
    else:
        os.close(ours)
        os.close(theirs)
    with pytest.raises(DeviceError) as raised:
        Device.open(name, timeout=0.05)
    assert "\n" not in str(raised.value)


class Failing:
    """A port whose every use raises a distinct error."""

    baudrate, timeout, in_waiting = 115_200, 0, 0

    def __init__(self, error):
        self.error = error

    def __getattribute__(self, name):
        if name in ("write", "read", "reset_input_buffer", "close"):
            raise object.__getattribute__(self, "error")
        return object.__getattribute__(self, name)

    def __setattr__(self, name, value):
        if name in ("baudrate", "timeout"):
            raise self.error
        object.__setattr__(self, name, value)


def errors():
    import termios

    from serial import SerialException

    number = (5, "Input/output error")
    return [OSError(*number), termios.error(*number), SerialException("gone"), TypeError("no fd"), ValueError("fd -1")]


@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
def test_any_error_of_a_port_becomes_one_line(error):
    line = FramedPort(cast("Port", Failing(error)), "COM3")
    uses = [lambda: line.write(b""), lambda: line.read(0), line.discard, lambda: setattr(line, "baud", 1)]
    for use in uses:
        with pytest.raises(PortError, match=r"^COM3 failed: [A-Za-z ]*(/output error|gone|no fd|fd -1)$"):
            use()
    line.close()
    for use in uses:
        with pytest.raises(PortError, match=r"^COM3 is closed$"):
            use()
