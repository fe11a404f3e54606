"""The digits run of ``lowtide train`` as a network of PyTorch: equal weights on every engine.

PyTorch computes the products itself, or takes them from the golden engine, from compiled Verilog, or from a simulated
board at the other end of a serial line.
"""

import hashlib
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

import lowtide_torch as lt  # noqa: E402
from fixtures.devices import SMALL_DEVICE, simulated  # noqa: E402
from fixtures.folders import BUILD  # noqa: E402
from lowtide_boards.driver.device import Device  # noqa: E402
from lowtide_model.engine.golden_engine import GoldenEngine  # noqa: E402
from lowtide_sim.engine.verilated import VerilatedEngine  # noqa: E402
from lowtide_sim.serial.simulated_line import SimulatedPort  # noqa: E402
from lowtide_sim.simulator import SimulatorMissing  # noqa: E402
from lowtide_studies.networks.digits import Digits  # noqa: E402
from lowtide_studies.networks.network import network  # noqa: E402
from lowtide_torch.operand import Result  # noqa: E402
from lowtide_torch.verification import products_of  # noqa: E402

BATCH, RATE, MOMENTUM = 32, 0.2, 0.9
"""Defaults of ``lowtide train``."""


class OnReference(lt.Engine):
    """An engine whose products the reference engine computes, not PyTorch."""

    def _multiply(self, a, b, measure, layer=""):
        values, improvements = products_of(self.reference, a, b)
        a_improvement, b_improvement = improvements if measure else (None, None)
        return Result(values=torch.from_numpy(values), a_improvement=a_improvement, b_improvement=b_improvement)


def perceptron():
    """The perceptron of ``lowtide train``, with its first weights."""
    layers = []
    for layer in network("perceptron", 0).layers:
        inputs, outputs = layer.weights.shape
        module = nn.Linear(inputs, outputs)
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(layer.weights.T.copy()))
            module.bias.copy_(torch.from_numpy(layer.bias.copy()))
        layers += [module, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def hashes(engine, steps, of=360):
    """Hashes of all weights after each of the first steps of a run, in adaptive precision."""
    torch.set_num_threads(1)
    model = perceptron()
    lt.quantize_(model, lt.FastAdaptive(alpha=0.5, beta=0.3), engine=engine)
    controller = lt.Controller(model, steps=of)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (1 + math.cos(math.pi * step / of)) / 2)
    images = Digits.load().training
    order = np.random.default_rng([0, 1, 0]).permutation(len(images))
    found = []
    for step in range(steps):
        which = order[np.arange(BATCH * step, BATCH * (step + 1)) % len(images)]
        pixels = torch.from_numpy(images.pixels[which].reshape(BATCH, -1))
        loss = functional.cross_entropy(model(pixels), torch.from_numpy(images.labels[which].astype(np.int64)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
        controller.step()
        digest = hashlib.sha256()
        for parameter in model.parameters():
            digest.update(parameter.detach().numpy().astype("<f4").tobytes())
        found.append(digest.hexdigest())
    return found


@pytest.fixture(scope="module")
def expected():
    """Hashes with the products of PyTorch."""
    return hashes(lt.Engine(SMALL_DEVICE), 40)


def test_the_golden_engine(expected):
    assert hashes(OnReference(SMALL_DEVICE, reference=GoldenEngine(SMALL_DEVICE)), 40) == expected
    assert len(set(expected)) == 40


@pytest.mark.slow
def test_compiled_verilog(expected):
    try:
        engine = VerilatedEngine(SMALL_DEVICE, BUILD / "engines")
    except SimulatorMissing as missing:
        pytest.skip(str(missing))
    assert hashes(OnReference(SMALL_DEVICE, reference=engine), 40) == expected
    assert engine.cycles > 0


@pytest.mark.slow
def test_a_simulated_board(expected):
    """Two steps: the serial line is simulated bit by bit, a minute per step."""
    device = Device(SimulatedPort(simulated(SMALL_DEVICE)), "simulation", timeout=0.01)
    device.set_baud()
    assert hashes(OnReference(device.config, reference=device), 2) == expected[:2]
