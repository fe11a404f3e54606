"""How much of a line's rate is payload in bulk transfers, by the cycles of the device."""

import numpy as np
import pytest

from lowtide.interfaces.serial.protocol import LEVELS, code_of
from lowtide_boards.driver.device import Device
from lowtide_sim.serial.simulated_line import SimulatedPort

ANSWER = 0x80


def use(line, kinds, words_of, a, b):
    """Share of the rate that is payload, from the first answer of some kinds to the last."""
    device, seen = Device(SimulatedPort(line), "simulation", timeout=0.01), []
    add = device.connection.framed_port.frames.add

    def watched(data):
        for frame in add(data):
            if frame.kind in kinds:
                seen.append((line.cycles, words_of(frame)))
            yield frame

    device.connection.framed_port.frames.add = watched
    device.matmul(a, b, precision=2)
    (start, _), *rest = seen
    return 32 * sum(words for _, words in rest) / 8 * 10 * line.config.serial.divisor / (rest[-1][0] - start)


@pytest.mark.slow
def test_operands(large_line):
    """Operands of 60 kB. Each answer to a load stands for its words."""
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((1, 4096)).astype(np.float32), rng.standard_normal((2, 4096)).astype(np.float32).T
    share = use(large_line, {code_of("load_a") | ANSWER, code_of("load_b") | ANSWER}, lambda _: 255, a, b)
    print(f"\noperands: {share:.1%} of the rate")
    assert share > 0.97


@pytest.mark.slow
def test_results(large_line):
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((120, 1)).astype(np.float32), rng.standard_normal((1, 120)).astype(np.float32)
    share = use(large_line, {code_of("read_results") | ANSWER}, lambda frame: len(frame.words) - LEVELS, a, b)
    print(f"\nresults: {share:.1%} of the rate")
    assert share > 0.97
