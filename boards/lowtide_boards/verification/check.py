"""Check a bitstream without a board: the driver computes products on its simulated netlist."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lowtide.config import Config
from lowtide_boards.driver.device import Device
from lowtide_boards.driver.self_test import self_test
from lowtide_boards.targets.board import BoardError, board_of
from lowtide_boards.targets.flash import bitstream_in
from lowtide_boards.verification.netlist import board_netlist
from lowtide_sim.serial.simulated_line import SimulatedLine, SimulatedPort

__all__ = ["STEPS", "check", "check_line", "wait_for_leds"]

STEPS = ("netlist", "simulator", "LED", "products")

LED_CYCLES = 10_000_000
"""Clock cycles until an LED must be lit: several times as many as the longest self-test."""

TIMEOUT = 0.001
"""Seconds of the simulated clock to wait for an answer, in addition to the transfer time."""


def check(
    name: str,
    folder: Path,
    cache: Path,
    *,
    products: int = 4,
    seed: int = 1,
    progress: Callable[[str], object] = lambda _step: None,
) -> dict[str, Any]:
    """Simulate the netlist of a board's bitstream, wait for its LED, and compare products with the golden engine.

    Parameters
    ----------
    name : str
        Name of the board.
    folder : Path
        Folder of the bitstream.
    cache : Path
        Folder of compiled simulations.
    products : int
        Number of random products.
    seed : int
        Seed of the products.
    progress : callable
        Called with each of `STEPS` at its start.

    Returns
    -------
    dict
        ``board``, ``file``, ``netlist``, ``self_test``, ``products``, ``words``, ``cycles`` and ``seconds``.

    Raises
    ------
    BoardError
        If the folder has no bitstream, a tool is missing, or the self-test fails.
    DeviceError
        If the device does not answer, or a product is wrong.
    SimulationError, SimulatorMissing
        If the netlist cannot be simulated.
    SynthesisError
        If a tool fails.
    """
    started = time.perf_counter()
    board = board_of(name)
    if board.tools == "vivado":
        raise BoardError(f"a bitstream for {board.title} cannot be checked: its toolchain is not open")
    file = bitstream_in(folder, name)
    config, tested = _design(folder / f"lowtide-{name}.json")
    progress(STEPS[0])
    verilog = board_netlist(board, config, file.read_bytes(), self_test=tested)
    progress(STEPS[1])
    # A netlist is large and a check is short: most of the time is the compiler's.
    line = SimulatedLine(config, cache, netlist=verilog, optimization="-O0")
    progress(STEPS[2])
    wait_for_leds(line, self_test=tested)
    progress(STEPS[3])
    words = check_line(line, products, seed)
    return {
        "board": name,
        "file": str(file),
        "self_test": tested,
        "products": products,
        "words": words,
        "cycles": line.cycles,
        "seconds": round(time.perf_counter() - started, 1),
    }


def _design(file: Path) -> tuple[Config, bool]:
    """Configuration of a bitstream, and whether it has a self-test, from its JSON file."""
    facts = json.loads(file.read_text(encoding="utf-8"))
    try:
        return Config.from_tables(facts["configuration"]), bool(facts["self_test"])
    except (KeyError, TypeError, AttributeError):
        raise BoardError(f"{file} has no configuration; build the bitstream again") from None


def wait_for_leds(line: SimulatedLine, *, self_test: bool) -> None:
    """Run a board's netlist after power-on until its LED **right** is lit.

    Raises
    ------
    BoardError
        If the LED **wrong** is lit, or no LED.
    """
    end = line.cycles + LED_CYCLES
    # Without a self-test, the LED is lit when the reset ends: a few cycles are enough.
    step = 10_000 if self_test else 100
    while line.cycles < end:
        line.run(step, line.config.serial.baud)
        match line.leds:
            case (True, False):
                return
            case (_, True):
                raise BoardError("the self-test of the netlist failed: the LED wrong is lit")
    raise BoardError(f"the netlist lit no LED in {LED_CYCLES:,} cycles")


def check_line(line: SimulatedLine, products: int, seed: int) -> int:
    """Compare products on a netlist with the golden engine, over its serial line at the fastest baud rate.

    Returns
    -------
    int
        Number of words compared, all of them equal.

    Raises
    ------
    DeviceError
        If the device does not answer, has another configuration, or a product is wrong.
    """
    with Device(SimulatedPort(line), "the netlist", timeout=TIMEOUT) as device:
        device.set_baud()
        return self_test(device, products, seed)
