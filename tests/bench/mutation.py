"""Mutations of emitted Verilog: functions that plant a bug into its text."""

import re
from collections.abc import Callable

__all__ = ["in_module", "replaced", "without_reset"]


def replaced(pattern: str, replacement: str, text: str) -> str:
    """Replace every match of a pattern, of which there must be at least one."""
    changed, count = re.subn(pattern, replacement, text)
    assert count, f"no match of {pattern!r} in the Verilog: adapt this mutation to the changed RTL"
    return changed


def in_module(name: str, pattern: str, replacement: str) -> Callable[[str], str]:
    """A mutation of the module whose name, without the top's prefix, matches a pattern."""

    def mutate(text: str) -> str:
        module = _module(name, text)
        return text[: module.start()] + replaced(pattern, replacement, module[0]) + text[module.end() :]

    return mutate


def without_reset(module: str, register: str) -> Callable[[str], str]:
    """A mutation that removes the reset of a register."""

    def mutate(text: str) -> str:
        following = re.search(rf"^    {register} <= (\S+);", _module(module, text)[0], re.MULTILINE)
        assert following, f"no register {register} in {module}: adapt this mutation to the changed RTL"
        return in_module(module, rf"(assign {re.escape(following[1])} = )rst \? \S+ : ", r"\1")(text)

    return mutate


def _module(name: str, text: str) -> re.Match[str]:
    """The first module whose name matches. The top's name is the shortest, and the prefix of all other names."""
    modules = list(re.finditer(r"^module (\w+)\(.*?^endmodule", text, re.MULTILINE | re.DOTALL))
    top = min((module[1] for module in modules), key=len)
    found = [module for module in modules if re.fullmatch(name, module[1].removeprefix(f"{top}_"))]
    assert found, f"no module {name} in the Verilog: adapt this mutation to the changed RTL"
    return found[0]
