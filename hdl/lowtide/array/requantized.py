"""Requantized array: an array whose results are integers for the next layer."""

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
    """Requantized array: an array of integers or terms followed by a `TileRequantizer`.

    A row of a tile leaves as ``columns / lanes`` beats of integers, column 0 first: for each datum of this layer, the
    next ``columns`` values along the reduction of the next layer. If rows arrive faster than they leave, they wait,
    and finally the operand streams stall.

    Parameters
    ----------
    array : SystolicArray or TermArray
        Array that computes the products.
    terms : Terms
        Width and encoding of the integers.
    requantizing : RequantizationParams
        Lanes and multiplication of the requantizer.

    Members
    -------
    a : In(stream of array.a.payload.shape())
        Beats of A, as `SystolicArray` or `TermArray` takes them: ``data`` and ``last``.
    b : In(stream of array.b.payload.shape())
        Beats of B: ``data`` and ``last``.
    c : Out(stream of word_beat(params.lanes * params.revealed))
        Beats of ``lanes`` signed integers of ``digits + 1`` bits. ``last`` is high with the last beat of a tile.
    requantize : In(stream of params.layout_settings)
        Settings, one word per tile in the order of the tiles. The results of a tile wait for its settings.
    saturations : Out(params.counter_bits)
        Number of saturated results since reset or ``saturations_clear``.
    saturations_clear : In(1)
        Clears ``saturations``.
    settings : In(array.settings.shape())
        New settings of a `TermArray`; only with one.
    settings_write : In(1)
        Pulses for one cycle to write ``settings``; only with a `TermArray`.
    settings_refused : Out(1)
        High after illegal ``settings`` were written, until the next write; only with a `TermArray`.
    misaligned : Out(1)
        High after ``last`` arrived on ``a`` or ``b`` alone, until reset.

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
                counter_bits=requantizing.counter_bits,
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
                "saturations": Out(params.counter_bits),
                "saturations_clear": In(1),
            }
        )

    def wire(self, place):
        array, requantizer = self.array, self.requantizer
        place(
            "array",
            array,
            **{name: getattr(self, name) for name, flow in self._beside.items() if flow is In},
            a=self.a,
            b=self.b,
            c=requantizer.i,
        )
        place(
            "requantizer",
            requantizer,
            i=array.c,
            settings=self.requantize,
            o=self.c,
            clear=self.saturations_clear,
        )
        o = requantizer.o
        return {
            "a": array.a,
            "b": array.b,
            "c__valid": o.valid,
            "c__payload": Cat(o.payload.lane, o.payload.last),
            "requantize": requantizer.settings,
            "saturations": requantizer.saturations,
            **{name: getattr(array, name) for name, flow in self._beside.items() if flow is Out},
        }
