"""All settings on one network at one width, seed by seed."""

from collections.abc import Callable, Sequence
from itertools import groupby

import attrs
import numpy as np

from lowtide.formats.terms import ENCODINGS
from lowtide_studies.harness.statistics import Difference, Summary
from lowtide_studies.networks.digits import Images
from lowtide_studies.networks.inference_network import accuracy
from lowtide_studies.term_revealing.pretrained import FP32, Pretrained
from lowtide_studies.term_revealing.quantized import QuantizedNetwork, quantized
from lowtide_studies.term_revealing.revealed import OperandDigits, keep_data, keep_weights
from lowtide_studies.term_revealing.setting import Setting
from lowtide_studies.term_revealing.term_pairs import pairs_at_most, pairs_present, plain_pairs

__all__ = ["Plain", "Point", "Sweep", "run_sweep"]


@attrs.frozen(kw_only=True)
class Plain:
    """Plain quantization, from which losses and ratios are counted; a value a seed.

    Parameters
    ----------
    fp32 : list of float
        Accuracy on held-out images in per cent, with nothing quantized.
    validation, held_out : list of float
        Accuracy of the quantized network on images of either part, in per cent.
    present : dict of str to list of float
        By encoding: mean pairs of terms really there a product, on held-out images.
    """

    fp32: list[float]
    validation: list[float]
    held_out: list[float]
    present: dict[str, list[float]]


@attrs.frozen(kw_only=True)
class Point:
    """A setting, and what came out; a value a seed.

    Parameters
    ----------
    setting : Setting
    validation, held_out : list of float
        Accuracy in per cent.
    present : list of float
        Mean pairs of terms really there a product, on held-out images.
    at_most : float
        Most pairs a product, short groups of these layers counted.
    """

    setting: Setting
    validation: list[float]
    held_out: list[float]
    present: list[float]
    at_most: float


@attrs.frozen(kw_only=True)
class Sweep:
    """A network at a width under all settings.

    Parameters
    ----------
    network : str
    width : int
        Bits of an integer.
    plain : Plain
    points : list of Point
    """

    network: str
    width: int
    plain: Plain
    points: list[Point]

    def loss(self, point: Point) -> Difference:
        """Points of accuracy lost on held-out images to plain quantization, seed by seed."""
        return Difference.of(self.plain.held_out, point.held_out)

    def validation_loss(self, point: Point) -> Difference:
        """The same on validation images."""
        return Difference.of(self.plain.validation, point.validation)

    def times_fewer(self, point: Point) -> float:
        """Pairs of plain quantization over the bound, ``(width - 1)**2 / (k * s / g)``: the paper's count."""
        return plain_pairs(self.width) / point.setting.bound

    def times_fewer_at_most(self, point: Point) -> float:
        """The same with short groups of these layers counted."""
        return plain_pairs(self.width) / point.at_most

    def times_fewer_present(self, point: Point, encoding: str = "binary") -> float:
        """Pairs really there before, in an encoding, over those really there after."""
        return Summary.of(self.plain.present[encoding]).mean / Summary.of(point.present).mean

    def present_to_bound(self, point: Point, encoding: str = "binary") -> float:
        """Pairs really there before, in an encoding, over the bound."""
        return Summary.of(self.plain.present[encoding]).mean / point.setting.bound


def run_sweep(
    name: str,
    width: int,
    networks: Sequence[Pretrained],
    settings: Sequence[Setting],
    *,
    by_channel: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> Sweep:
    """Quantize, reveal and judge.

    Parameters
    ----------
    name : str
        Of the networks.
    width : int
        Bits of an integer, of weights and activations.
    networks : sequence of Pretrained
        One a seed.
    settings : sequence of Setting
        Those with the same weights one after the other, since weights are revealed once for these.
    by_channel : bool
        Whether each output of a layer has a scale of its own.
    progress : callable
        Called after each setting of each seed.
    """
    plain = Plain(fp32=[], validation=[], held_out=[], present={encoding: [] for encoding in ENCODINGS})
    points = [Point(setting=setting, validation=[], held_out=[], present=[], at_most=0.0) for setting in settings]
    for trained in networks:
        network = quantized(trained.network, trained.learned.pixels, width, by_channel)
        digits = {encoding: OperandDigits.of(network, encoding) for encoding in ENCODINGS}
        seen = _judge_plain(plain, trained, network, digits)
        points = [attrs.evolve(point, at_most=pairs_at_most(network, seen, point.setting)) for point in points]
        for (encoding, group, budget), alike in groupby(points, key=_weights_of):
            weights = keep_weights(network, digits[encoding], group, budget)
            for point in alike:
                data = keep_data(digits[encoding], point.setting.data_terms)
                _judge(point, trained, network, attrs.evolve(digits[encoding], weights=weights, data=data))
                progress()
    return Sweep(network=name, width=width, plain=plain, points=points)


def _weights_of(point: Point) -> tuple[str, int, int]:
    """What the revealed weights depend on."""
    return point.setting.encoding, point.setting.group, point.setting.budget


def _judge_plain(
    plain: Plain, trained: Pretrained, network: QuantizedNetwork, digits: dict[str, OperandDigits]
) -> list[np.ndarray]:
    """Add a seed to plain quantization; integers that each layer got of the held-out images."""
    held_out = trained.held_out
    plain.fp32.append(_percent(trained.network.scores(held_out.pixels, FP32), held_out))
    plain.validation.append(_percent(network.run(trained.validation.pixels, network.plain)[0], trained.validation))
    scores, seen = network.run(held_out.pixels, network.plain)
    plain.held_out.append(_percent(scores, held_out))
    for encoding, present in plain.present.items():
        present.append(pairs_present(network, seen, digits[encoding]))
    return seen


def _judge(point: Point, trained: Pretrained, network: QuantizedNetwork, kept: OperandDigits) -> None:
    """Add a seed to a point."""
    operands = kept.operands
    point.validation.append(_percent(network.run(trained.validation.pixels, operands)[0], trained.validation))
    scores, seen = network.run(trained.held_out.pixels, operands)
    point.held_out.append(_percent(scores, trained.held_out))
    point.present.append(pairs_present(network, seen, kept))


def _percent(scores: np.ndarray, images: Images) -> float:
    return 100 * accuracy(scores, images.labels)
