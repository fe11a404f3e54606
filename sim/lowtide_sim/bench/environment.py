"""How a bench, which runs inside the simulator, learns what it was started with."""

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
        What JSON can hold, and short: an environment variable holds about 100 kB. Data belongs in a file.
    sidecar : Path, optional
        JSON file that was emitted with the Verilog.
    """
    return {VARIABLE: json.dumps({"parameters": parameters, "sidecar": str(sidecar) if sidecar else None})}


def parameters() -> dict[str, Any]:
    """The parameters that the bench was started with. To be called inside the simulator."""
    return _environment()["parameters"]


def sidecar() -> dict[str, Any]:
    """The sidecar of the Verilog that is simulated. To be called inside the simulator."""
    return json.loads(Path(_environment()["sidecar"]).read_text(encoding="utf-8"))


def _environment() -> dict[str, Any]:
    return json.loads(os.environ[VARIABLE])
