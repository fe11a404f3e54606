"""Complete files: writes several files into a folder together or not at all."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from lowtide.emission.verilog import EmissionError
from lowtide.paths import PathError, check_output_file, check_output_folder

__all__ = ["CompleteFiles"]


class CompleteFiles:
    """Folder into which files are written together: complete, or not at all.

    Parameters
    ----------
    folder : Path
        Checked on entry; created when files are written, and removed again if that fails.

    Raises
    ------
    EmissionError
        On entry and from `write`, if the folder or a file in it cannot be written.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._made: list[Path] = []

    def __enter__(self) -> "CompleteFiles":
        try:
            check_output_folder(self.folder)
        except PathError as error:
            raise EmissionError(str(error)) from None
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for folder in self._made if kind else []:
            with suppress(OSError):
                folder.rmdir()

    def write(self, contents: Mapping[str, str | bytes]) -> list[Path]:
        """Write files, by their names."""
        files = [self.folder / name for name in contents]
        try:
            for file in files:
                check_output_file(file)
            self._made = [folder for folder in (self.folder, *self.folder.parents) if not folder.exists()]
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".partial-") as partial:
                for name, content in contents.items():
                    Path(partial, name).write_bytes(content.encode() if isinstance(content, str) else content)
                for file in files:
                    os.replace(Path(partial, file.name), file)
        except PathError as error:
            raise EmissionError(str(error)) from None
        except OSError as error:
            raise EmissionError(f"cannot write into {self.folder}: {error.strerror or error}") from None
        return files
