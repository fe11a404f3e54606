"""An array whose results are integers again, data of the next layer."""

from amaranth.hdl import Cat
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.array.params import RequantizationParams
from lowtide.array.systolic import SystolicArray
from lowtide.array.terms.array import TermArray
from lowtide.formats.beats import word_beat
from lowtide.formats.terms import Terms
from lowtide.netlist import Structure
from lowtide.units.requantization.row_requantizer import RowRequantizerParams
from lowtide.units.requantization.tile_requantizer import TileRequantizer

__all__ = ["RequantizedArray"]


class RequantizedArray(Structure):
    """An array of integers or terms, and a `TileRequantizer` behind it.

    A row of a tile leaves as ``columns / lanes`` beats of integers, column 0 first: of each datum of this layer, the
    next ``columns`` values that the next layer reduces over. Where rows come faster than that, they wait, and in the
    end the operands do.

    Parameters
    ----------
    array : SystolicArray or TermArray
        What multiplies.
    terms : Terms
        Width and encoding of the integers.
    requantizing : RequantizationParams
        Lanes, and those of the multiplication.

    Members
    -------
    a, b, misaligned, and those for settings
        As those of the array.
    c : Out(stream of {data, last})
        Beats of ``lanes`` signed integers of ``digits + 1`` bits. ``last`` marks the last of a tile.
    requantize : In(stream of RowRequantizerParams.layout_settings)
        A word for each tile, in the order of the tiles; its results wait for it.
    saturations, saturations_clear : Out(counter), In(1)
        Results that were held since reset, or since they were cleared.

    Raises
    ------
    IllegalValue
        If ``lanes`` does not divide the columns.
    """

    def __init__(self, array: SystolicArray | TermArray, terms: Terms, requantizing: RequantizationParams):
        self.array, self.terms = array, terms
        self.rows, self.columns = array.rows, array.columns
        self.element, self.spacing = array.element, array.spacing
        self.requantizer = TileRequantizer(
            RowRequantizerParams(
                width=terms.width,
                accumulator=array.element().accumulator,
                encoding=terms.encoding,
                multiplier=requantizing.multiplier,
                product=requantizing.product,
                columns=array.columns,
                lanes=requantizing.lanes,
                counter=requantizing.counter_bits,
            )
        )
        self.latency = array.latency + self.requantizer.latency
        params = self.requantizer.params
        self.module_name = f"requantized_{array.module_name}_{self.requantizer.module_name}"
        members = array.signature.members
        self._beside = {name: member.flow for name, member in members.items() if member.is_port}
        super().__init__(
            {name: members[name] for name in members if name != "c"}
            | {
                "c": Out(stream.Signature(word_beat(params.lanes * params.revealed))),
                "requantize": In(stream.Signature(params.layout_settings)),
                "saturations": Out(params.counter),
                "saturations_clear": In(1),
            }
        )

    def wire(self, place):
        array, requantizer = self.array, self.requantizer
        place(
            "array",
            array,
            **{name: getattr(self, name) for name, flow in self._beside.items() if flow is In},
            a__payload=self.a.payload,
            a__valid=self.a.valid,
            b__payload=self.b.payload,
            b__valid=self.b.valid,
            c__ready=requantizer.i.ready,
        )
        place(
            "requantizer",
            requantizer,
            i__payload=array.c.payload,
            i__valid=array.c.valid,
            settings__payload=self.requantize.payload,
            settings__valid=self.requantize.valid,
            o__ready=self.c.ready,
            clear=self.saturations_clear,
        )
        o = requantizer.o
        return {
            "a__ready": array.a.ready,
            "b__ready": array.b.ready,
            "c__valid": o.valid,
            "c__payload": Cat(o.payload.lane, o.payload.last),
            "requantize__ready": requantizer.settings.ready,
            "saturations": requantizer.saturations,
            **{name: getattr(array, name) for name, flow in self._beside.items() if flow is Out},
        }
