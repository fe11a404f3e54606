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
    """Results of the network at one precision.

    Parameters
    ----------
    precision : Precision
        Precision of activations and weights in all layers.
    accuracy : float
        Share of recognized images.
    layers : tuple of CheckedProduct
        The products.
    """

    precision: Precision
    accuracy: float
    layers: tuple[CheckedProduct, ...]

    @property
    def total(self) -> Total:
        """Totals of all layers."""
        return Total.of(self.layers)


def infer(
    network: Network,
    images: Images,
    array: SimulatedArray,
    precisions: tuple[Precision, ...],
    stage: Callable[[str], None] = lambda _: None,
) -> list[Inference]:
    """Run images through the network, with every product on the array.

    Only results of the array reach the next layer: rounded to FP32, with the bias, rectified, and quantized. Each
    layer is one run of the simulation, for all precisions.

    Parameters
    ----------
    network : Network
        Trained network.
    images : Images
        Inputs of the network.
    array : SimulatedArray
        Computes the products.
    precisions : tuple of Precision
        Precisions that the array supports.
    stage : callable, optional
        Called with the name of the next stage.
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
