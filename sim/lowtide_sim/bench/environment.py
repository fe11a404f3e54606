"""Parameters and sidecar of a bench, passed into the simulator by an environment variable."""

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["VARIABLE", "bench_environment", "parameters", "sidecar"]

VARIABLE = "LOWTIDE_BENCH"


def bench_environment(parameters: dict[str, Any], sidecar: Path | None) -> dict[str, str]:
    """The environment variable that carries a bench's parameters, as JSON, into the simulator.

    Parameters
    ----------
    parameters : dict
        Values that JSON can represent, up to about 100 kB: the limit of an environment variable. Put data in a file.
    sidecar : Path, optional
        JSON file emitted with the Verilog.
    """
    return {VARIABLE: json.dumps({"parameters": parameters, "sidecar": str(sidecar) if sidecar else None})}


def parameters() -> dict[str, Any]:
    """Parameters of the bench. Call it inside the simulator."""
    return _environment()["parameters"]


def sidecar() -> dict[str, Any]:
    """Sidecar of the simulated Verilog. Call it inside the simulator."""
    return json.loads(Path(_environment()["sidecar"]).read_text(encoding="utf-8"))


def _environment() -> dict[str, Any]:
    return json.loads(os.environ[VARIABLE])
