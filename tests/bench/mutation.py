"""Bugs to plant into emitted Verilog: functions that change its text."""

import re
from collections.abc import Callable

__all__ = ["in_module", "replaced", "without_reset"]


def replaced(pattern: str, replacement: str, text: str) -> str:
    """The text with every match replaced, of which there must be one at least."""
    changed, count = re.subn(pattern, replacement, text)
    assert count, f"nothing in the Verilog is like {pattern!r}: this mutation has to follow a change of the RTL"
    return changed


def in_module(name: str, pattern: str, replacement: str) -> Callable[[str], str]:
    """A mutation of one module, whose name, without the top's before it, matches a pattern."""

    def mutate(text: str) -> str:
        module = _module(name, text)
        return text[: module.start()] + replaced(pattern, replacement, module[0]) + text[module.end() :]

    return mutate


def without_reset(module: str, register: str) -> Callable[[str], str]:
    """A register that a reset no longer reaches."""

    def mutate(text: str) -> str:
        following = re.search(rf"^    {register} <= (\S+);", _module(module, text)[0], re.MULTILINE)
        assert following, f"no register {register} in {module}: this mutation has to follow a change of the RTL"
        return in_module(module, rf"(assign {re.escape(following[1])} = )rst \? \S+ : ", r"\1")(text)

    return mutate


def _module(name: str, text: str) -> re.Match[str]:
    """The first module whose name matches. The top has the shortest name, with which all others begin."""
    modules = list(re.finditer(r"^module (\w+)\(.*?^endmodule", text, re.MULTILINE | re.DOTALL))
    top = min((module[1] for module in modules), key=len)
    found = [module for module in modules if re.fullmatch(name, module[1].removeprefix(f"{top}_"))]
    assert found, f"no module is called {name}: this mutation has to follow a change of the RTL"
    return found[0]
