"""Networks, built of linear layers, convolutions, and products of activations."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lowtide_torch import Matmul

__all__ = ["LstmModel", "Perceptron", "ResNet", "TransformerModel", "make_network"]


class Perceptron(nn.Module):
    """Perceptron with one hidden layer, for images of 32 × 32."""

    def __init__(self, channels: int, classes: int, width: int):
        super().__init__()
        self.hidden, self.head = nn.Linear(channels * 32 * 32, width), nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes) of images (N, channels, 32, 32)."""
        return self.head(torch.relu(self.hidden(x.flatten(1))))


class ResidualBlock(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)])
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norms[0](self.first(x)))
        return torch.relu(self.norms[1](self.second(y)) + self.shortcut(x))


class ResNet(nn.Module):
    """Residual network of He et al. (2016) for images of 32 × 32, with convolutions of 1 × 1 as shortcuts.

    Parameters
    ----------
    depth : int
        Layers on the longest path: 6 n + 2 with n blocks per stage.
    channels, classes : int
        Channels of an image, and outputs.
    width : int
        Channels of the first of three stages; each later stage has twice as many.
    """

    def __init__(self, depth: int, channels: int, classes: int, width: int):
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        blocks, inputs = [], width
        for outputs, stride in ((width, 1), (2 * width, 2), (4 * width, 2)):
            for place in range((depth - 2) // 6):
                blocks.append(ResidualBlock(inputs, outputs, stride if place == 0 else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes) of images (N, channels, 32, 32)."""
        x = torch.relu(self.norm(self.stem(x)))
        return self.head(self.blocks(x).mean((2, 3)))


class LstmModel(nn.Module):
    """Language model of one LSTM layer.

    One product has the inputs of all steps of time; each step has a product of its hidden state.
    """

    def __init__(self, characters: int, width: int):
        super().__init__()
        self.embedding = nn.Embedding(characters, width)
        self.inputs = nn.Linear(width, 4 * width)
        self.hidden = nn.Linear(width, 4 * width, bias=False)
        self.head = nn.Linear(width, characters)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (N, length, characters) of sequences (N, length)."""
        gates = self.inputs(self.embedding(tokens))
        state = hidden = gates.new_zeros(len(tokens), gates.shape[-1] // 4)
        outputs = []
        for one in gates.unbind(1):
            i, f, g, o = (one + self.hidden(hidden)).chunk(4, -1)
            state = torch.sigmoid(f + 1) * state + torch.sigmoid(i) * torch.tanh(g)
            hidden = torch.sigmoid(o) * torch.tanh(state)
            outputs.append(hidden)
        return self.head(torch.stack(outputs, 1))


class TransformerBlock(nn.Module):
    """Attention of four heads and two linear layers, each after a normalization."""

    HEADS = 4

    def __init__(self, width: int):
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.attention, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.scores, self.values = Matmul(), Matmul()
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.attention(self.norms[0](x)).unflatten(-1, (3, self.HEADS, -1))
        query, key, value = y.permute(2, 0, 3, 1, 4)
        scores = self.scores(query / math.sqrt(query.shape[-1]), key.mT).masked_fill(mask, -math.inf)
        y = self.values(torch.softmax(scores, -1), value).transpose(1, 2).flatten(2)
        x = x + self.out(y)
        return x + self.narrow(torch.relu(self.wide(self.norms[1](x))))


class TransformerModel(nn.Module):
    """Language model of two transformer blocks, with learned positions."""

    LONGEST = 1024

    def __init__(self, characters: int, width: int):
        super().__init__()
        self.embedding, self.positions = nn.Embedding(characters, width), nn.Embedding(self.LONGEST, width)
        self.blocks = nn.ModuleList([TransformerBlock(width), TransformerBlock(width)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, characters)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (N, length, characters) of sequences (N, length)."""
        length = tokens.shape[1]
        x = self.embedding(tokens) + self.positions.weight[:length]
        mask = torch.ones(length, length, dtype=torch.bool, device=tokens.device).triu(1)
        for block in self.blocks:
            x = block(x, mask)
        return self.head(self.norm(x))


def make_network(name: str, channels: int, classes: int, width: int) -> nn.Module:
    """A network by its name; a language model has a class per character."""
    kinds: dict[str, Callable[[], nn.Module]] = {
        "resnet8": lambda: ResNet(8, channels, classes, width),
        "resnet20": lambda: ResNet(20, channels, classes, width),
        "lstm": lambda: LstmModel(classes, width),
        "transformer": lambda: TransformerModel(classes, width),
        "perceptron": lambda: Perceptron(channels, classes, width),
    }
    return kinds[name]()
