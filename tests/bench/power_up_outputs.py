"""Check of the outputs that the wrapper of a power-up case sampled."""

from typing import Any

__all__ = ["check_outputs"]


def check_outputs(case: Any, sidecar: dict[str, Any]) -> None:
    """Raise an error if an output was unknown after the reset."""
    outputs = [port["name"] for port in sidecar["ports"] if port["direction"] == "out" and port["width"]]
    unknown = case.unknown.value.to_unsigned()
    found = [name for n, name in enumerate(outputs) if unknown >> n & 1]
    if found:
        raise AssertionError(f"outputs X or Z after reset: {', '.join(found)}")
