"""Files that appear in a folder together, complete or not at all."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lowtide.emission.verilog import EmissionError

__all__ = ["CompleteFiles"]


class CompleteFiles:
    """A folder into which files are written beside those that are there, and moved once all are complete.

    Parameters
    ----------
    folder : Path
        Made if need be.

    Raises
    ------
    EmissionError
        On entry, if the folder cannot be written.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def __enter__(self) -> "CompleteFiles":
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._partial = tempfile.TemporaryDirectory(dir=self.folder, prefix=".partial-")
        except OSError as error:
            raise EmissionError(f"cannot write into {self.folder}: {error.strerror}") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._partial.cleanup()

    def write(self, contents: Mapping[str, str | bytes]) -> list[Path]:
        """Write files, by their names."""
        for name, content in contents.items():
            data = content.encode() if isinstance(content, str) else content
            Path(self._partial.name, name).write_bytes(data)
        for name in contents:
            os.replace(Path(self._partial.name, name), self.folder / name)
        return [self.folder / name for name in contents]
