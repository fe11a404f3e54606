"""A hash of code, so that what was computed by other code is not taken for a result."""

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path
from types import ModuleType

__all__ = ["code_hash"]


def code_hash(packages: Sequence[ModuleType], aside: Collection[str]) -> str:
    """Of all files of packages, but for some of the last one's, by their names without suffix."""
    folders = [Path(package.__file__ or "").parent for package in packages]
    digest = hashlib.sha256()
    for file in sorted(file for folder in folders for file in folder.glob("*.py")):
        if file.parent != folders[-1] or file.stem not in aside:
            digest.update(file.read_bytes())
    return digest.hexdigest()
