"""Tops: an array or an engine with AXI4-Stream ports."""

from lowtide.array.array_factory import array_of
from lowtide.config import Config, ConfigError
from lowtide.engine.engine import Engine
from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.formats.parameter import IllegalValue
from lowtide.interfaces.axi_stream import AxiStreams
from lowtide.interfaces.bus_engine import BUSES, BusEngine

__all__ = ["ENGINE_BUSES", "AxiStreamArray", "AxiStreamEngine", "engine_of"]

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
    s_axis_a_tdata : In(tdata_bits["a"])
        Operand A: one word per row, row 0 in the lowest bits; padding up to a whole byte is ignored.
    s_axis_a_tlast : In(1)
        High with the last beat of a tile.
    s_axis_a_tvalid : In(1)
        High while a beat of A is valid.
    s_axis_a_tready : Out(1)
        High when a beat of A is accepted.
    s_axis_b_tdata : In(tdata_bits["b"])
        Operand B: one word per column, column 0 in the lowest bits; padding up to a whole byte is ignored.
    s_axis_b_tlast : In(1)
        High with the last beat of a tile.
    s_axis_b_tvalid : In(1)
        High while a beat of B is valid.
    s_axis_b_tready : Out(1)
        High when a beat of B is accepted.
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
    s_axis_a_tdata : In(tdata_bits["a"])
        Operand A: ``engine.input_width`` FP32 numbers per beat, the first in the lowest bits.
    s_axis_a_tlast : In(1)
        High with the last beat of the operand.
    s_axis_a_tvalid : In(1)
        High while a beat of A is valid.
    s_axis_a_tready : Out(1)
        High when a beat of A is accepted.
    s_axis_b_tdata : In(tdata_bits["b"])
        Operand B: ``engine.input_width`` FP32 numbers per beat, the first in the lowest bits.
    s_axis_b_tlast : In(1)
        High with the last beat of the operand.
    s_axis_b_tvalid : In(1)
        High while a beat of B is valid.
    s_axis_b_tready : Out(1)
        High when a beat of B is accepted.
    m_axis_c_tdata : Out(tdata_bits["c"])
        Results: ``engine.output_width`` FP32 numbers per beat, the first in the lowest bits.
    m_axis_c_tlast : Out(1)
        High with the last beat of a product.
    m_axis_c_tvalid : Out(1)
        High while a beat of results is valid.
    m_axis_c_tready : In(1)
        High when the receiver accepts a beat of results.
    address : In(range(len(registers)))
        Plain bus: number of a register.
    write : In(1)
        Plain bus: pulses for one cycle to write the register.
    write_data : In(32)
        Plain bus: data to write.
    read_data : Out(32)
        Plain bus: content of the register, one cycle after ``address``.
    s_axi_awaddr, s_axi_araddr : In((len(registers) - 1).bit_length() + 2)
        AXI4-Lite: byte address of a write, of a read.
    s_axi_awprot, s_axi_arprot : In(3)
        AXI4-Lite: ignored.
    s_axi_awvalid, s_axi_wvalid, s_axi_arvalid : In(1)
        AXI4-Lite: high while an address, or the data of a write, is valid.
    s_axi_awready, s_axi_wready, s_axi_arready : Out(1)
        AXI4-Lite: high when an address, or the data of a write, is accepted.
    s_axi_wdata : In(32)
        AXI4-Lite: data to write.
    s_axi_wstrb : In(4)
        AXI4-Lite: byte enables, all or none.
    s_axi_bresp, s_axi_rresp : Out(2)
        AXI4-Lite: response, ``OKAY`` or ``SLVERR``.
    s_axi_bvalid, s_axi_rvalid : Out(1)
        AXI4-Lite: high while a response is valid.
    s_axi_bready, s_axi_rready : In(1)
        AXI4-Lite: high when the manager accepts a response.
    s_axi_rdata : Out(32)
        AXI4-Lite: data of a read.
    wb_cyc_i, wb_stb_i, wb_we_i : In(1)
        Wishbone: cycle, strobe, and write enable of an access.
    wb_adr_i : In((len(registers) - 1).bit_length())
        Wishbone: number of a register.
    wb_dat_i : In(32)
        Wishbone: data to write.
    wb_sel_i : In(4)
        Wishbone: byte enables.
    wb_dat_o : Out(32)
        Wishbone: data of a read.
    wb_ack_o, wb_err_o : Out(1)
        Wishbone: response, done or refused.

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
    array = config.array
    if array.element != "fmac":
        raise ConfigError(f"array.element must be fmac for an engine, not {array.element!r}")
    try:
        return Engine(array.rows, array.columns, config.bfp, config.engine, array.skew, array.block)
    except IllegalValue as error:
        raise ConfigError(str(error.within("engine"))) from None
