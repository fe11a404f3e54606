"""Tile requantizer: row requantizer with a stream of settings, one word per tile."""

from amaranth.hdl import Module, Mux
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit, place
from lowtide.units.requantization.row_requantizer import RowRequantizer, RowRequantizerParams

__all__ = ["TileRequantizer"]


class TileRequantizer(Unit):
    """Tile requantizer: `RowRequantizer` with a stream of settings, one word per tile.

    Rows wait until settings are offered. The unit accepts a word of settings together with the last row of its tile, so
    that tiles of different layers may follow each other without a gap. A user with constant settings keeps the word
    valid.

    Parameters
    ----------
    params : RowRequantizerParams
        Columns, lanes, and parameters of a requantizer.

    Members
    -------
    i : In(stream of {"data": columns * accumulator, "last": 1})
        Rows of signed accumulators, column 0 in the lowest bits. ``last`` marks the last row of a tile.
    settings : In(stream of params.layout_settings)
        Multiplier, shift, ReLU, and terms of a tile, see `RowRequantizer`.
    o : Out(stream of {"lane": ArrayLayout(signed(revealed), lanes), "row": 1, "last": 1})
        Beats of values; the payload is zero while ``valid`` is low. ``row`` marks the last beat of a row, ``last`` the
        last beat of a tile.
    clear : In(1)
        Resets the count.
    saturations : Out(counter_bits)
        Saturated values accepted since reset or ``clear``, see `RowRequantizer`.

    Attributes
    ----------
    latency : int
        Cycles from an offered row to its first beat, if settings are offered.
    """

    def __init__(self, params: RowRequantizerParams):
        self.params, self._rows = params, RowRequantizer(params)
        self.latency = self._rows.latency
        self.module_name = f"tile_{self._rows.module_name.removeprefix('row_')}"
        super().__init__(
            {
                "i": In(stream.Signature(params.layout_i)),
                "settings": In(stream.Signature(params.layout_settings)),
                "o": Out(stream.Signature(params.layout_o)),
                "clear": In(1),
                "saturations": Out(params.counter_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        rows = place(
            m,
            platform,
            "rows",
            self._rows,
            i__payload=self.i.payload,
            i__valid=self.i.valid & self.settings.valid,
            o=self.o,
            clear=self.clear,
            **{name: self.settings.payload[name] for name in self.params.settings},
        )
        taken = self.settings.valid & rows.i.ready
        m.d.comb += [
            self.i.ready.eq(taken),
            self.settings.ready.eq(self.i.valid & rows.i.ready & self.i.payload.last),
            self.o.valid.eq(rows.o.valid),
            # After a reset the pipeline contains unknown values, which must not leave.
            self.o.payload.eq(Mux(rows.o.valid, rows.o.payload.as_value(), 0)),
            self.saturations.eq(rows.saturations),
        ]
        return m
