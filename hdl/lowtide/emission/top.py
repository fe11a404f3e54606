"""The array as a Verilog user expects it: AXI4-Stream port names, data in whole bytes."""

from amaranth.hdl import Cat, Const
from amaranth.lib.wiring import In, Out

from lowtide.array.kinds import array_of
from lowtide.array.terms.array import TermArray
from lowtide.config import Config
from lowtide.hierarchy import Structure

__all__ = ["AxiStreamArray"]


class AxiStreamArray(Structure):
    """`SystolicArray` or `TermArray` behind AXI4-Stream ports.

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
        unused bits are zero.
    misaligned : Out(1)
        ``tlast`` came on A or B alone.
    settings, settings_write, settings_refused : In, In(1), Out(1)
        As those of `TermArray`; there alone.
    """

    def __init__(self, config: Config, name: str = "lowtide_array"):
        self.config, self.module_name = config, name
        self.array = array_of(config.array, config.bfp, config.terms)
        self._bits = {
            "s_axis_a": port_bits(self.array.a),
            "s_axis_b": port_bits(self.array.b),
            "m_axis_c": port_bits(self.array.c),
        }
        ports = {"misaligned": Out(1)}
        for prefix, width in self._bits.items():
            inward, outward = (In, Out) if prefix.startswith("s_") else (Out, In)
            ports |= {
                f"{prefix}_tdata": inward(-(-width // 8) * 8),
                f"{prefix}_tlast": inward(1),
                f"{prefix}_tvalid": inward(1),
                f"{prefix}_tready": outward(1),
            }
        if isinstance(self.array, TermArray):
            members = self.array.signature.members
            ports |= {name: members[name] for name in ("settings", "settings_write", "settings_refused")}
        super().__init__(ports)

    def wire(self, place):
        reveals = isinstance(self.array, TermArray)
        settings = {"settings": self.settings, "settings_write": self.settings_write} if reveals else {}
        array = place(
            "array",
            self.array,
            **settings,
            a__payload=Cat(self.s_axis_a_tdata[: self._bits["s_axis_a"]], self.s_axis_a_tlast),
            a__valid=self.s_axis_a_tvalid,
            b__payload=Cat(self.s_axis_b_tdata[: self._bits["s_axis_b"]], self.s_axis_b_tlast),
            b__valid=self.s_axis_b_tvalid,
            c__ready=self.m_axis_c_tready,
        )
        unused = len(self.m_axis_c_tdata) - self._bits["m_axis_c"]
        return {
            "s_axis_a_tready": array.a.ready,
            "s_axis_b_tready": array.b.ready,
            "m_axis_c_tdata": Cat(array.c.payload.data, Const(0, unused)),
            "m_axis_c_tlast": array.c.payload.last,
            "m_axis_c_tvalid": array.c.valid,
            "misaligned": array.misaligned,
            **({"settings_refused": array.settings_refused} if reveals else {}),
        }


def port_bits(beats) -> int:
    """Bits of the data of a stream of beats."""
    return len(beats.payload.data)
