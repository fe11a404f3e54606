"""Cache: one JSON file per result."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import attrs

from lowtide.paths import check_output_folder
from lowtide.versions import versions

__all__ = ["Cache"]

Result = TypeVar("Result", bound=attrs.AttrsInstance)


@attrs.frozen
class Cache:
    """One JSON file a result, named by the hash of everything the result depends on.

    Tool versions and the fields of the result are part of the hash. A file that cannot be read counts as absent.

    Parameters
    ----------
    folder : Path or None
        Where the files are; made when first needed. With None nothing is kept.
    """

    folder: Path | None = None

    def recall(self, kind: type[Result], inputs: tuple[str, ...], make: Callable[[], Result]) -> Result:
        """The cached result of ``inputs``; where there is none, ``make()`` computes it and the cache keeps it.

        Raises
        ------
        PathError
            If the folder cannot be written; ``make`` is not called.
        """
        if self.folder is None:
            return make()
        fields = [field.name for field in attrs.fields(kind)]
        key = json.dumps([kind.__name__, fields, versions(), inputs])
        path = self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
        with contextlib.suppress(OSError, ValueError, TypeError):
            return kind(**json.loads(path.read_text(encoding="utf-8")))
        check_output_folder(self.folder)
        result = make()
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(attrs.asdict(result)), encoding="utf-8")
        fresh.replace(path)
        return result
