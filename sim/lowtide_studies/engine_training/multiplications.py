"""Count of scalar multiplications in training, for units that compute one per cycle."""

import attrs
import numpy as np

from lowtide_studies.engine_training.run import Run
from lowtide_studies.engine_training.trainer import VALIDATION
from lowtide_studies.networks.digits import PIXELS, Digits
from lowtide_studies.networks.network import network

__all__ = ["multiplications"]


def multiplications(run: Run, steps: int) -> int:
    """Scalar multiplications in the first steps of a run: ``M * N * K`` per product of matrices.

    The last step of a pass over the images takes the remaining images.
    """
    learnt = len(Digits.load().training) - (VALIDATION if run.validation else 0)
    passes, begun = divmod(steps, -(-learnt // run.batch))
    return _of_an_image(run.network) * (passes * learnt + begun * run.batch)


def _of_an_image(name: str) -> int:
    """Multiplications per image: each row of a product belongs to one image, or the product sums over images."""
    counted = _Counted()
    network(name, 0).gradients(np.zeros((1, PIXELS), np.float32), np.zeros(1, int), counted)
    return counted.count


@attrs.define
class _Counted:
    """FP32 products of a network that count their multiplications."""

    count: int = 0

    def layer(self, number: int) -> "_Counted":
        """The counter, which all layers share."""
        return self

    def forward(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """``x @ weights``."""
        return self._multiply(x, weights)

    def to_inputs(self, gradient: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """``gradient @ weights.T``."""
        return self._multiply(gradient, weights.T)

    def to_weights(self, x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """``x.T @ gradient``."""
        return self._multiply(x.T, gradient)

    def _multiply(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        self.count += a.shape[0] * a.shape[1] * b.shape[1]
        return a @ b
