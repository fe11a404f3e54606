"""A hash of code: a cached result computed by other code is not used."""

import hashlib
from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import Path

__all__ = ["code_hash"]


def code_hash(packages: Sequence[str], excluded: Collection[str] = ()) -> str:
    """SHA-256 of all modules of packages and of their subpackages.

    Parameters
    ----------
    packages : sequence of str
        Import names.
    excluded : collection of str
        Modules of the last package that do not count, by their last name.
    """
    digest = hashlib.sha256()
    for package in packages:
        folder = Path(import_module(package).__file__ or "").parent
        for file in sorted(folder.rglob("*.py")):
            if package != packages[-1] or file.stem not in excluded:
                digest.update(file.read_bytes())
    return digest.hexdigest()
