"""The tops that are emitted: an array, or an engine, behind AXI4-Stream ports."""

from lowtide.array.array_factory import array_of
from lowtide.config import Config, ConfigError
from lowtide.engine.engine import Engine
from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.formats.parameter import IllegalValue
from lowtide.interfaces.axi_stream import AxiStreams
from lowtide.interfaces.bus_engine import BUSES, BusEngine

__all__ = ["ENGINE_BUSES", "AxiStreamArray", "AxiStreamEngine", "engine_of"]

ENGINE_BUSES = (*BUSES, "plain")
"""What an engine's registers can be on."""


class AxiStreamArray(AxiStreams):
    """The array of a configuration behind AXI4-Stream ports.

    Parameters
    ----------
    config : Config
        What to build.
    name : str
        Name of the module.

    Members
    -------
    s_axis_a_tdata, s_axis_a_tlast, s_axis_a_tvalid, s_axis_a_tready : In, In, In, Out
        Stream of A. A word for each row, row 0 in the lowest bits; unused bits up to a whole
        byte are ignored.
    s_axis_b_tdata, … : In, In, In, Out
        Stream of B, likewise, a word for each column.
    m_axis_c_tdata, m_axis_c_tlast, m_axis_c_tvalid, m_axis_c_tready : Out, Out, Out, In
        Stream of results. A signed word of an accumulator's bits for each column, column 0 in the lowest bits;
        unused bits are zero. Or, of a `RequantizedArray`, a signed integer for each lane.
    s_axis_requantize_tdata, s_axis_requantize_tvalid, s_axis_requantize_tready : In, In, Out
        Of a `RequantizedArray` alone: its stream of settings, a word for each tile.
    misaligned : Out(1)
        ``tlast`` came on A or B alone.
    settings, settings_write, settings_refused : In, In(1), Out(1)
        As those of `TermArray`; there alone.
    saturations, saturations_clear : Out, In(1)
        As those of `RequantizedArray`; there alone.
    """

    def __init__(self, config: Config, name: str = "lowtide_array"):
        self.config = config
        self.array = array_of(config.array, config.bfp, config.terms, config.requantizer)
        super().__init__(self.array, "array", name)


class AxiStreamEngine(AxiStreams):
    """The matrix engine of a configuration behind AXI4-Stream ports.

    Parameters
    ----------
    config : Config
        What to build.
    name : str
        Name of the module.
    bus : str
        What its registers are on: one of `ENGINE_BUSES`.

    Members
    -------
    s_axis_a_tdata, s_axis_a_tlast, s_axis_a_tvalid, s_axis_a_tready : In, In, In, Out
        Operand A: ``engine.input_width`` FP32 numbers a beat, the first in the lowest bits; ``tlast`` ends the operand.
    s_axis_b_tdata, … : In, In, In, Out
        Operand B, likewise.
    m_axis_c_tdata, m_axis_c_tlast, m_axis_c_tvalid, m_axis_c_tready : Out, Out, Out, In
        Results: ``engine.output_width`` FP32 numbers a beat; ``tlast`` ends a product.
    address, write, write_data, read_data : In, In(1), In(32), Out(32)
        Registers on a plain bus, as of `RegisterBank`.
    s_axi_awaddr, …; wb_adr_i, … :
        Or on another one, as of `AxiLite` or `Wishbone`.

    Raises
    ------
    ConfigError
        If the configuration has no such engine.
    """

    def __init__(self, config: Config, name: str = "lowtide_engine", bus: str = "plain"):
        self.config, self.bus, self.engine = config, bus, engine_of(config)
        controlled = EngineWithRegisters(self.engine)
        self.registers = controlled.registers.table
        if bus == "plain":
            super().__init__(controlled, "controlled", name)
        else:
            attached = BusEngine(controlled, bus)
            super().__init__(attached, "attached", name, ["s_axi"] if bus == "axi4-lite" else [])


def engine_of(config: Config) -> Engine:
    """The engine of a configuration.

    Raises
    ------
    ConfigError
        If it has none.
    """
    array = config.array
    if array.element != "fmac":
        raise ConfigError(f"array.element must be fmac for an engine, not {array.element!r}")
    try:
        return Engine(array.rows, array.columns, config.bfp, config.engine)
    except IllegalValue as error:
        raise ConfigError(str(error.within("engine"))) from None
