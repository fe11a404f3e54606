"""Engine with registers: the matrix engine and its register bank."""

from lowtide.engine.engine import Engine
from lowtide.engine.register_bank import RegisterBank
from lowtide.netlist import Structure

__all__ = ["EngineWithRegisters"]


class EngineWithRegisters(Structure):
    """Engine with registers: an `Engine` and its `RegisterBank`, on a plain bus.

    Parameters
    ----------
    engine : Engine
        The engine.

    Members
    -------
    a, b : In(stream of engine.a.payload.shape())
        Operands; ``last`` is high with the last beat of an operand.
    c : Out(stream of engine.c.payload.shape())
        Results; ``last`` is high with the last beat of a product.
    d : In(stream of engine.c.payload.shape())
        Column bias and residual; only with post operations.
    address : In(range(len(registers.table)))
        Number of a register in the table.
    write : In(1)
        Pulses for one cycle to write the register.
    write_data : In(32)
        Data to write.
    read_data : Out(32)
        Content of the register, one cycle after ``address``.
    """

    def __init__(self, engine: Engine):
        self.engine = engine
        a, b = engine.dispatcher.layouts
        sum_bits = {side: len(loader.low_sum) for side, loader in engine.meters.items()}
        self.registers = RegisterBank(
            engine.operands.element,
            engine.constants,
            a,
            b,
            engine.params.counter_bits,
            sum_bits,
            engine.dispatcher.sums,
            engine.dispatcher.results,
            engine.operands.reveals,
        )
        self.module_name = f"{engine.module_name}_registers"
        bank, streams = self.registers.signature.members, engine.signature.members
        super().__init__(
            {name: streams[name] for name in engine.streams}
            | {name: bank[name] for name in ("address", "write", "write_data", "read_data")}
        )

    def wire(self, place):
        engine, registers = self.engine, self.registers
        status = {name: getattr(engine, name) for name in (*engine.counters, "overflows", "underflows")}
        for side in engine.meters:
            status[f"{side}_above_threshold"] = getattr(engine, f"{side}_above_threshold")
            for name in (f"{side}_low_sum", f"{side}_high_sum"):
                total = getattr(engine, name)
                status[name] = total[:32]
                status |= {f"{name}_hi": total[32:]} if len(total) > 32 else {}
        place(
            "registers",
            registers,
            address=self.address,
            write=self.write,
            write_data=self.write_data,
            ready=engine.ready,
            idle=engine.idle,
            refused=engine.refused,
            a_short=engine.too_short[0],
            b_short=engine.too_short[1],
            a_long=engine.too_long[0],
            b_long=engine.too_long[1],
            **({"d_short": engine.d_short, "d_long": engine.d_long} if "d" in engine.streams else {}),
            **status,
        )
        place(
            "engine",
            engine,
            start=registers.start,
            product=registers.product,
            clear=registers.clear,
            **{name: getattr(self, name) for name in engine.streams},
            **{f"{side}_threshold": getattr(registers, f"{side}_threshold") for side in engine.meters},
        )
        return {
            **{name: getattr(engine, name) for name in engine.streams},
            "read_data": registers.read_data,
        }
