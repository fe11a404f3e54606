"""Cycles, bytes and limits of each layer on an engine."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs

from lowtide.config import Config
from lowtide.formats.packed import PackedLayout
from lowtide_model.engine.cycles import CycleModel, Occupancy, Shape, Work
from lowtide_model.engine.passes import split
from lowtide_model.engine.results import result_beats
from lowtide_studies.harness.jobs import Job, Runner, code_hash
from lowtide_studies.layers.networks import Layer, Network

__all__ = ["BITS", "Cost", "Measured", "Setting", "default_bits", "measure"]

BITS = (2, 4)
"""Precisions of the study, in addition to the mantissa."""

NEARLY = 0.95
"""A part is a limit if it is busy for this share of the busiest part's cycles, or more."""
IDLE = 0.8
"""If even the busiest part is busy for a smaller share of all cycles, the limit is the start-up."""
SPACED = 0.9
"""If beats are a smaller share of the tiles' cycles, the spacing of the tiles limits, and not the array."""


def default_bits(config: Config) -> list[tuple[int, int]]:
    """2 × 2 bits, 4 × 4 bits and the whole mantissa, as far as the configuration has them."""
    bfp = config.bfp
    step = max(bfp.chunk_a, bfp.chunk_b)
    return [(bits, bits) for bits in sorted({*BITS, bfp.mantissa}) if bits <= bfp.mantissa and bits % step == 0]


@attrs.frozen(kw_only=True)
class Setting:
    """How operands arrive.

    Parameters
    ----------
    bits_a, bits_b : int
        Magnitude bits of A and of B, whole chunks.
    packed : bool
        Whether operands arrive as packed groups; otherwise as FP32 numbers.
    bandwidth : float, optional
        Bytes per cycle that all streams share; without a limit, each stream has a beat per cycle.
    """

    bits_a: int
    bits_b: int
    packed: bool
    bandwidth: float | None = None

    @property
    def text(self) -> str:
        """Bits of both operands."""
        return f"{self.bits_a} × {self.bits_b}"

    def shapes(self, config: Config, layer: Layer) -> tuple[Shape, Shape]:
        """Both operands of a layer, whole."""
        bfp = config.bfp
        a = Shape(lines=layer.m, length=layer.k, chunks=self.bits_a // bfp.chunk_a, packed=self.packed)
        chunks, transposed = self.bits_b // bfp.chunk_b, layer.transposed and not self.packed
        return a, Shape(lines=layer.n, length=layer.k, chunks=chunks, packed=self.packed, transposed=transposed)

    def works(self, config: Config, layer: Layer) -> list[Work]:
        """Products of the engine for a layer, as the driver splits it.

        Of a transposed operand, the driver sends a block of all columns transposed, and fewer columns in order.
        """
        a, b = self.shapes(config, layer)
        parts = split(
            config,
            m=layer.m,
            k=layer.k,
            n=layer.n,
            chunks_a=a.chunks,
            chunks_b=b.chunks,
            in_order_b=not b.transposed,
        )
        works = []
        for part in parts:
            rows, length, columns = part.shape
            block_a = attrs.evolve(a, lines=rows, length=length)
            block_b = attrs.evolve(b, lines=columns, length=length, transposed=b.transposed and columns == layer.n)
            works.append(
                Work(a=block_a, b=block_b, load_a=part.load_a, load_b=part.load_b, add=part.add, keep=part.keep)
            )
        return works * layer.count


@attrs.frozen(kw_only=True)
class Cost:
    """Cost of a layer or of a network.

    Parameters
    ----------
    macs : int
        Multiplications.
    ideal : float
        Beats if every lane of every element did a multiplication in each: the array's peak.
    floor : int
        Beats with M, N and K rounded up to whole tiles and groups: the array's floor.
    cycles : int
        Cycles by the cycle model, and at least the cycles that the bandwidth needs.
    bytes_a, bytes_b, bytes_out : int
        Bytes of both operand streams and of the result stream, with the padding of beats and tiles.
    memory : int
        Cycles that the bandwidth needs for all bytes; 0 without a limit.
    passes : int
        Products of the engine.
    busy : Occupancy
        Cycles in which each part is busy.
    """

    macs: int
    ideal: float
    floor: int
    cycles: int
    bytes_a: int
    bytes_b: int
    bytes_out: int
    memory: int
    passes: int
    busy: Occupancy

    @classmethod
    def total(cls, costs: Sequence["Cost"]) -> "Cost":
        """Sum of the costs of all layers."""
        sums = {
            field.name: sum(getattr(cost, field.name) for cost in costs)
            for field in attrs.fields(cls)
            if field.name != "busy"
        }
        parts = [field.name for field in attrs.fields(Occupancy)]
        return cls(busy=Occupancy(**{part: sum(getattr(cost.busy, part) for cost in costs) for part in parts}), **sums)

    @property
    def share(self) -> float:
        """Share of the array's floor."""
        return self.floor / self.cycles

    @property
    def share_of_peak(self) -> float:
        """Share of the array's peak."""
        return self.ideal / self.cycles

    @property
    def limits(self) -> list[str]:
        """Parts of the engine that set the time."""
        array = "array" if self.busy.array >= SPACED * self.busy.tiles else "tile spacing"
        parts = {
            array: self.busy.tiles,
            "loading A": self.busy.a,
            "loading B": self.busy.b,
            "results": self.busy.results,
            "memory": self.memory,
        }
        most = max(parts.values())
        if most < IDLE * self.cycles:
            return ["start-up"]
        return [part for part, cycles in parts.items() if cycles >= NEARLY * most]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            **attrs.asdict(self),
            "share": round(self.share, 4),
            "share_of_peak": round(self.share_of_peak, 4),
            "limits": self.limits,
        }


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


def layer_costs(config: Config, layers: Sequence[Layer], setting: Setting) -> list[Cost]:
    """Cost of each layer; its cycles run from the last result of the layer before to its own last result."""
    model = CycleModel(config)
    works = [setting.works(config, layer) for layer in layers]
    ends = iter(model.ends([work for layer in works for work in layer]))
    before, costs = 0, []
    for layer, own in zip(layers, works, strict=True):
        end = [next(ends) for _ in own][-1]
        costs.append(_cost(config, model, layer, own, setting, end - before))
        before = end
    return costs


def _cost(
    config: Config, model: CycleModel, layer: Layer, works: Sequence[Work], setting: Setting, cycles: int
) -> Cost:
    array, lanes = config.array, config.bfp.lanes
    a, b = setting.shapes(config, layer)
    pairs = a.chunks * b.chunks
    tiles = -(-layer.m // array.rows) * -(-layer.n // array.columns)
    beat, bytes_ab, bytes_out = 4 * config.engine.input_width, [0, 0], 0
    for work in works:
        bytes_ab[0] += work.load_a * beat * _beats(config, work.a, config.bfp.chunk_a)
        bytes_ab[1] += work.load_b * beat * _beats(config, work.b, config.bfp.chunk_b)
        if not work.keep:
            bytes_out += 4 * config.engine.output_width * result_beats(config, work.a.lines, work.b.lines)
    memory = -int(-(sum(bytes_ab) + bytes_out) // setting.bandwidth) if setting.bandwidth else 0
    return Cost(
        macs=layer.macs,
        ideal=layer.macs * pairs / (array.rows * array.columns * lanes),
        floor=layer.count * tiles * -(-layer.k // lanes) * pairs,
        cycles=max(cycles, memory),
        bytes_a=bytes_ab[0],
        bytes_b=bytes_ab[1],
        bytes_out=bytes_out,
        memory=memory,
        passes=len(works),
        busy=model.occupancy(works),
    )


def _beats(config: Config, operand: Shape, chunk: int) -> int:
    """Beats of an operand on its stream; each vector starts a beat."""
    vectors, length = operand.lines, operand.length
    if operand.packed:
        words = PackedLayout.of(config.bfp).words(operand.chunks * chunk)
        length = -(-length // config.bfp.lanes) * words
    elif operand.transposed:
        vectors, length = length, vectors
    return vectors * -(-length // config.engine.input_width)
