"""Requantizer: converts an accumulator to an integer of the next layer."""

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
    """Parameters of a requantizer.

    Parameters
    ----------
    width : int
        Bits of an integer of the next layer.
    accumulator : int
        Bits of an accumulator.
    encoding : str
        Encoding of the magnitude's digits, for keeping the largest terms.
    multiplier : int
        Bits of the multiplier.
    product : str
        Implementation of the multiplication, see `Multiplier`: ``inferred`` for DSP blocks, or ``adders``.

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
        """Largest shift with nonzero results."""
        return self.accumulator + self.multiplier - 1

    @property
    def revealed(self) -> int:
        """Bits of a result in two's complement."""
        return digits_of_integer(self.width, self.encoding) + 1

    @property
    def most_terms(self) -> int:
        """Largest number of terms of an integer."""
        return terms_of_integer(self.width, self.encoding)

    @property
    def name(self) -> str:
        """Parameters as a part of a module name."""
        product = "" if self.product == "inferred" else f"_{self.product}"
        return f"{self.accumulator}x{self.multiplier}_w{self.width}_{self.encoding}{product}"

    @property
    def settings(self) -> dict[str, In]:
        """Ports of the settings, which may change between accumulators or rows."""
        return {
            "multiplier": In(self.multiplier),
            "shift": In(range(self.max_shift + 1)),
            "relu": In(1),
            "data_terms": In(range(self.most_terms + 1)),
        }

    @property
    def layout_i(self) -> data.StructLayout:
        """Layout of an accumulator with a user-defined mark."""
        return data.StructLayout({"data": signed(self.accumulator), "last": 1})

    @property
    def layout_o(self) -> data.StructLayout:
        """Layout of a result with the mark."""
        return data.StructLayout({"data": signed(self.revealed), "last": 1})


class Requantizer(Unit):
    """Requantizer: converts an accumulator to an integer of ``width`` bits with its largest terms.

    The unit rounds ``acc * multiplier / 2**shift`` once, to nearest, ties to even. With ``relu``, negative results
    become 0. Results beyond ``+-(2**(width-1) - 1)`` saturate and set a flag. The result keeps the ``data_terms``
    largest terms of the integer.

    All stages advance together, whenever the last stage is empty or its result is accepted. So the unit loses no result
    and can accept an accumulator in every cycle.

    Parameters
    ----------
    params : RequantizerParams
        Widths, encoding, and multiplication.

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
        self._shifter = RoundingShifter(in_width, params.max_shift.bit_length(), params.width)
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
        """Cycles from an accepted accumulator to its result on ``o``, if nothing stalls."""
        return self._multiplier.latency + self._shifter.latency + Revealer.latency

    def elaborate(self, platform):
        m = Module()
        params, multiplier, shifter = self.params, self._multiplier, self._shifter
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
            "shifter",
            shifter,
            enable=move,
            i=multiplier.o,
            shift=register(self.shift, multiplier.latency),
            relu=register(self.relu, multiplier.latency),
        )
        to_terms = multiplier.latency + shifter.latency + Revealer.choice
        revealer = place(
            m,
            platform,
            "revealer",
            Revealer(params.width, params.encoding),
            enable=move,
            i=shifter.o,
            s=register(self.data_terms, to_terms),
        )
        m.d.comb += [
            self.o.valid.eq(valid),
            self.o.payload.data.eq(revealer.o),
            self.o.payload.last.eq(register(self.i.payload.last, self.latency)),
            self.saturated.eq(register(shifter.saturated, Revealer.latency)),
        ]
        return m
