"""Memories that give what was not asked for when a word is read in the cycle in which it is written."""

import re

__all__ = ["poisoned"]

WRITE = re.compile(r"if \((?P<enable>.+)\)\n +(?P<memory>\w+)\[(?P<address>.+)\] <= ")


def poisoned(verilog: str) -> tuple[str, int]:
    """The text, in which such a read gives the word inverted; and how many reads there are that could."""
    count = 0
    modules = re.split(r"(?<=^endmodule)", verilog, flags=re.MULTILINE)
    for n, module in enumerate(modules):
        for write in WRITE.finditer(module):
            memory, enable, address = write["memory"], write["enable"], write["address"]

            def inverted(read: re.Match, memory=memory, enable=enable, address=address) -> str:
                word = f"{memory}[{read[2]}]"
                return f"{read[1]} <= (({enable}) && ({address}) == ({read[2]})) ? ~{word} : {word};"

            modules[n], found = re.subn(rf"(\w+) <= {memory}\[(.+)\];", inverted, modules[n])
            count += found
    return "".join(modules), count
