"""All settings on one network at one width, seed by seed, and plain quantization to fewer bits."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import attrs
import numpy as np

from lowtide.formats.terms import ENCODINGS
from lowtide_studies.harness.statistics import Difference, Summary
from lowtide_studies.networks.digits import Images
from lowtide_studies.networks.network import accuracy
from lowtide_studies.networks.products import FP32
from lowtide_studies.term_revealing.quantized import Pretrained, QuantizedNetwork, quantized
from lowtide_studies.term_revealing.revealed import (
    OperandDigits,
    Setting,
    keep_data,
    keep_weights,
    pairs_at_most,
    pairs_present,
    plain_pairs,
)

__all__ = ["WIDTHS", "Narrower", "Plain", "Point", "Sweep", "run_narrower", "run_sweep"]

WIDTHS = (8, 7, 6, 5, 4, 3)


@attrs.frozen(kw_only=True)
class Plain:
    """Plain quantization, the reference of losses and ratios; one value per seed.

    Parameters
    ----------
    fp32 : list of float
        Accuracy on held-out images in per cent, without quantization.
    validation, held_out : list of float
        Accuracy of the quantized network in per cent, on validation and held-out images.
    present : dict of str to list of float
        By encoding: mean pairs of nonzero terms per product, on held-out images.
    """

    fp32: list[float]
    validation: list[float]
    held_out: list[float]
    present: dict[str, list[float]]


@attrs.frozen(kw_only=True)
class Point:
    """Results of a setting, as in `Plain`, and the upper bound of pairs per product with short groups."""

    setting: Setting
    validation: list[float]
    held_out: list[float]
    present: list[float]
    at_most: float


@attrs.frozen(kw_only=True)
class Sweep:
    """A network at a width, in bits per integer, with all settings."""

    network: str
    width: int
    plain: Plain
    points: list[Point]

    @classmethod
    def from_json(cls, seeds: Sequence[Mapping[str, Any]]) -> "Sweep":
        """The sweep of all seeds, from plain values of sweeps of one seed."""
        first = seeds[0]
        plain = {key: [one["plain"][key][0] for one in seeds] for key in ("fp32", "validation", "held_out")}
        present = {key: [one["plain"]["present"][key][0] for one in seeds] for key in first["plain"]["present"]}
        points = [
            Point(
                setting=Setting(**point["setting"]),
                at_most=point["at_most"],
                **{key: [one["points"][n][key][0] for one in seeds] for key in ("validation", "held_out", "present")},
            )
            for n, point in enumerate(first["points"])
        ]
        return cls(network=first["network"], width=first["width"], plain=Plain(**plain, present=present), points=points)

    def loss(self, point: Point) -> Difference:
        """Points of accuracy lost on held-out images to plain quantization, seed by seed."""
        return Difference.of(self.plain.held_out, point.held_out)

    def validation_loss(self, point: Point) -> Difference:
        """Points of accuracy lost on validation images to plain quantization, seed by seed."""
        return Difference.of(self.plain.validation, point.validation)

    def times_fewer(self, point: Point) -> float:
        """Ratio of plain pairs to the bound, ``(width - 1)**2 / (k * s / g)``, as counted in the paper."""
        return plain_pairs(self.width) / point.setting.bound

    def times_fewer_at_most(self, point: Point) -> float:
        """Ratio of pairs of plain quantization to the bound with the short groups of these layers."""
        return plain_pairs(self.width) / point.at_most

    def times_fewer_present(self, point: Point, encoding: str = "binary") -> float:
        """Ratio of nonzero pairs of plain quantization, in an encoding, to the remaining nonzero pairs."""
        return Summary.of(self.plain.present[encoding]).mean / Summary.of(point.present).mean

    def present_to_bound(self, point: Point, encoding: str = "binary") -> float:
        """Ratio of nonzero pairs of plain quantization, in an encoding, to the bound."""
        return Summary.of(self.plain.present[encoding]).mean / point.setting.bound


@attrs.frozen(kw_only=True)
class Narrower:
    """A network with plain quantization to several widths, the alternative to term revealing.

    The accuracy on held-out images is in per cent, by bits per integer, one value per seed.
    """

    network: str
    held_out: dict[int, list[float]]

    def loss(self, width: int, reference: int) -> Difference:
        """Points of accuracy lost to plain quantization at another width, seed by seed."""
        return Difference.of(self.held_out[reference], self.held_out[width])


def run_sweep(
    name: str,
    width: int,
    networks: Sequence[Pretrained],
    settings: Sequence[Setting],
    *,
    by_channel: bool = False,
) -> Sweep:
    """Quantize one network per seed, reveal terms, and measure accuracy and pairs.

    Settings with equal weights are in sequence, because the terms of their weights are revealed once.
    """
    plain = Plain(fp32=[], validation=[], held_out=[], present={encoding: [] for encoding in ENCODINGS})
    points = [Point(setting=setting, validation=[], held_out=[], present=[], at_most=0.0) for setting in settings]
    for trained in networks:
        network = quantized(trained.network, trained.learned.pixels, width, by_channel)
        digits = {encoding: OperandDigits.of(network, encoding) for encoding in ENCODINGS}
        seen = _measure_plain(plain, trained, network, digits)
        points = [attrs.evolve(point, at_most=pairs_at_most(network, seen, point.setting)) for point in points]
        for (encoding, group, budget), equal in groupby(points, key=_weight_key):
            weights = keep_weights(network, digits[encoding], group, budget)
            for point in equal:
                data = keep_data(digits[encoding], point.setting.data_terms)
                _measure(point, trained, network, attrs.evolve(digits[encoding], weights=weights, data=data))
    return Sweep(network=name, width=width, plain=plain, points=points)


def run_narrower(trained: Pretrained, *, widths: Sequence[int] = WIDTHS, by_channel: bool = False) -> list[float]:
    """Accuracy on held-out images in per cent of a network with plain quantization to each width."""
    accuracies = []
    for width in widths:
        network = quantized(trained.network, trained.learned.pixels, width, by_channel)
        accuracies.append(_percent(network.run(trained.held_out.pixels, network.plain)[0], trained.held_out))
    return accuracies


def _weight_key(point: Point) -> tuple[str, int, int]:
    """Parameters on which the revealed weights depend."""
    return point.setting.encoding, point.setting.group, point.setting.budget


def _measure_plain(
    plain: Plain, trained: Pretrained, network: QuantizedNetwork, digits: dict[str, OperandDigits]
) -> list[np.ndarray]:
    """Add a seed to plain quantization; return the integers that each layer received from the held-out images."""
    held_out = trained.held_out
    plain.fp32.append(_percent(trained.network.scores(held_out.pixels, FP32), held_out))
    plain.validation.append(_percent(network.run(trained.validation.pixels, network.plain)[0], trained.validation))
    scores, seen = network.run(held_out.pixels, network.plain)
    plain.held_out.append(_percent(scores, held_out))
    for encoding, present in plain.present.items():
        present.append(pairs_present(network, seen, digits[encoding]))
    return seen


def _measure(point: Point, trained: Pretrained, network: QuantizedNetwork, kept: OperandDigits) -> None:
    """Add a seed to a point."""
    operands = kept.operands
    point.validation.append(_percent(network.run(trained.validation.pixels, operands)[0], trained.validation))
    scores, seen = network.run(trained.held_out.pixels, operands)
    point.held_out.append(_percent(scores, trained.held_out))
    point.present.append(pairs_present(network, seen, kept))


def _percent(scores: np.ndarray, images: Images) -> float:
    return 100 * accuracy(scores, images.labels)
