"""Plain quantization to fewer bits, without terms: what term revealing has to be better than."""

from collections.abc import Sequence

import attrs

from lowtide_studies.harness.statistics import Difference
from lowtide_studies.networks.inference_network import accuracy
from lowtide_studies.term_revealing.pretrained import Pretrained
from lowtide_studies.term_revealing.quantized import quantized

__all__ = ["WIDTHS", "Narrower", "run_narrower"]

WIDTHS = (8, 7, 6, 5, 4, 3)


@attrs.frozen(kw_only=True)
class Narrower:
    """A network under plain quantization to several widths.

    Parameters
    ----------
    network : str
    held_out : dict of int to list of float
        By bits of an integer: accuracy on held-out images in per cent, a value a seed.
    """

    network: str
    held_out: dict[int, list[float]]

    def loss(self, width: int, reference: int) -> Difference:
        """Points of accuracy lost to plain quantization at another width, seed by seed."""
        return Difference.of(self.held_out[reference], self.held_out[width])


def run_narrower(
    name: str, networks: Sequence[Pretrained], *, widths: Sequence[int] = WIDTHS, by_channel: bool = False
) -> Narrower:
    """Quantize and judge; arguments are those of `lowtide_studies.term_revealing.sweep.run_sweep`."""
    held_out = {width: [] for width in widths}
    for trained in networks:
        for width, accuracies in held_out.items():
            network = quantized(trained.network, trained.learned.pixels, width, by_channel)
            scores, _ = network.run(trained.held_out.pixels, network.plain)
            accuracies.append(100 * accuracy(scores, trained.held_out.labels))
    return Narrower(network=name, held_out=held_out)
