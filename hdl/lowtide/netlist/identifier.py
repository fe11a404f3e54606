"""Module names that both Verilog-2005 and SystemVerilog-2017 accept."""

import re

from lowtide.formats.parameter import IllegalValue

__all__ = ["LONGEST", "RESERVED", "check_identifier"]

LONGEST = 250
"""Most characters of a name, so that the name followed by ``.json`` is a legal file name."""

# Annex B of IEEE 1364-2005.
_VERILOG = """
    always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default defparam
    design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify
    endtable endtask event for force forever fork function generate genvar highz0 highz1 if ifnone incdir include
    initial inout input instance integer join large liblist library localparam macromodule medium module nand
    negedge nmos nor noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1
    pulldown pullup pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat rnmos rpmos rtran
    rtranif0 rtranif1 scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table
    task time tran tranif0 tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored wait wand weak0
    weak1 while wire wor xnor xor
"""
# Additions of Annex B of IEEE 1800-2017.
_SYSTEM_VERILOG = """
    accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof bit break byte chandle
    checker class clocking const constraint context continue cover covergroup coverpoint cross dist do endchecker
    endclass endclocking endgroup endinterface endpackage endprogram endproperty endsequence enum eventually expect
    export extends extern final first_match foreach forkjoin global iff ignore_bins illegal_bins implements implies
    import inside int interconnect interface intersect join_any join_none let local logic longint matches modport
    nettype new nexttime null package packed priority program property protected pure rand randc randcase
    randsequence ref reject_on restrict return s_always s_eventually s_nexttime s_until s_until_with sequence
    shortint shortreal soft solve static string strong struct super sync_accept_on sync_reject_on tagged this
    throughout timeprecision timeunit type typedef union unique unique0 until until_with untyped var virtual void
    wait_order weak wildcard with within
"""
RESERVED = frozenset((_VERILOG + _SYSTEM_VERILOG).split())
"""Words that Verilog-2005 or SystemVerilog-2017 reserves."""


def check_identifier(key: str, name: str) -> None:
    """Reject a name that is not a simple identifier in both Verilog and SystemVerilog.

    Parameters
    ----------
    key : str
        Purpose of the name, as the user wrote it.
    name : str
        The name.

    Raises
    ------
    IllegalValue
        If the name is not legal.
    """
    if not isinstance(name, str) or not re.fullmatch("[A-Za-z_][A-Za-z0-9_$]*", name):
        raise IllegalValue(key, "a letter or _, then letters, digits, _ or $ (of ASCII alone)", name)
    if len(name) > LONGEST:
        raise IllegalValue(key, f"{LONGEST} characters long at most", f"{name[:20]}… of {len(name):,} characters")
    if name in RESERVED:
        raise IllegalValue(key, "a word that neither Verilog-2005 nor SystemVerilog-2017 reserves", name)
