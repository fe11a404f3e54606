"""Lane of a converter: unpacks an FP32 number and quantizes its magnitude."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.formats.fp32 import FP32
from lowtide.netlist import Unit, place
from lowtide.units.conversion.params import ConverterParams
from lowtide.units.rounding.rounder import Rounder
from lowtide.units.stream.delay import delayed

__all__ = ["Fp32Unpacker", "MantissaQuantizer"]


class Fp32Unpacker(Unit):
    """FP32 unpacker: computes a number's depth below the top of the exponent window, its fraction, and flags.

    ``depth = top - exponent field``. Zeros, subnormal numbers, NaNs, and numbers too small to leave a bit have a depth
    of all ones. The outputs are valid ``latency`` cycles of ``enable`` after the number.

    As the window is given, the depth needs only a few of the exponent's eight bits.

    Parameters
    ----------
    params : ConverterParams
        Parameters of the converter.

    Members
    -------
    enable : In(1)
        The registers load while high.
    i : In(FP32)
        Number.
    top : In(9)
        Exponent field of the window's top; steady.
    depth : Out(params.depth)
        Depth; valid while ``above`` is low.
    above : Out(1)
        High if the number exceeds the window.
    largest : Out(1)
        High if the number has the largest magnitude: it exceeds the window or is infinite.
    fraction : Out(params.fraction)
        Upper bits of the significand below the leading one. For ``nearest_even`` the lowest bit is sticky.
    sign : Out(1)
        Sign.
    nonfinite : Out(1)
        High if the number is NaN or infinite.

    Attributes
    ----------
    latency : int
        Cycles from the number to the outputs.
    """

    latency = 2

    def __init__(self, params: ConverterParams):
        self.params = params
        self.module_name = f"fp32_unpacker_f{params.fraction}_d{params.depth}" + "_sticky" * params.sticky
        super().__init__(
            {
                "enable": In(1),
                "i": In(FP32),
                "top": In(9),
                "depth": Out(params.depth),
                "above": Out(1),
                "largest": Out(1),
                "fraction": Out(params.fraction),
                "sign": Out(1),
                "nonfinite": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        sticky = self.params.sticky
        kept = min(self.params.fraction - sticky, 23)
        exponent = self.i.exponent

        def register(value: Value) -> Value:
            return delayed(m, value, enable=self.enable)

        # Registers split wide conditions, so that neither cycle has many levels of logic, which would cost more.
        distance = Signal(10)
        m.d.comb += distance.eq(self.top - exponent)
        depth = register(distance[: self.params.depth])
        far = register(distance[self.params.depth : 9].any())
        above = register(distance[9])
        some = [register(exponent[:4].any()), register(exponent[4:].any())]
        special = register(exponent.all())
        fraction = register(self.i.fraction[23 - kept :])
        rest = register(self.i.fraction[: 23 - kept].any())

        nan = Signal()
        nothing = Signal()
        m.d.comb += [
            nan.eq(special & (fraction.any() | rest)),
            nothing.eq(~(some[0] | some[1]) | (far & ~above) | nan),
            self.depth.eq(register(Mux(nothing, 2**self.params.depth - 1, depth))),
            self.above.eq(register(above & ~nan)),
            self.largest.eq(register((above | special) & ~nan)),
            self.fraction[-kept:].eq(register(fraction)),
            self.sign.eq(delayed(m, self.i.sign, 2, enable=self.enable)),
            self.nonfinite.eq(register(special)),
        ]
        if sticky:
            m.d.comb += self.fraction[0].eq(register(rest))
        return m


class MantissaQuantizer(Unit):
    """Mantissa quantizer: shifts a significand to its group's exponent, rounds it, and saturates it.

    A number at depth ``top_depth`` has its leading one in the highest bit of ``mantissa``; the unit shifts a deeper
    number by the difference. The outputs are valid ``latency`` cycles of ``enable`` after the number.

    Parameters
    ----------
    params : ConverterParams
        Parameters of the converter.

    Members
    -------
    enable : In(1)
        The registers load while high.
    depth : In(params.depth)
        Depth of the number, from its `Fp32Unpacker`.
    largest : In(1)
        High if the number has the largest magnitude, from its `Fp32Unpacker`.
    fraction : In(params.fraction)
        Fraction of the number, from its `Fp32Unpacker`.
    sign : In(1)
        Sign of the number, from its `Fp32Unpacker`.
    top_depth : In(params.top_depth)
        Depth of a number that is not shifted.
    mask : In(mantissa)
        Bits that a magnitude uses, which are also the largest magnitude; steady.
    random : In(random)
        Random word, ``draw`` cycles after the number. Only with stochastic rounding.
    magnitude : Out(mantissa)
        Magnitude.
    negative : Out(1)
        Sign of the number if the magnitude is not zero, otherwise 0.
    saturated : Out(1)
        High if the magnitude is saturated.
    shifted : Out(mantissa + dropped)
        Shifted significand, ``shown`` cycles after the number: the truncated magnitude and the bits that decide on its
        rounding; all ones if the number has the largest magnitude.

    Attributes
    ----------
    draw : int
        Cycles from the number to its random word.
    shown : int
        Cycles from the number to its shifted significand.
    latency : int
        Cycles from the number to its magnitude.
    """

    draw = 2
    shown = 2
    latency = 4

    def __init__(self, params: ConverterParams):
        self.params = params
        words = f"_r{params.random}" if params.stochastic else ""
        self.module_name = (
            f"mantissa_quantizer_m{params.mantissa}_w{params.chunk}_e{params.exponent}_{params.rounding}{words}"
        )
        ports = {
            "enable": In(1),
            "depth": In(params.depth),
            "largest": In(1),
            "fraction": In(params.fraction),
            "sign": In(1),
            "top_depth": In(params.top_depth),
            "mask": In(params.mantissa),
            "magnitude": Out(params.mantissa),
            "negative": Out(1),
            "saturated": Out(1),
            "shifted": Out(params.significand),
        }
        super().__init__(ports | ({"random": In(params.random)} if params.stochastic else {}))

    def elaborate(self, platform):
        m = Module()
        params = self.params

        def register(value: Value, cycles: int = 1) -> Value:
            return delayed(m, value, cycles, enable=self.enable)

        shift = Signal(params.depth + 1)
        places = (params.significand - 1).bit_length()
        m.d.comb += shift.eq(self.depth - self.top_depth)
        amount = register(shift[:places])
        vanishes = register(shift[places:].any())

        significand = Cat(register(self.fraction), Const(1, 1))[-params.significand :]
        value = register(Mux(vanishes, 0, self._shifted(m, significand, amount)))

        m.d.comb += self.shifted.eq(value | register(self.largest, 2).replicate(params.significand))
        value = value if params.dropped else Cat(Const(0, 1), value)
        random = {"random": self.random} if params.stochastic else {}
        rounder = place(m, platform, "rounder", Rounder(params.rounder), value=value, **random)
        rounded = register(rounder.o)  # one bit wider than a magnitude

        saturates = Signal()
        magnitude = Signal(params.mantissa)
        m.d.comb += [
            saturates.eq((rounded & ~Cat(self.mask, 0)).any() | register(self.largest, 3)),
            magnitude.eq((rounded[:-1] | saturates.replicate(params.mantissa)) & self.mask),
            self.magnitude.eq(register(magnitude)),
            self.negative.eq(register(magnitude.any() & register(self.sign, 3))),
            self.saturated.eq(register(saturates)),
        ]
        return m

    def _shifted(self, m: Module, word: Value, amount: Value) -> Value:
        """Return the word shifted to the right; if the lowest bit is sticky, it includes every bit shifted out."""
        for place_ in reversed(range(len(amount))):
            shifted = Signal(len(word), name=f"shifted_{1 << place_}")
            passed = word[: (1 << place_) + 1].any() if self.params.sticky else word[1 << place_]
            m.d.comb += shifted.eq(Mux(amount[place_], Cat(passed, word[(1 << place_) + 1 :]), word))
            word = shifted
        return word
