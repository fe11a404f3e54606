"""Damaged frames: no hang, no request executed twice or in part, and no wrong result accepted."""

import os

import numpy as np
import pytest
from damage import DamagingPort, damaged

from lowtide.interfaces.serial.protocol import CONSTANTS, code_of
from lowtide_boards.driver.device import Device
from lowtide_boards.driver.errors import ConnectionLost, NotLowtide
from lowtide_boards.driver.self_test import self_test
from lowtide_model.serial_frames import Frames, frame_bytes
from lowtide_sim.serial.simulated_line import SimulatedPort
from model import BridgeModel

BURST = 32
FRAMES = int(os.environ.get("LOWTIDE_FRAMES", "100000"))
"""Damaged frames of the long run."""


def exchanged(line, data, baud):
    """Bytes that the device answers to bytes."""
    come, quiet = b"", 0
    line.send(data)
    while quiet < 2:
        found = line.run(2000, baud)
        come += found
        quiet = 0 if found or line.waiting else quiet + 1
    return come


def same(found, due):
    """Whether an answer is the expected one, as far as the model knows it."""
    return (found.kind, found.number, len(found.words)) == (due[0], due[1], len(due[2])) and all(
        word is None or word == there for word, there in zip(due[2], found.words, strict=True)
    )


def converse(device, line, rng, frames):
    """Send damaged frames among as many intact ones, and compare each answer with the model of the bridge.

    The model decodes the damaged bytes too: the device must answer the frames that are still whole, and no others.
    """
    registers, constants = device.registers, tuple(device.connection.constants[name] for name in CONSTANTS)
    model, sent, come = BridgeModel(registers, line.config.serial.queue, constants), Frames(), Frames()
    settings = [place for place, register in enumerate(registers) if register.access == "setting"]
    baud, broken, answers = device.connection.port.baudrate, 0, 0
    model.answer(next(come.add(frame_bytes(code_of("hello"), 99, (1, 0)))))
    exchanged(line, b"\x7e" + frame_bytes(code_of("hello"), 99, (1, 0)), baud)
    while broken < frames:
        burst, due = [], []
        for _ in range(BURST):
            name = str(rng.choice(["write", "read", "hello"], p=[0.5, 0.49, 0.01]))
            at = int(rng.choice(settings))
            words = {"write": (at, int(rng.integers(2**32))), "read": (at, 1), "hello": (1, 0)}[name]
            number = int(rng.integers(2**16)) if rng.random() < 0.02 else model.expected
            frame = frame_bytes(code_of(name), number, words)
            if rng.random() < 0.5:
                frame, broken = damaged(frame, rng), broken + 1
            burst.append(frame)
            due += [model.answer(whole) for whole in sent.add(frame)]
        found = list(come.add(exchanged(line, b"".join(burst), baud)))
        assert len(found) == len(due)
        assert all(map(same, found, due))
        answers += len(found)
    assert not come.damaged
    assert sent.damaged > frames // 2
    return answers


def test_damaged_frames_are_not_executed(device, line):
    assert converse(device, line, np.random.default_rng(1), 1500) > 1000


@pytest.mark.slow
def test_many_damaged_frames_are_not_executed(device, line):
    answers = converse(device, line, np.random.default_rng(2), FRAMES)
    print(f"\n{FRAMES:,} damaged frames, {answers:,} expected answers, {line.cycles:,} cycles")


def products(line, share, seed, enough):
    """Run self-tests with damaged frames until enough frames were damaged; reconnect after a lost connection."""
    port = DamagingPort(SimulatedPort(line), 0, np.random.default_rng(seed))
    device = Device(port, "simulation", timeout=0.002)
    device.set_baud()
    port.share, tests, lost = share, 0, 0
    while port.damaged < enough:
        try:
            self_test(device, products=2, seed=seed + tests)
            tests += 1
        except ConnectionLost:
            lost += 1
            port.share = 0
            device = Device(port, "simulation", timeout=0.002)
            port.share = share
    return port, tests, lost


def test_products_with_damaged_frames(line):
    port, tests, _ = products(line, 0.1, 3, 200)
    assert tests > 5
    assert port.frames > 1500


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.02, 0.2])
def test_many_products_with_damaged_frames(line, share):
    port, tests, lost = products(line, share, 4, 2000)
    print(f"\n{2 * tests} products, {port.damaged:,} of {port.frames:,} frames damaged; {lost} connections lost")
    assert tests > 20


def test_a_port_without_answers_is_lost(device, monkeypatch):
    monkeypatch.setattr(device.connection.port, "write", len)
    with pytest.raises(ConnectionLost, match="device at simulation lost: no answer after 12 attempts"):
        device.connection.request("read", 0, 1)
    monkeypatch.undo()
    device.connection.connect()
    assert device.connection.request("read", 1, 1) == (1,)


def test_noise_is_no_lowtide(port, monkeypatch):
    rng = np.random.default_rng(5)
    read = port.read
    monkeypatch.setattr(port, "read", lambda size=1: read(size) and rng.bytes(8))
    with pytest.raises(NotLowtide):
        Device(port, "simulation", timeout=0.001)
