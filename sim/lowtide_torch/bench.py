"""Benchmark: time on an engine's bits divided by the time of PyTorch in FP32, on one thread."""

import argparse
import copy
import json
import platform
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowtide_torch.engine import Engine
from lowtide_torch.quantize import quantize_
from lowtide_torch.settings import BFP

__all__ = ["ResNet8", "Transformer", "main", "measure"]


class _Block(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)])
        self.shortcut = nn.Identity() if stride == 1 else nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norms[0](self.first(x)))
        return torch.relu(self.norms[1](self.second(y)) + self.shortcut(x))


class ResNet8(nn.Module):
    """Residual network of eight layers for images of 32 × 32."""

    def __init__(self, width: int = 16):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.blocks = nn.Sequential(
            _Block(width, width, 1), _Block(width, 2 * width, 2), _Block(2 * width, 4 * width, 2)
        )
        self.head = nn.Linear(4 * width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.stem(x)))
        return self.head(self.blocks(x).mean((2, 3)))


class Transformer(nn.Module):
    """Language model of two layers, four heads and a vocabulary of 256."""

    def __init__(self, width: int = 128):
        super().__init__()
        self.embedding = nn.Embedding(256, width)
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(width, 256)

    def forward(self, tokens: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        return self.head(self.layers(self.embedding(tokens), mask=mask, is_causal=True))


def measure(repeats: int = 5, seed: int = 0, engine: Engine | None = None) -> dict[str, dict[str, float]]:
    """Milliseconds in FP32 and with the engine's bits, and their ratio: medians of ``repeats`` alternating runs."""
    torch.manual_seed(seed)
    engine = engine or Engine("default")
    images, labels = torch.randn(64, 3, 32, 32), torch.randint(0, 10, (64,))
    tokens = torch.randint(0, 256, (16, 64))
    x = torch.randn(64, 16, 32, 32)
    convolution = nn.Conv2d(16, 16, 3, padding=1, bias=False)
    return {
        "ResNet-8 step": _compared(ResNet8(), lambda net: _step(net, images, labels), repeats, engine),
        "transformer step": _compared(Transformer(), lambda net: _step(net, tokens, tokens), repeats, engine),
        "convolution forward": _compared(convolution, lambda net: _forward(net, x), repeats, engine),
    }


def _step(network: nn.Module, x: Tensor, labels: Tensor) -> None:
    """A step of gradient descent."""
    network.zero_grad()
    functional.cross_entropy(network(x).flatten(0, -2), labels.flatten()).backward()
    with torch.no_grad():
        for parameter in network.parameters():
            assert parameter.grad is not None
            parameter.sub_(parameter.grad, alpha=0.01)


def _forward(network: nn.Module, x: Tensor) -> None:
    with torch.no_grad():
        network(x)


def _compared(network: nn.Module, run: Callable[[nn.Module], None], repeats: int, engine: Engine) -> dict[str, float]:
    on_engine = copy.deepcopy(network)
    quantize_(on_engine, BFP(), engine=engine)
    times: dict[str, list[float]] = {"fp32": [], "engine": []}
    for turn in range(repeats + 1):
        for name, one in (("fp32", network), ("engine", on_engine)):
            start = time.perf_counter()
            run(one)
            if turn:
                times[name].append(1000 * (time.perf_counter() - start))
    medians = {name: sorted(found)[len(found) // 2] for name, found in times.items()}
    return {**medians, "ratio": medians["engine"] / medians["fp32"]}


def main() -> None:
    """Print the benchmark as a table, or as JSON."""
    parser = argparse.ArgumentParser(prog="python -m lowtide_torch.bench", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="timed runs of each network, default 5")
    parser.add_argument("--seed", type=int, default=0, help="seed of networks and data, default 0")
    parser.add_argument("--config", default="default", help="preset or TOML file, default 'default'")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = measure(options.repeats, options.seed, Engine(options.config))
    if options.json:
        print(json.dumps(found))
        return
    print(f"PyTorch {torch.__version__}, {platform.machine()}, one thread; medians of {options.repeats} runs")
    for name, row in found.items():
        print(f"{name:20} FP32 {row['fp32']:8.1f} ms   engine {row['engine']:8.1f} ms   {row['ratio']:5.2f} x")


if __name__ == "__main__":
    main()
