"""Compares a GPU's bits with the golden engine and with the CPU: 1,000 random products, and a short training.

Run it by hand, in less than five minutes: ``python tests/pytorch/gpu_check.py``. Without a GPU, the CPU runs the
operations of PyTorch that a GPU would run.
"""

import os
import sys
import time

os.environ["LOWTIDE_TORCH_NATIVE"] = "0"

import torch
from random_torch_products import difference
from torch.nn import functional

import lowtide_torch as lt
from lowtide_torch.bench import ResNet8, Transformer

SECONDS = 100
"""Time for random products."""


def trained(network, x, labels, device):
    """Weights after three steps of a seeded network, and its losses."""
    torch.manual_seed(0)
    network = network().to(device)
    lt.quantize_(network, lt.FastAdaptive(), engine=lt.Engine())
    losses = []
    for _ in range(3):
        loss = functional.cross_entropy(network(x.to(device)).flatten(0, -2), labels.to(device).flatten())
        network.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.sub_(parameter.grad, alpha=0.05)
        losses.append(loss.item())
    return losses


def main():
    """Print what was compared; exit with 1 if a product differs."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"PyTorch {torch.__version__} on {torch.cuda.get_device_name() if device == 'cuda' else 'the CPU, no GPU'}")
    start, differences, count = time.monotonic(), [], 0
    while count < 1000 and time.monotonic() - start < SECONDS:
        found = difference(count, device)
        differences += [found] if found else []
        count += 1
    print(
        f"{count} random products in {time.monotonic() - start:.0f} s, {len(differences)} differ from the golden engine"
    )
    for line in differences[:5]:
        print(line)
    torch.manual_seed(1)
    images, labels = torch.randn(2, 3, 16, 16), torch.randint(0, 10, (2,))
    tokens = torch.randint(0, 256, (2, 8))
    # The host's operations, such as normalization, may round differently on a GPU: products, not losses, must be equal.
    for name, network, x, y in (("ResNet-8", ResNet8, images, labels), ("transformer", Transformer, tokens, tokens)):
        expected, losses = (trained(network, x, y, where) for where in ("cpu", device))
        print(f"{name}: losses on the CPU {expected}, on {device} {losses}, equal: {expected == losses}")
    print(f"{time.monotonic() - start:.0f} s")
    return 1 if differences or not count else 0


if __name__ == "__main__":
    sys.exit(main())
