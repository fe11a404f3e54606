"""The King James text of Debian's package ``bible-kjv``."""

import shutil
import subprocess

from lowtide.errors import CommandError

__all__ = ["king_james"]


def king_james(instead: str) -> str:
    """The verses of the King James text, one per line.

    Parameters
    ----------
    instead : str
        Option that an error advises in place of the text.

    Raises
    ------
    CommandError
        If the program ``bible`` is missing, or does not print the whole text.
    """
    program = shutil.which("bible")
    if program is None:
        raise CommandError(f"the King James text needs the program bible: apt-get install bible-kjv, or give {instead}")
    command = [program, "-f", "gen1:1-rev22:21"]
    found = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    verses = [line.partition(" ")[2] for line in found.stdout.splitlines()]
    if found.returncode or len(verses) < 31000:
        raise CommandError(f"{program} printed {len(verses)} verses, not the whole text; give {instead}")
    return "\n".join(verses) + "\n"
