"""Tops: an array or an engine with AXI4-Stream ports."""

from lowtide.array.array_factory import array_of
from lowtide.config import Config
from lowtide.engine.engine import Engine
from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.engine.operand_format import BfpOperands, IntegerOperands, OperandFormat
from lowtide.interfaces.axi_stream import AxiStreams
from lowtide.interfaces.bus_engine import BUSES, BusEngine

__all__ = ["ENGINE_BUSES", "AxiStreamArray", "AxiStreamEngine", "engine_of", "operands_of"]

ENGINE_BUSES = (*BUSES, "plain")
"""Buses of an engine's registers."""


class AxiStreamArray(AxiStreams):
    """Array top: the array of a configuration with AXI4-Stream ports.

    Parameters
    ----------
    config : Config
        Configuration.
    name : str
        Name of the module.

    Members
    -------
    s_axis_a_tdata, s_axis_b_tdata : In(tdata_bits["a"]), In(tdata_bits["b"])
        Operands: one word per row of A and per column of B, row or column 0 in the lowest bits; padding up to a whole
        byte is ignored.
    s_axis_a_tlast, s_axis_b_tlast : In(1)
        High with the last beat of a tile.
    s_axis_a_tvalid, s_axis_b_tvalid : In(1)
        High while a beat of the operand is valid.
    s_axis_a_tready, s_axis_b_tready : Out(1)
        High when a beat of the operand is accepted.
    m_axis_c_tdata : Out(tdata_bits["c"])
        Results: one signed accumulator per column, column 0 in the lowest bits, or one signed integer per lane of a
        `RequantizedArray`; padding is zero.
    m_axis_c_tlast : Out(1)
        High with the last beat of a tile.
    m_axis_c_tvalid : Out(1)
        High while a beat of results is valid.
    m_axis_c_tready : In(1)
        High when the receiver accepts a beat of results.
    s_axis_requantize_tdata : In(tdata_bits["requantize"])
        Settings of the requantizer, one word per tile; only with a `RequantizedArray`.
    s_axis_requantize_tvalid : In(1)
        High while a word of settings is valid; only with a `RequantizedArray`.
    s_axis_requantize_tready : Out(1)
        High when a word of settings is accepted; only with a `RequantizedArray`.
    misaligned : Out(1)
        High after ``tlast`` arrived on A or B alone, until reset.
    settings : In(array.settings.shape())
        New settings of a `TermArray`; only with one.
    settings_write : In(1)
        Pulses for one cycle to write ``settings``; only with a `TermArray`.
    settings_refused : Out(1)
        High after illegal ``settings`` were written, until the next write; only with a `TermArray`.
    saturations : Out(array.saturations.shape())
        Number of saturated results since reset or ``saturations_clear``; only with a `RequantizedArray`.
    saturations_clear : In(1)
        Clears ``saturations``; only with a `RequantizedArray`.
    """

    def __init__(self, config: Config, name: str = "lowtide_array"):
        self.config = config
        self.array = array_of(config.array, config.bfp, config.terms, config.requantizer)
        super().__init__(self.array, "array", name)


class AxiStreamEngine(AxiStreams):
    """Engine top: the matrix engine of a configuration with AXI4-Stream ports.

    Parameters
    ----------
    config : Config
        Configuration.
    name : str
        Name of the module.
    bus : str
        Bus of its registers: one of `ENGINE_BUSES`.

    Members
    -------
    s_axis_a_tdata, s_axis_b_tdata : In(tdata_bits["a"]), In(tdata_bits["b"])
        Operands: ``engine.input_width`` FP32 numbers, or words of packed groups or integers, per beat, the first in the
        lowest bits.
    s_axis_a_tlast, s_axis_b_tlast : In(1)
        High with the last beat of the operand.
    s_axis_a_tvalid, s_axis_b_tvalid : In(1)
        High while a beat of the operand is valid.
    s_axis_a_tready, s_axis_b_tready : Out(1)
        High when a beat of the operand is accepted.
    m_axis_c_tdata : Out(tdata_bits["c"])
        Results: ``engine.output_width`` FP32 numbers per beat, the first in the lowest bits.
    m_axis_c_tlast : Out(1)
        High with the last beat of a product.
    m_axis_c_tvalid : Out(1)
        High while a beat of results is valid.
    m_axis_c_tready : In(1)
        High when the receiver accepts a beat of results.
    s_axis_d_tdata : In(tdata_bits["d"])
        Column bias and residual: ``engine.output_width`` FP32 numbers per beat; only with post operations.
    s_axis_d_tlast : In(1)
        High with the last beat of a product that has a column bias or a residual; only with post operations.
    s_axis_d_tvalid : In(1)
        High while a beat of addends is valid; only with post operations.
    s_axis_d_tready : Out(1)
        High when a beat of addends is accepted; only with post operations.
    address : In(range(len(registers)))
        Plain bus: number of a register.
    write : In(1)
        Plain bus: pulses for one cycle to write the register.
    write_data : In(32)
        Plain bus: data to write.
    read_data : Out(32)
        Plain bus: content of the register, one cycle after ``address``.
    s_axi_… : as in `BusEngine`
        AXI4-Lite.
    wb_… : as in `BusEngine`
        Wishbone.

    Raises
    ------
    ConfigError
        If the configuration has no engine.
    """

    def __init__(self, config: Config, name: str = "lowtide_engine", bus: str = "plain"):
        self.config, self.bus, self.engine = config, bus, engine_of(config)
        engine = EngineWithRegisters(self.engine)
        self.registers = engine.registers.table
        if bus == "plain":
            super().__init__(engine, "engine", name)
        else:
            engine_on_bus = BusEngine(engine, bus)
            super().__init__(engine_on_bus, "engine", name, ["s_axi"] if bus == "axi4-lite" else [])


def engine_of(config: Config) -> Engine:
    """Return the engine of a configuration.

    Raises
    ------
    ConfigError
        If the configuration has no engine.
    """
    return Engine(operands_of(config), config.array.skew, config.array.block)


def operands_of(config: Config) -> OperandFormat:
    """Return the format of the operands of a configuration's engine.

    Raises
    ------
    ConfigError
        If the configuration has no engine.
    """
    config.check_engine()
    array = config.array
    if array.element == "fmac":
        return BfpOperands(array.rows, array.columns, config.bfp, config.engine)
    return IntegerOperands(array.rows, array.columns, array.element, config.terms, config.engine)
