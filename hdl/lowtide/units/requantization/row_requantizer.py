"""Row requantizer: converts rows of an array's results to data of the next layer, several values per cycle."""

import attrs
from amaranth.hdl import Module, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import parameter
from lowtide.netlist import Unit
from lowtide.units.requantization.requantizer import Requantizer, RequantizerParams
from lowtide.units.row_lanes import count_accepted, place_lanes
from lowtide.units.stream.width_converters import StreamDownsizer, check_lanes

__all__ = ["RowRequantizer", "RowRequantizerParams"]


@attrs.frozen(kw_only=True)
class RowRequantizerParams(RequantizerParams):
    """Parameters of a row requantizer: `RequantizerParams` and rows.

    Parameters
    ----------
    columns : int
        Accumulators of a row.
    lanes : int
        Values per cycle, a divisor of ``columns``: a row takes ``columns / lanes`` cycles.
    counter_bits : int
        Bits of the counter of saturated values.

    Raises
    ------
    IllegalValue
        If a parameter is out of range, or ``lanes`` does not divide ``columns``.
    """

    columns: int = parameter(8, range(1, 513), "accumulators of a row")
    lanes: int = parameter(1, range(1, 513), "values per cycle, a divisor of the columns")
    counter_bits: int = parameter(16, range(10, 33), "bits of the counter of saturated values")

    def __attrs_post_init__(self):
        check_lanes("lanes", self.lanes, self.columns)

    @property
    def one(self) -> RequantizerParams:
        """Parameters of each requantizer."""
        names = [field.name for field in attrs.fields(RequantizerParams)]
        return RequantizerParams(**{name: getattr(self, name) for name in names})

    @property
    def layout_settings(self) -> data.StructLayout:
        """Layout of a word of settings."""
        return data.StructLayout({name: port.shape for name, port in self.settings.items()})

    @property
    def layout_i(self) -> data.StructLayout:
        """Layout of a row of accumulators, as an array sends it."""
        return data.StructLayout({"data": self.columns * self.accumulator, "last": 1})

    @property
    def layout_o(self) -> data.StructLayout:
        """Layout of a beat of values, the lowest column in lane 0, with marks of the last beat of a row and tile."""
        lanes = data.ArrayLayout(signed(self.revealed), self.lanes)
        return data.StructLayout({"lane": lanes, "row": 1, "last": 1})


class RowRequantizer(Unit):
    """Row requantizer: converts rows of accumulators to integers, ``lanes`` columns per cycle, column 0 first.

    The source must hold a row until the unit accepts it with its last beat, see `StreamDownsizer`. A `Requantizer` per
    lane converts the values; all columns have the same settings.

    The unit keeps up with an array if ``lanes >= rows * columns / max(beats + 1, 2 * rows)``, for tiles of ``rows``
    rows and ``beats`` operand beats.

    Parameters
    ----------
    params : RowRequantizerParams
        Columns, lanes, and parameters of a requantizer.

    Members
    -------
    i : In(stream of {"data": columns * accumulator, "last": 1})
        Rows of signed accumulators, column 0 in the lowest bits. ``last`` marks the last row of a tile.
    multiplier : In(multiplier)
        Factor. This and the other settings are steady while a row is offered and may change between rows.
    shift : In(range(max_shift + 1))
        Power of two to divide by. Every value of the port is legal; beyond ``max_shift``, results are 0.
    relu : In(1)
        Negative results become 0 while high.
    data_terms : In(range(most_terms + 1))
        Terms that a result keeps.
    o : Out(stream of {"lane": ArrayLayout(signed(revealed), lanes), "row": 1, "last": 1})
        Beats of values. The first beat of a row follows ``latency`` cycles after the row is offered if nothing stalls.
        ``row`` marks the last beat of a row, ``last`` the last beat of a tile.
    clear : In(1)
        Resets the count.
    saturations : Out(counter_bits)
        Saturated values accepted since reset or ``clear``. The counter saturates, and counts a value
        ``SaturatingCounter.latency`` cycles after it is accepted.

    Attributes
    ----------
    latency : int
        Cycles from an offered row to its first beat.
    """

    def __init__(self, params: RowRequantizerParams):
        self.params = params
        self.module_name = f"row_requantizer_{params.columns}x{params.name}_n{params.lanes}_c{params.counter_bits}"
        self._downsizer = StreamDownsizer(params.columns, params.accumulator, params.lanes)
        self.latency = self._downsizer.latency + Requantizer(params.one).latency
        super().__init__(
            {
                "i": In(stream.Signature(params.layout_i)),
                **params.settings,
                "o": Out(stream.Signature(params.layout_o)),
                "clear": In(1),
                "saturations": Out(params.counter_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        settings = {name: getattr(self, name) for name in self.params.settings}
        requantizers = place_lanes(
            m, platform, self, self._downsizer, "requantizer", lambda: Requantizer(self.params.one), settings
        )
        events = (requantizer.saturated for requantizer in requantizers)
        count_accepted(m, platform, self, "saturations", events, self.params.counter_bits)
        return m
