"""A hash of code: a cached result computed by other code is not used."""

import hashlib
from collections.abc import Collection, Sequence
from importlib.util import find_spec
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
        for folder in (find_spec(package) or _absent(package)).submodule_search_locations or ():
            for file in sorted(Path(folder).rglob("*.py")):
                if package != packages[-1] or file.stem not in excluded:
                    digest.update(file.read_bytes())
    return digest.hexdigest()


def _absent(package: str) -> None:
    raise ModuleNotFoundError(f"no package {package}", name=package)
