"""Parameters of a training, and the names of networks and formats; without PyTorch, so that help needs none."""

from typing import Any

import attrs

from lowtide.engine.params import EngineParams
from lowtide.formats.parameter import parameter
from lowtide_studies.networks.roundings import NAMED

__all__ = [
    "DEPENDENT",
    "ENGINE_ROUNDING",
    "FORMATS",
    "GRADIENT_ROUNDINGS",
    "NETWORKS",
    "REFERENCE",
    "USUAL_FORMATS",
    "Network",
    "Run",
    "usual_run",
]

WITHOUT_ENGINE = ("fp32", "bf16", "int8")
"""Formats of which an engine computes no product."""

USUAL_FORMATS = (
    *WITHOUT_ENGINE,
    *("msfp12", "fixed-4", "fixed-4-2", "fixed-2", "adaptive", "adaptive-weights", "two-sided"),
)
"""Default formats of a study."""

FORMATS = (*USUAL_FORMATS, "low-then-high", "weights-2")
"""Names of formats; `lowtide_studies.network_training.formats` defines them."""

ON_ENGINE = tuple(name for name in FORMATS if name not in WITHOUT_ENGINE)

DEPENDENT = {
    "alpha": ("adaptive", "adaptive-weights"),
    "beta": ("adaptive", "adaptive-weights"),
    "share": ("low-then-high",),
    "random_bits": ON_ENGINE,
    "random_plateau": ON_ENGINE,
}
"""Formats that depend on a parameter of a `Run`, for parameters on which not all formats depend."""

RANDOM_BITS = range(1, 9)
"""Legal bits of the engine's random words."""

REFERENCE = "adaptive"
"""Format to which times are relative, if no other is given."""

ENGINE_ROUNDING = "engine"
"""Gradients rounded as the settings of a format say."""

GRADIENT_ROUNDINGS = (ENGINE_ROUNDING, *(name for name, one in NAMED.items() if name != "fp32"))
"""Roundings of gradients on an engine."""


@attrs.frozen(kw_only=True)
class Network:
    """Usual training of a network.

    Parameters
    ----------
    text : bool
        Whether the network models text; otherwise it classifies images.
    width, batch : int
        Usual width, and samples of a step.
    rate : float
        Usual learning rate at the start.
    optimizer : str
        ``sgd`` with momentum, or ``adam``.
    """

    text: bool
    width: int
    batch: int
    rate: float
    optimizer: str


PERCEPTRON = Network(text=False, width=128, batch=32, rate=0.05, optimizer="sgd")
RESNET = Network(text=False, width=16, batch=64, rate=0.1, optimizer="sgd")
LANGUAGE_MODEL = Network(text=True, width=128, batch=16, rate=0.002, optimizer="adam")

NETWORKS = {
    "resnet8": RESNET,
    "resnet20": RESNET,
    "lstm": LANGUAGE_MODEL,
    "transformer": LANGUAGE_MODEL,
    "perceptron": PERCEPTRON,
}
"""Networks by name; `lowtide_studies.network_training.models` defines them."""


@attrs.frozen(kw_only=True)
class Run:
    """All parameters that determine the bits of a training, beside the data.

    The rate falls to zero along half a cosine. The seed determines the first weights, the order of the samples, and
    the rounding of gradients. Each epoch has ``samples`` random training samples, at most. ``alpha`` and ``beta``
    determine the thresholds of the adaptive formats, as in `lowtide_torch.FastAdaptive`; ``share``, the steps of low
    precision, as in `lowtide_torch.LowThenHigh`; ``random_bits`` and ``random_plateau``, the engine's random words.
    """

    network: str = parameter("resnet8", tuple(NETWORKS), "network")
    format: str = parameter("adaptive", FORMATS, "format")
    width: int = parameter(16, range(1, 4097), "channels of the first stage, or features")
    epochs: int = parameter(5, range(1, 100001), "epochs")
    samples: int = parameter(10**9, range(1, 10**9 + 1), "most samples of an epoch")
    batch: int = parameter(64, range(2, 65537), "samples of a step")
    rate: float = 0.1
    evaluations: int = parameter(4, range(1, 1001), "evaluations per epoch")
    evaluated: int = parameter(10**9, range(1, 10**9 + 1), "most validation samples, and most test samples")
    seed: int = parameter(0, range(2**32), "seed")
    alpha: float = 0.5
    beta: float = 0.3
    share: float = 0.25
    random_bits: int = parameter(EngineParams().random_bits, RANDOM_BITS, "bits of the engine's random words")
    random_plateau: bool = parameter(
        EngineParams().random_plateau, (False, True), "the least and the greatest of them are half as frequent"
    )
    gradients: str = parameter(ENGINE_ROUNDING, GRADIENT_ROUNDINGS, "rounding of gradients")

    @property
    def text(self) -> bool:
        """Whether the network models text."""
        return NETWORKS[self.network].text


def usual_run(network: str, changes: dict[str, Any]) -> Run:
    """The usual training of a network, with changes."""
    usual = NETWORKS[network]
    return Run(**{"network": network, "width": usual.width, "batch": usual.batch, "rate": usual.rate} | changes)
