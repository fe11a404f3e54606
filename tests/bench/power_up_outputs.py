"""What the wrapper of a power-up case saw of the design's outputs."""

from typing import Any

__all__ = ["check_outputs"]


def check_outputs(case: Any, sidecar: dict[str, Any]) -> None:
    """Raise an error if an output was ever unknown after the reset."""
    outputs = [port["name"] for port in sidecar["ports"] if port["direction"] == "out" and port["width"]]
    unknown = case.unknown.value.to_unsigned()
    found = [name for n, name in enumerate(outputs) if unknown >> n & 1]
    if found:
        raise AssertionError(f"after reset these outputs were X or Z: {', '.join(found)}")
