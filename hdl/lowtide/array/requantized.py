"""An array whose results are integers again, data of the next layer."""

from amaranth.hdl import Cat
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from lowtide.array.params import Requantising
from lowtide.array.systolic import SystolicArray
from lowtide.array.terms.array import TermArray
from lowtide.formats.beats import beat_layout
from lowtide.formats.terms import Terms
from lowtide.netlist import Structure
from lowtide.units.requantization.row_requantizer import RowRequantiserShape
from lowtide.units.requantization.tile_requantizer import TileRequantiser

__all__ = ["RequantisedArray"]


class RequantisedArray(Structure):
    """An array of integers or terms, and a `TileRequantiser` behind it.

    A row of a tile leaves as ``columns / lanes`` beats of integers, column 0 first: of each datum of this layer, the
    next ``columns`` values that the next layer reduces over. Where rows come faster than that, they wait, and in the
    end the operands do.

    Parameters
    ----------
    array : SystolicArray or TermArray
        What multiplies.
    terms : Terms
        Width and encoding of the integers.
    requantising : Requantising
        Lanes, and those of the multiplication.

    Members
    -------
    a, b, misaligned, and those for settings
        As those of the array.
    c : Out(stream of {data, last})
        Beats of ``lanes`` signed integers of ``digits + 1`` bits. ``last`` marks the last of a tile.
    requantise : In(stream of RowRequantiserShape.layout_settings)
        A word for each tile, in the order of the tiles; its results wait for it.
    saturations, saturations_clear : Out(counter), In(1)
        Results that were held since reset, or since they were cleared.

    Raises
    ------
    IllegalValue
        If ``lanes`` does not divide the columns.
    """

    def __init__(self, array: SystolicArray | TermArray, terms: Terms, requantising: Requantising):
        self.array, self.terms = array, terms
        self.rows, self.columns = array.rows, array.columns
        self.element, self.spacing = array.element, array.spacing
        self.requantiser = TileRequantiser(
            RowRequantiserShape(
                width=terms.width,
                accumulator=array.element().accumulator,
                encoding=terms.encoding,
                multiplier=requantising.multiplier,
                product=requantising.product,
                columns=array.columns,
                lanes=requantising.lanes,
                counter=requantising.counter,
            )
        )
        self.latency = array.latency + self.requantiser.latency
        shape = self.requantiser.shape
        self.module_name = f"requantised_{array.module_name}_{self.requantiser.module_name}"
        members = array.signature.members
        self._beside = {name: member.flow for name, member in members.items() if member.is_port}
        super().__init__(
            {name: members[name] for name in members if name != "c"}
            | {
                "c": Out(stream.Signature(beat_layout(shape.lanes * shape.revealed))),
                "requantise": In(stream.Signature(shape.layout_settings)),
                "saturations": Out(shape.counter),
                "saturations_clear": In(1),
            }
        )

    def wire(self, place):
        array, requantiser = self.array, self.requantiser
        place(
            "array",
            array,
            **{name: getattr(self, name) for name, flow in self._beside.items() if flow is In},
            a__payload=self.a.payload,
            a__valid=self.a.valid,
            b__payload=self.b.payload,
            b__valid=self.b.valid,
            c__ready=requantiser.i.ready,
        )
        place(
            "requantiser",
            requantiser,
            i__payload=array.c.payload,
            i__valid=array.c.valid,
            settings__payload=self.requantise.payload,
            settings__valid=self.requantise.valid,
            o__ready=self.c.ready,
            clear=self.saturations_clear,
        )
        o = requantiser.o
        return {
            "a__ready": array.a.ready,
            "b__ready": array.b.ready,
            "c__valid": o.valid,
            "c__payload": Cat(o.payload.lane, o.payload.last),
            "requantise__ready": requantiser.settings.ready,
            "saturations": requantiser.saturations,
            **{name: getattr(array, name) for name, flow in self._beside.items() if flow is Out},
        }
