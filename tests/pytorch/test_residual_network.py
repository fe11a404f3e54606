"""A training of a residual network, of which compiled Verilog computes a sample of the products again."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
from torch.nn import functional  # noqa: E402

import lowtide_torch as lt  # noqa: E402
from fixtures.folders import BUILD  # noqa: E402
from lowtide.config import Config  # noqa: E402
from lowtide_sim.engine.verilated import VerilatedEngine  # noqa: E402
from lowtide_sim.simulator import SimulatorMissing  # noqa: E402
from lowtide_studies.networks.digits import Digits  # noqa: E402
from lowtide_torch.bench import ResNet8  # noqa: E402

STEPS, BATCH = 200, 4
SAMPLED = 97
"""Every 97th product is compared: 97 is prime to the 29 products of a step, so each product of a step has its turn."""


@pytest.mark.slow
def test_sampled_products_of_200_steps_equal_compiled_verilog():
    config = Config.load("default")
    try:
        verilog = VerilatedEngine(config, BUILD / "engines")
    except SimulatorMissing as missing:
        pytest.skip(str(missing))
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = ResNet8()
    engine = lt.Engine(config, verify=SAMPLED, reference=verilog)
    lt.quantize_(network, lt.FastAdaptive(alpha=0.5, beta=0.3), engine=engine)
    controller = lt.Controller(network, steps=STEPS)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    digits = Digits.load().training
    losses = []
    for step in range(STEPS):
        which = slice(step * BATCH, (step + 1) * BATCH)
        pixels = torch.from_numpy(digits.pixels[which]).reshape(BATCH, 1, 8, 8)
        images = functional.interpolate(pixels, scale_factor=2).expand(-1, 3, -1, -1)
        loss = functional.cross_entropy(network(images), torch.from_numpy(digits.labels[which]).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        controller.step()
        losses.append(loss.item())
    # Nine convolutions and the head have three products each, but the first layer has no gradient of its inputs.
    assert engine.products == 29 * STEPS
    assert verilog.cycles > 0
    assert sum(losses[-50:]) < sum(losses[:50])
