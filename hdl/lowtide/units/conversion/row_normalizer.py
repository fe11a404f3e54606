"""Row normalizer: converts rows of an array's results to FP32, several numbers per cycle."""

import attrs
from amaranth.hdl import Module, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import FP32
from lowtide.formats.parameter import IllegalValue, parameter
from lowtide.netlist import Unit
from lowtide.units.conversion.normalizer import Normalizer, NormalizerParams
from lowtide.units.row_lanes import count_accepted, place_lanes
from lowtide.units.stream.width_converters import StreamDownsizer, check_lanes

__all__ = ["RowNormalizer", "RowNormalizerParams"]

MOST_ROW_BITS = 65_500
"""Most bits of a row: Amaranth writes no signal wider than 65,536 bits, and no unit with more inputs."""


@attrs.frozen(kw_only=True)
class RowNormalizerParams:
    """Parameters of a row normalizer.

    Parameters
    ----------
    columns : int
        Accumulators of a row.
    width : int
        Bits of an accumulator.
    normalizers : int
        Numbers per cycle, a divisor of ``columns``: a row takes ``columns / normalizers`` cycles.
    counter_bits : int
        Bits of the counters of overflows and underflows.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, the row is too wide, or ``normalizers`` does not divide ``columns``.
    """

    columns: int = parameter(8, range(1, 513), "accumulators of a row")
    width: int = parameter(35, range(2, 129), "bits of an accumulator")
    normalizers: int = parameter(1, range(1, 513), "numbers per cycle, a divisor of the columns")
    counter_bits: int = parameter(16, range(10, 33), "bits of the counters of overflows and underflows")

    def __attrs_post_init__(self):
        most = MOST_ROW_BITS // self.width
        if self.columns > most:
            because = f"a row has at most {MOST_ROW_BITS:,} bits, {self.width} per accumulator"
            raise IllegalValue("columns", f"from 1 to {most} ({because})", self.columns)
        check_lanes("normalizers", self.normalizers, self.columns)

    @property
    def beats(self) -> int:
        """Cycles per row."""
        return self.columns // self.normalizers

    @property
    def layout_i(self) -> data.StructLayout:
        """Layout of a row of accumulators, as an array sends it."""
        return data.StructLayout({"data": self.columns * self.width, "last": 1})

    @property
    def layout_o(self) -> data.StructLayout:
        """Layout of a beat of numbers, the lowest column in lane 0, with marks of the last beat of a row and tile."""
        return data.StructLayout({"lane": data.ArrayLayout(FP32, self.normalizers), "row": 1, "last": 1})


class RowNormalizer(Unit):
    """Row normalizer: converts rows of accumulators to FP32, ``normalizers`` columns per cycle, column 0 first.

    The source must hold a row until the unit accepts it with its last beat, see `StreamDownsizer`.

    The unit keeps up with an array if ``normalizers >= rows * columns / max(beats + 1, 2 * rows)``, for tiles of
    ``rows`` rows and ``beats`` operand beats.

    Parameters
    ----------
    params : RowNormalizerParams
        Columns, width, normalizers.

    Members
    -------
    i : In(stream of {"data": columns * width, "last": 1})
        Rows of signed accumulators, column 0 in the lowest bits. ``last`` marks the last row of a tile.
    scale : In(signed(10))
        Exponent of an accumulator's lowest bit. Steady while a row is offered; it may change between rows.
    o : Out(stream of {"lane": ArrayLayout(FP32, normalizers), "row": 1, "last": 1})
        Beats of numbers. The first beat of a row follows ``latency`` cycles after the row is offered if nothing stalls.
        ``row`` marks the last beat of a row, ``last`` the last beat of a tile.
    clear : In(1)
        Resets the counts.
    overflows, underflows : Out(counter_bits)
        Results accepted since reset or ``clear`` that were infinite, or zero from a nonzero accumulator. The counters
        saturate, and count a result ``SaturatingCounter.latency`` cycles after it is accepted.

    Attributes
    ----------
    latency : int
        Cycles from an offered row to its first beat.
    """

    def __init__(self, params: RowNormalizerParams):
        self.params = params
        self.module_name = (
            f"row_normalizer_{params.columns}x{params.width}_n{params.normalizers}_c{params.counter_bits}"
        )
        self._core = NormalizerParams(width=params.width)
        self._downsizer = StreamDownsizer(params.columns, params.width, params.normalizers)
        self.latency = self._downsizer.latency + Normalizer(self._core).latency
        super().__init__(
            {
                "i": In(stream.Signature(params.layout_i)),
                "scale": In(signed(10)),
                "o": Out(stream.Signature(params.layout_o)),
                "clear": In(1),
                "overflows": Out(params.counter_bits),
                "underflows": Out(params.counter_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        normalizers = place_lanes(
            m, platform, self, self._downsizer, "normalizer", lambda: Normalizer(self._core), {"scale": self.scale}
        )
        for kind in ("overflow", "underflow"):
            events = (getattr(normalizer, kind) for normalizer in normalizers)
            count_accepted(m, platform, self, f"{kind}s", events, self.params.counter_bits)
        return m
