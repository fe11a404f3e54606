"""Requantizer: an accumulator becomes data of the next layer."""

import attrs
from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from lowtide.formats.parameter import parameter
from lowtide.formats.terms import ENCODINGS, digits_of_integer, terms_of_integer
from lowtide.netlist import Unit, place
from lowtide.units.arithmetic.multiplier import PRODUCTS, Multiplier
from lowtide.units.requantization.rounding_shifter import RoundingShifter
from lowtide.units.stream.delay import delayed
from lowtide.units.terms.revealer import Revealer

__all__ = ["Requantizer", "RequantizerParams"]


@attrs.frozen(kw_only=True)
class RequantizerParams:
    """What a requantizer is generated for.

    Parameters
    ----------
    width : int
        Bits of an integer of the next layer.
    accumulator : int
        Bits of an accumulator.
    encoding : str
        Digits of a magnitude, of which the largest terms are kept.
    multiplier : int
        Bits of the multiplier.
    product : str
        How it multiplies, as of `Multiplier`: ``inferred``, for DSP blocks, or by ``adders``.

    Raises
    ------
    IllegalValue
        If a parameter is out of range.
    """

    width: int = parameter(8, range(2, 17), "bits of an integer of the next layer")
    accumulator: int = parameter(28, range(2, 65), "bits of an accumulator")
    encoding: str = parameter("hese", ENCODINGS, "digits of a magnitude")
    multiplier: int = parameter(16, range(1, 17), "bits of the multiplier")
    product: str = parameter("inferred", PRODUCTS, "multiplication: inferred for DSP blocks, or adders")

    @property
    def max_shift(self) -> int:
        """Largest shift that can leave more than 0."""
        return self.accumulator + self.multiplier - 1

    @property
    def revealed(self) -> int:
        """Bits of a result in two's complement."""
        return digits_of_integer(self.width, self.encoding) + 1

    @property
    def most_terms(self) -> int:
        """Most terms of an integer."""
        return terms_of_integer(self.width, self.encoding)

    @property
    def name(self) -> str:
        """What tells one from another in names of modules."""
        product = "" if self.product == "inferred" else f"_{self.product}"
        return f"{self.accumulator}x{self.multiplier}_w{self.width}_{self.encoding}{product}"

    @property
    def settings(self) -> dict[str, In]:
        """Ports of what may change from one accumulator, or row of them, to the next."""
        return {
            "multiplier": In(self.multiplier),
            "shift": In(range(self.max_shift + 1)),
            "relu": In(1),
            "data_terms": In(range(self.most_terms + 1)),
        }

    @property
    def layout_i(self) -> data.StructLayout:
        """Layout of an accumulator, and a mark that goes along."""
        return data.StructLayout({"data": signed(self.accumulator), "last": 1})

    @property
    def layout_o(self) -> data.StructLayout:
        """Layout of a result, and the mark."""
        return data.StructLayout({"data": signed(self.revealed), "last": 1})


class Requantizer(Unit):
    """Gives an accumulator as data of the next layer: an integer of ``width`` bits, with its largest terms.

    ``acc * multiplier / 2**shift`` is rounded once, to nearest, ties to even; with ``relu``, what is negative becomes
    0; what is beyond ``+-(2**(width-1) - 1)`` is held there, and flagged beside the result, to be counted. Of the
    integer the ``data_terms`` largest terms are left.

    All stages move together, whenever the last of them is empty or its result is taken: none is lost or waits for
    another, and one can be taken in every cycle.

    Parameters
    ----------
    params : RequantizerParams
        Widths, encoding, and how it multiplies.

    Members
    -------
    i : In(stream of {"data": signed(accumulator), "last": 1})
        Accumulators. ``last`` is user-defined and passes through.
    multiplier : In(multiplier)
        Factor. This and the other settings are sampled with each accumulator and may change between accumulators.
    shift : In(range(max_shift + 1))
        Power of two to divide by. Every value of the port is legal; beyond ``max_shift``, results are 0.
    relu : In(1)
        Negative results become 0 while high.
    data_terms : In(range(most_terms + 1))
        Terms that a result keeps.
    o : Out(stream of {"data": signed(revealed), "last": 1})
        Results, ``latency`` cycles later if nothing stalls. With all terms, they are integers of ``width`` bits.
    saturated : Out(1)
        High while the integer of the result on ``o`` is saturated.
    """

    def __init__(self, params: RequantizerParams):
        self.params = params
        self.module_name = f"requantizer_{params.name}"
        self._multiplier = Multiplier(params.accumulator, params.multiplier, params.product)
        in_width = params.accumulator + params.multiplier
        self._narrower = RoundingShifter(in_width, params.max_shift.bit_length(), params.width)
        super().__init__(
            {
                "i": In(stream.Signature(params.layout_i)),
                **params.settings,
                "o": Out(stream.Signature(params.layout_o)),
                "saturated": Out(1),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from an accumulator that is taken to its result offered, if nothing stalls."""
        return self._multiplier.latency + self._narrower.latency + Revealer.latency

    def elaborate(self, platform):
        m = Module()
        params, multiplier, narrower = self.params, self._multiplier, self._narrower
        move = Signal()
        m.d.comb += [move.eq(self.o.ready | ~self.o.valid), self.i.ready.eq(move)]

        def register(value: Value, cycles: int) -> Value:
            return delayed(m, value, cycles, enable=move)

        valid = self.i.valid
        for _ in range(self.latency):
            there = Signal(name="there")
            with m.If(move):
                m.d.sync += there.eq(valid)
            valid = there

        place(m, platform, "product", multiplier, enable=move, i=self.i.payload.data, by=self.multiplier)
        place(
            m,
            platform,
            "narrower",
            narrower,
            enable=move,
            i=multiplier.o,
            shift=register(self.shift, multiplier.latency),
            relu=register(self.relu, multiplier.latency),
        )
        to_choice = multiplier.latency + narrower.latency + Revealer.choice
        revealer = place(
            m,
            platform,
            "revealer",
            Revealer(params.width, params.encoding),
            enable=move,
            i=narrower.o,
            s=register(self.data_terms, to_choice),
        )
        m.d.comb += [
            self.o.valid.eq(valid),
            self.o.payload.data.eq(revealer.o),
            self.o.payload.last.eq(register(self.i.payload.last, self.latency)),
            self.saturated.eq(register(narrower.saturated, Revealer.latency)),
        ]
        return m
