"""Study of a search in Optuna's storage, and the version of its figures."""

import hashlib
import json
from pathlib import Path

import attrs
import optuna
from optuna.distributions import distribution_to_json

from lowtide.emission.folder import verilog_and_modules
from lowtide.units.rounding.decisions import RoundingDecisions
from lowtide.versions import versions
from lowtide_studies.harness.storage import StorageError, open_study
from lowtide_studies.rounder_search.figures import OBJECTIVES
from lowtide_studies.rounder_search.space import BASELINES, DISTRIBUTIONS, PLATEAU, VERSION

__all__ = ["fingerprint", "open_search"]


def open_search(storage: str | Path, name: str) -> optuna.Study:
    """Open the study of a search, or create it; raise `StorageError` if another version of the search made it."""
    study = open_study(storage, name, len(OBJECTIVES))
    here, there = fingerprint(), study.user_attrs.get("version")
    if there is None and not study.trials:
        study.set_user_attr("version", here)
    elif there != here:
        raise StorageError(
            f"cannot use {storage} as storage: its study has another version of the search space, the hardware or"
            f" Yosys, {there}, not {here}; give another --storage"
        )
    return study


def fingerprint() -> str:
    """Hash of the search space, the hardware and the version of Yosys: figures are comparable if it is equal."""
    space = {name: distribution_to_json(distribution) for name, distribution in DISTRIBUTIONS.items()}
    plateau = BASELINES[PLATEAU]
    designs = [plateau, attrs.evolve(plateau, polarity="plain", mode="half_step", fraction=4)]
    hardware = [verilog_and_modules(RoundingDecisions(d.source, d.rounder))[0] for d in designs]
    text = json.dumps([space, list(OBJECTIVES), hardware, versions()["yosys"]])
    return f"{VERSION}.{hashlib.sha256(text.encode()).hexdigest()[:8]}"
