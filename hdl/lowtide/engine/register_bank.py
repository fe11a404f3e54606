"""Register bank: the registers of an engine on a plain bus."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from lowtide.engine.dispatcher import ProductLayout
from lowtide.engine.operand import OperandLayout
from lowtide.engine.registers import ERRORS, IDENTITY, Register, register_table
from lowtide.netlist import Unit
from lowtide.units.conversion.improvement_meter import THRESHOLD

__all__ = ["RegisterBank"]


class RegisterBank(Unit):
    """Keeps settings, starts products, and shows what is going on.

    A setting of an operand remembers whether the last value that was written to it fits its bits. While one does not,
    ``start`` is refused: it does not reach the engine, and is flagged. A threshold that does not fit is flagged when it
    is written.

    Parameters
    ----------
    constants : dict
        What the hardware was generated for.
    a, b : OperandLayout
        Settings of the operands.
    counter : int
        Bits of a counter.
    ratios : dict
        Bits of the sums of a ratio meter, for each side that has one.

    Members
    -------
    address : In(range(registers))
        Place of a register in the table.
    write, write_data : In(1), In(32)
        It is written.
    read_data : Out(32)
        What it holds, a cycle later.
    start, product, clear : Out(1), Out(ProductLayout), Out(1)
        To the engine.
    ready, idle : In(1), In(1)
        Of the engine.
    one for each of `ERRORS` : In(1)
        In one cycle: that happened. ``refused`` is flagged for what is refused here, too.
    ``a_threshold``, ``b_threshold`` : Out(10)
        To the meters, where there are any.
    one for each other status of the table : In
        Its value.
    """

    def __init__(
        self, constants: dict[str, int], a: OperandLayout, b: OperandLayout, counter: int, ratios: dict[str, int]
    ):
        self.constants = {"identity": IDENTITY} | constants
        self.table = register_table(constants, a, b, counter, ratios)
        values = "_".join(map(str, constants.values()))
        self.module_name = f"register_bank_{values}_{counter}"
        super().__init__(
            {
                "address": In(range(len(self.table))),
                "write": In(1),
                "write_data": In(32),
                "read_data": Out(32),
                "start": Out(1),
                "product": Out(ProductLayout(a, b)),
                "clear": Out(1),
                "ready": In(1),
                "idle": In(1),
                **{f"{side}_threshold": Out(THRESHOLD) for side in ratios},
                **{name: In(1) for name in ERRORS},
                **{register.name: In(register.bits) for register in self._counts},
            }
        )

    @property
    def _counts(self) -> list[Register]:
        return [register for register in self.table if register.access == "status" and register.name != "status"]

    def elaborate(self, platform):
        m = Module()
        self._misfits: list[Value] = []  # a bit for each setting of an operand: its last value does not fit
        self._refusals: list[Value] = []  # of a write, in its cycle
        values = [
            self._register(m, register, self.write & (self.address == place))
            for place, register in enumerate(self.table)
        ]
        chosen = (Mux(self.address == place, value, 0) for place, value in enumerate(values))
        m.d.sync += self.read_data.eq(reduce(or_, chosen))
        return m

    def _fits(self, register: Register) -> Value:
        """Whether the bits that the register does not have say nothing: they are zero, or all of them the sign."""
        if register.signed:
            above = self.write_data[register.bits - 1 :]
            return above.all() | ~above.any()
        return ~self.write_data[register.bits :].any()

    def _register(self, m: Module, register: Register, written: Value) -> Value:
        """What it reads as; and what writing it does."""
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
                m.d.comb += [
                    self.start.eq(written & legal),
                    Cat(product.load_a, product.load_b, product.find).eq(data),
                ]
                self._refusals.append(written & ~legal)
                return Const(0)
            case _, "clear":
                m.d.comb += self.clear.eq(written & data[0])
                return Const(0)
            case _, "status":
                return Cat(self.ready, self.idle)
            case _, "errors":
                errors = Signal(register.bits)
                happened = Cat(getattr(self, error) for error in ERRORS) | Cat(self._refusals).any()
                m.d.sync += errors.eq((errors & ~(data & written.replicate(register.bits))) | happened)
                return errors
            case _:
                return getattr(self, name)
