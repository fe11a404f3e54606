"""Cycles, bytes and limits of layers on an engine."""

from collections.abc import Sequence
from typing import Any

import attrs

from lowtide.config import Config
from lowtide.formats.packed import PackedLayout
from lowtide.formats.parameter import IllegalValue, count, flag
from lowtide_model.engine.cycles import CycleModel, Occupancy, Shape, Work
from lowtide_model.engine.passes import split
from lowtide_model.engine.results import result_beats

__all__ = ["FLAG", "MOST", "SIZE", "TEXT", "Cost", "Layer", "Setting", "layer_costs"]

MOST = 2**20
"""Largest size of a product, and most repetitions of a layer."""


def _size(value: Any, field: Any) -> int:
    if count(field.name, value, 1) > MOST:
        raise IllegalValue(field.name, f"from 1 to {MOST}", value)
    return int(value)


def _text(value: Any, field: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or not value.strip():
        raise IllegalValue(field.name, "a line of text", value)
    return value


SIZE, TEXT = (attrs.Converter(function, takes_field=True) for function in (_size, _text))
FLAG = attrs.Converter(lambda value, field: flag(field.name, value), takes_field=True)

NEARLY = 0.95
"""A part is a limit if it is busy for this share of the busiest part's cycles, or more."""
IDLE = 0.8
"""If even the busiest part is busy for a smaller share of all cycles, the limit is the start-up."""
SPACED = 0.9
"""If beats are a smaller share of the tiles' cycles, the spacing of the tiles limits, and not the array."""


@attrs.frozen(kw_only=True)
class Layer:
    """A product of A (M × K) and B (K × N), repeated.

    Parameters
    ----------
    name : str
        Name of the layer.
    m, k, n : int
        Sizes. A convolution is a product of its im2col matrix and its weights.
    count : int
        Consecutive repetitions: heads, or equal layers.
    weights : bool
        Whether B has weights; otherwise B has activations too.
    transposed : bool
        Whether B lies in memory as K rows of N, so that FP32 numbers arrive transposed. Packed groups lie along K.
    """

    name: str = attrs.field(converter=TEXT)
    m: int = attrs.field(converter=SIZE)
    k: int = attrs.field(converter=SIZE)
    n: int = attrs.field(converter=SIZE)
    count: int = attrs.field(default=1, converter=SIZE)
    weights: bool = attrs.field(default=True, converter=FLAG)
    transposed: bool = attrs.field(default=False, converter=FLAG)

    @property
    def macs(self) -> int:
        """Multiplications of all repetitions."""
        return self.m * self.k * self.n * self.count


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
        chunks = self.bits_b // bfp.chunk_b
        transposed = layer.transposed and not self.packed and config.engine.transpose_depth > 0
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


def layer_costs(config: Config, layers: Sequence[Layer], setting: Setting | Sequence[Setting]) -> list[Cost]:
    """Cost of each layer; its cycles run from the last result of the layer before to its own last result.

    Parameters
    ----------
    config : Config
        Configuration of the engine.
    layers : sequence of Layer
        Layers in the order of computation.
    setting : Setting or sequence of Setting
        Setting of all layers, or of each layer.
    """
    model = CycleModel(config)
    settings = [setting] * len(layers) if isinstance(setting, Setting) else list(setting)
    works = [of.works(config, layer) for layer, of in zip(layers, settings, strict=True)]
    ends = iter(model.ends([work for layer in works for work in layer]))
    before, costs = 0, []
    for layer, own, of in zip(layers, works, settings, strict=True):
        end = [next(ends) for _ in own][-1]
        costs.append(_cost(config, model, layer, own, of, end - before))
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
