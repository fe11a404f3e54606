"""The digits' network on a device, by the driver: the golden run to the bit."""

import pytest

from fixtures.devices import LARGE_DEVICE, simulated
from lowtide_boards.driver.device import Device
from lowtide_sim.serial.simulated_line import SimulatedPort
from lowtide_studies.engine_training.log import Log
from lowtide_studies.engine_training.run import Run
from lowtide_studies.engine_training.trainer import train

STEPS = 135


class Stopped(Exception):
    """The golden run is taken over."""


@pytest.mark.slow
def test_the_network_of_digits(tmp_path):
    """The golden engine trains; the device makes the last step, and sees all images with what was learnt.

    Weights, accuracy and loss equal the results of an uninterrupted golden run.
    """
    line = simulated(LARGE_DEVICE, "-O1")  # some hundred million cycles
    device = Device(SimulatedPort(line), "simulation", timeout=0.01)
    run = Run(config=device.config, steps=STEPS, evaluate=STEPS)
    due = train(run)

    def stop(done, _):
        if done == STEPS - 1:
            raise Stopped

    path = tmp_path / "run.log"
    with pytest.raises(Stopped):
        train(run, log=Log(path, run.identity()), checkpoint=1, progress=stop)
    found = train(run, device, Log(path, run.identity()), checkpoint=1)
    print(f"\naccuracy {found.accuracy:.2%}, weights {found.sha256[:16]}, {line.cycles:,} cycles")
    assert (found.sha256, found.accuracy, found.loss) == (due.sha256, due.accuracy, due.loss)
    assert found.accuracy > 0.9
