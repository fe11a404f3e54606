"""Tile requantizer: rows of an array's results become data of the next layer, with settings for each tile."""

from amaranth.hdl import Module, Mux
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.netlist import Unit, place
from lowtide.units.requantization.row_requantizer import RowRequantizer, RowRequantizerParams

__all__ = ["TileRequantizer"]


class TileRequantizer(Unit):
    """A `RowRequantizer` whose settings come on a stream, a word of them for each tile.

    Rows wait until settings are offered, and these are taken together with the last row of their tile. So tiles of
    different layers may follow each other closely: a word cannot meet the rows of another tile. Who has but one word
    offers it for ever.

    Parameters
    ----------
    params : RowRequantizerParams
        Columns, lanes, and those of a requantizer.

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
    saturations : Out(counter)
        Saturated values accepted since reset or ``clear``, see `RowRequantizer`.

    Attributes
    ----------
    latency : int
        Cycles from a row offered to its first beat offered, if there are settings.
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
                "saturations": Out(params.counter),
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
            # After a reset the pipeline holds unknown values, which no user may see.
            self.o.payload.eq(Mux(rows.o.valid, rows.o.payload.as_value(), 0)),
            self.saturations.eq(rows.saturations),
        ]
        return m
