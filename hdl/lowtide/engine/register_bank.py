"""Register bank: the registers of an engine on a plain bus."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.array.terms.settings import Settings
from lowtide.engine.dispatcher import ProductLayout
from lowtide.engine.integer_layout import IntegerLayout
from lowtide.engine.operand import OperandLayout
from lowtide.engine.registers import IDENTITIES, Register, errors_of, register_table
from lowtide.engine.result_layout import ResultLayout
from lowtide.netlist import Unit
from lowtide.units.conversion.improvement_meter import THRESHOLD

__all__ = ["RegisterBank"]


class RegisterBank(Unit):
    """Register bank: stores settings, starts products, and reports status.

    Each operand setting records whether the value written last fits its bits. While one does not fit, the bank refuses
    ``start``: the product does not reach the engine, and ``refused`` is flagged. A threshold that does not fit is
    flagged when it is written.

    Parameters
    ----------
    element : str
        Element of the array, which the register ``identity`` tells.
    constants : dict
        Parameters of the hardware.
    a, b : OperandLayout or IntegerLayout
        Settings of the operands.
    counter : int
        Width of a counter in bits.
    sum_bits : dict
        Width of the sums of an improvement meter in bits, by operand, for each operand with a meter.
    sums : bool
        Whether the engine has sums on chip.
    c : ResultLayout, optional
        Settings of the results.
    terms : Settings, optional
        Settings of term revealing.

    Members
    -------
    address : In(range(len(table)))
        Number of a register in the table.
    write : In(1)
        Pulses for one cycle to write the register.
    write_data : In(32)
        Data to write.
    read_data : Out(32)
        Content of the register, one cycle after ``address``.
    start : Out(1)
        Pulses for one cycle to start ``product``.
    product : Out(ProductLayout(a, b, sums, c, terms))
        Settings of the product.
    clear : Out(1)
        Pulses for one cycle to clear all counters.
    ready : In(1)
        High while the engine accepts a product.
    idle : In(1)
        High while no product is in the engine.
    refused, a_short, b_short, a_long, b_long : In(1)
        Pulses for one cycle to set a bit of ``errors``. The bank also flags ``refused`` for its own refusals.
    d_short, d_long : In(1)
        Pulses for one cycle to set a bit of ``errors``; only with post operations.
    a_threshold, b_threshold : Out(THRESHOLD)
        Threshold of the relative improvement in units of 1/256; only for an operand with a meter.
    a_above_threshold, b_above_threshold : In(1)
        High when the relative improvement of the operand loaded last is above the threshold; only with a meter.
    a_low_sum, a_high_sum : In(min(sum_bits["a"], 32))
        Low bits of the sums of operand A; only with a meter.
    b_low_sum, b_high_sum : In(min(sum_bits["b"], 32))
        Low bits of the sums of operand B; only with a meter.
    a_low_sum_hi, a_high_sum_hi : In(sum_bits["a"] - 32)
        Bits 32 and up of the sums of operand A; only if there are any.
    b_low_sum_hi, b_high_sum_hi : In(sum_bits["b"] - 32)
        Bits 32 and up of the sums of operand B; only if there are any.
    cycles, beats, waits, stalls, products : In(counter)
        Counters of events, as `COUNTERS` defines them.
    a_exp_saturated, b_exp_saturated, a_nonfinite, b_nonfinite : In(counter)
        Counters of groups, as `CONVERSION_COUNTERS` defines them; only if the engine converts operands.
    a_saturated, b_saturated : In(counter)
        Counters of saturated elements; only if the engine converts operands.
    c_exp_saturated, c_saturated, c_nonfinite : In(counter)
        Counters of results, as `RESULT_COUNTERS` defines them; only with packed results.
    overflows, underflows : In(counter)
        Counters of infinite results, and of zero results whose sums were not zero.
    """

    def __init__(
        self,
        element: str,
        constants: dict[str, int],
        a: OperandLayout | IntegerLayout,
        b: OperandLayout | IntegerLayout,
        counter: int,
        sum_bits: dict[str, int],
        sums: bool,
        c: ResultLayout | None,
        terms: Settings | None,
    ):
        self.constants = {"identity": IDENTITIES[element]} | constants
        self.table, self._errors = register_table(constants, a, b, counter, sum_bits, sums, c, terms), errors_of(c)
        self._sums = sums
        values = "_".join(map(str, constants.values()))
        self.module_name = f"register_bank_{values}_{counter}"
        super().__init__(
            {
                "address": In(range(len(self.table))),
                "write": In(1),
                "write_data": In(32),
                "read_data": Out(32),
                "start": Out(1),
                "product": Out(ProductLayout(a, b, sums, c, terms)),
                "clear": Out(1),
                "ready": In(1),
                "idle": In(1),
                **{f"{side}_threshold": Out(THRESHOLD) for side in sum_bits},
                **{name: In(1) for name in self._errors},
                **{register.name: In(register.bits) for register in self._counts},
            }
        )

    @property
    def _counts(self) -> list[Register]:
        return [register for register in self.table if register.access == "status" and register.name != "status"]

    def elaborate(self, platform):
        m = Module()
        self._misfits: list[Value] = []  # one bit per operand setting whose last value does not fit
        self._refusals: list[Value] = []  # refused writes, in their cycle
        values = [
            self._register(m, register, self.write & (self.address == place))
            for place, register in enumerate(self.table)
        ]
        chosen = (Mux(self.address == place, value, 0) for place, value in enumerate(values))
        m.d.sync += self.read_data.eq(reduce(or_, chosen))
        return m

    def _fits(self, register: Register) -> Value:
        """Return whether the bits above the register carry no information: all zero, or all copies of the sign."""
        if register.signed:
            above = self.write_data[register.bits - 1 :]
            return above.all() | ~above.any()
        return ~self.write_data[register.bits :].any()

    def _register(self, m: Module, register: Register, written: Value) -> Value:
        """Implement a register; return its read value."""
        name, data = register.name, self.write_data[: register.bits]
        match register.access, name:
            case "constant", _:
                return Const(self.constants[name], 32)
            case "setting", _:
                held = Signal(register.bits, name=name)
                side, _, field = name.partition("_")
                target = getattr(self, name) if field == "threshold" else self.product[side][field]
                m.d.comb += target.eq(held)
                with m.If(written):
                    m.d.sync += held.eq(data)
                if field == "threshold":
                    self._refusals.append(written & ~self._fits(register))
                    return held
                misfit = Signal(name=f"{name}_misfit")
                with m.If(written):
                    m.d.sync += misfit.eq(~self._fits(register))
                self._misfits.append(misfit)
                return held
            case _, "start":
                product, legal = self.product, self._fits(register) & ~Cat(self._misfits).any()
                bits = [product.load_a, product.load_b, product.find]
                if self._sums:
                    bits += [product.add, product.keep]
                m.d.comb += [self.start.eq(written & legal), Cat(bits).eq(data)]
                self._refusals.append(written & ~legal)
                return Const(0)
            case _, "clear":
                m.d.comb += self.clear.eq(written & data[0])
                return Const(0)
            case _, "status":
                return Cat(self.ready, self.idle)
            case _, "errors":
                errors = Signal(register.bits)
                happened = Cat(getattr(self, error) for error in self._errors) | Cat(self._refusals).any()
                m.d.sync += errors.eq((errors & ~(data & written.replicate(register.bits))) | happened)
                return errors
            case _:
                return getattr(self, name)
