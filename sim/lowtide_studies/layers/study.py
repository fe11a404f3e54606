"""Cycles, bytes and limits of each layer on an engine."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs

from lowtide.config import Config
from lowtide_model.engine.cycles import Occupancy
from lowtide_model.layer_cost import Cost, Layer, Setting, layer_costs
from lowtide_studies.harness.jobs import Job, Runner, code_hash
from lowtide_studies.layers.networks import Network

__all__ = ["BITS", "Measured", "default_bits", "measure"]

BITS = (2, 4)
"""Precisions of the study, in addition to the mantissa."""


def default_bits(config: Config) -> list[tuple[int, int]]:
    """2 × 2 bits, 4 × 4 bits and the whole mantissa, as far as the configuration has them."""
    bfp = config.bfp
    step = max(bfp.chunk_a, bfp.chunk_b)
    return [(bits, bits) for bits in sorted({*BITS, bfp.mantissa}) if bits <= bfp.mantissa and bits % step == 0]


@attrs.frozen(kw_only=True)
class Measured:
    """A network at one precision: the cost of each layer, and of all."""

    network: Network
    setting: Setting
    layers: tuple[Cost, ...]
    total: Cost

    @property
    def limits(self) -> list[str]:
        """Limits of the layers that take most cycles together."""
        cycles: Counter[tuple[str, ...]] = Counter()
        for cost in self.layers:
            cycles[tuple(cost.limits)] += cost.cycles
        return list(cycles.most_common(1)[0][0])

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        layers = [
            attrs.asdict(layer) | cost.to_json() for layer, cost in zip(self.network.layers, self.layers, strict=True)
        ]
        names = {"network": self.network.name, "title": self.network.title, "unit": self.network.unit}
        total = self.total.to_json() | {"limits": self.limits}
        return names | attrs.asdict(self.setting) | {"total": total, "layers": layers}


def measure(
    config: Config, networks: Sequence[Network], settings: Sequence[Setting], runner: Runner | None = None
) -> list[Measured]:
    """Cost of each network with each setting; the products of a network follow each other without a pause."""
    inputs = code_hash(("lowtide", "lowtide_model", "lowtide_studies.layers"))
    pairs = [(network, setting) for network in networks for setting in settings]
    jobs = []
    for network, setting in pairs:
        arguments = (config.to_tables(), attrs.asdict(network), attrs.asdict(setting))
        name = f"{network.title}, {setting.text} bits"
        jobs.append(Job(name=name, inputs=(inputs, repr(arguments)), function=_costs, arguments=arguments))
    found = []
    for (network, setting), costs in zip(pairs, (runner or Runner()).run("Networks", jobs), strict=True):
        layers = tuple(Cost(**{**cost, "busy": Occupancy(**cost["busy"])}) for cost in costs)
        found.append(Measured(network=network, setting=setting, layers=layers, total=Cost.total(layers)))
    return found


def _costs(tables: dict[str, Any], network: dict[str, Any], setting: dict[str, Any]) -> list[dict[str, Any]]:
    layers = [Layer(**layer) for layer in network["layers"]]
    return [attrs.asdict(cost) for cost in layer_costs(Config.from_tables(tables), layers, Setting(**setting))]
