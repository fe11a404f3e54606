"""Hash of code, so that results of other code are not reused."""

import hashlib
from collections.abc import Collection, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from lowtide.versions import versions

__all__ = ["code_hash", "synthesis_inputs", "training_inputs"]


def code_hash(packages: Sequence[str], excluded: Collection[str] = ()) -> str:
    """SHA-256 of all modules of packages and of their subpackages.

    Parameters
    ----------
    packages : sequence of str
        Import names.
    excluded : collection of str
        Last names of modules of the last package that are left out.
    """
    digest = hashlib.sha256()
    for package in packages:
        folder = Path(import_module(package).__file__ or "").parent
        for file in sorted(folder.rglob("*.py")):
            if package != packages[-1] or file.stem not in excluded:
                digest.update(file.read_bytes())
    return digest.hexdigest()


def training_inputs(*packages: str, excluded: Collection[str] = ()) -> tuple[str, ...]:
    """Code and versions on which the result of each training depends; further packages add to the code."""
    code = code_hash(("lowtide.units.random", "lowtide_model", "lowtide_studies.networks", *packages), excluded)
    return (code, *(version(name) for name in ("lowtide", "numpy", "scikit-learn")))


def synthesis_inputs() -> tuple[str, ...]:
    """Code and versions on which the cells of each Verilog text depend."""
    known = versions()
    return code_hash(("lowtide.synthesis",)), known["lowtide"], known["yosys"]
