"""The network's products on the array, layer by layer, at several precisions."""

from collections.abc import Callable

import attrs

from lowtide_model import to_fp32
from lowtide_sim.simulated_array import SimulatedArray
from lowtide_studies.networks.digits import Images
from lowtide_studies.networks.inference_network import Network, accuracy, rectified
from lowtide_studies.workload.checked import CheckedProduct, Total, checked_products
from lowtide_studies.workload.precision import Precision

__all__ = ["Inference", "infer"]


@attrs.frozen(kw_only=True, eq=False)
class Inference:
    """What the network answers at one precision.

    Parameters
    ----------
    precision : Precision
        Of activations and weights, in all layers.
    accuracy : float
        Share of the images whose digit is recognized.
    layers : tuple of CheckedProduct
        The products.
    """

    precision: Precision
    accuracy: float
    layers: tuple[CheckedProduct, ...]

    @property
    def total(self) -> Total:
        """What all layers took together."""
        return Total.of(self.layers)


def infer(
    network: Network,
    images: Images,
    array: SimulatedArray,
    precisions: tuple[Precision, ...],
    stage: Callable[[str], None] = lambda _: None,
) -> list[Inference]:
    """Run images through the network, with every product done by the array.

    What the array gives, and nothing else, goes on to the next layer: rounded to FP32, the bias added, rectified, and
    quantized anew. Each layer is one run of the simulation, for all precisions.

    Parameters
    ----------
    network : Network
        Trained.
    images : Images
        Its inputs.
    array : SimulatedArray
        Does the products.
    precisions : tuple of Precision
        At which the network runs, as the array takes them.
    stage : callable, optional
        Called with what comes next, in words.

    Raises
    ------
    SimulationError, SimulatorMissing
        As `SimulatedArray.products` does.
    """
    activations = scores = [images.pixels] * len(precisions)
    products: list[list[CheckedProduct]] = []
    for number, layer in enumerate(network.layers, 1):
        stage(f"Layer {number} of {len(network.layers)}")
        operands = [
            (
                array.quantize(inputs, mantissa=precision.a, axis=1),
                array.quantize(layer.weights, mantissa=precision.b, axis=0),
            )
            for precision, inputs in zip(precisions, activations, strict=True)
        ]
        products.append(checked_products(array, operands))
        scores = [
            to_fp32(checked.product.acc, a, b).values + layer.bias
            for (a, b), checked in zip(operands, products[-1], strict=True)
        ]
        activations = [rectified(x) for x in scores]
    return [
        Inference(precision=precision, accuracy=accuracy(scores[i], images.labels), layers=layers)
        for i, (precision, layers) in enumerate(zip(precisions, zip(*products, strict=True), strict=True))
    ]
