"""Images of letters and digits, drawn with the TrueType and OpenType fonts of the machine."""

import hashlib
import random
import string
from collections.abc import Iterator
from pathlib import Path

import attrs
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lowtide.errors import CommandError

__all__ = ["CHARACTERS", "FOLDER", "Typeface", "draw", "find_typefaces", "part_of"]

CHARACTERS = string.digits + string.ascii_letters
"""The classes, in order."""

FOLDER = Path("/usr/share/fonts")

PACKAGES = (
    *("fonts-cabin", "fonts-cantarell", "fonts-comfortaa", "fonts-crosextra-caladea", "fonts-crosextra-carlito"),
    *("fonts-dejavu", "fonts-dosis", "fonts-freefont-ttf", "fonts-hack", "fonts-inconsolata", "fonts-junction"),
    *("fonts-karla", "fonts-lato", "fonts-liberation", "fonts-linuxlibertine", "fonts-mononoki", "fonts-oldstandard"),
    *("fonts-open-sans", "fonts-play", "fonts-quicksand", "fonts-roboto-unhinted", "fonts-sil-andika"),
    *("fonts-sil-charis", "fonts-sil-gentium-basic", "fonts-vollkorn"),
)
"""Packages of Debian whose fonts the page of the study was computed with."""

RELATED = {
    "Arimo": "Liberation",
    "Carlito": "Lato",
    "Cousine": "Liberation",
    "GentiumAlt": "Gentium",
    "Hack": "DejaVu",
    "Tinos": "Liberation",
}
"""Typefaces that were derived from another typeface."""

PARTS = ("test", "validation", "training", "training")
"""Part of a typeface, by its hash."""

SIZE, BASELINE = 32, 24
"""Pixels of an image, and the row of its baseline from the top."""

POINTS = range(20, 28)
"""Sizes of the font in pixels."""


@attrs.frozen(kw_only=True)
class Typeface:
    """A typeface: all fonts whose family names begin with an equal word, and fonts that were derived from these.

    A typeface belongs to one part of the data, so no test image has a relative in the training images.
    """

    name: str
    fonts: tuple[Path, ...]


def part_of(typeface: str) -> str:
    """Part of a typeface: the hash of its name selects it, so the part is equal on all machines."""
    return PARTS[hashlib.sha256(typeface.encode()).digest()[0] % len(PARTS)]


def find_typefaces(folder: Path = FOLDER) -> list[Typeface]:
    """Find the typefaces in a folder whose fonts draw all characters differently.

    Raises
    ------
    CommandError
        If a part of the data would have no typeface.
    """
    found: dict[str, list[Path]] = {}
    known = set()
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in (".ttf", ".otf"):
            try:
                font = ImageFont.truetype(str(file), POINTS.start)
                name, complete = font.getname(), _complete(font)
            except OSError:
                continue
            if name not in known and complete:  # some fonts are installed twice
                known.add(name)
                first = (name[0] or "").partition(" ")[0]
                found.setdefault(RELATED.get(first, first), []).append(file)
    missing = [part for part in dict.fromkeys(PARTS) if part not in {part_of(name) for name in found}]
    if missing:
        raise CommandError(
            f"too few typefaces in {folder}: {len(found)}, and none for {' and '.join(missing)}; install fonts:"
            f" apt-get install {' '.join(PACKAGES)}"
        )
    return [Typeface(name=name, fonts=tuple(fonts)) for name, fonts in sorted(found.items())]


def _complete(font: ImageFont.FreeTypeFont) -> bool:
    """Whether a font draws all characters, and the box of a missing character, differently."""
    drawn = {_image(character, font, (SIZE / 2, BASELINE)).tobytes() for character in (*CHARACTERS, "\U0010fffe")}
    return len(drawn) > len(CHARACTERS)


def draw(typefaces: list[Typeface], part: str, copies: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Draw all characters of the fonts of a part.

    Parameters
    ----------
    typefaces : list of Typeface
        All typefaces.
    part : str
        ``training``, ``validation`` or ``test``.
    copies : int
        Images of a character per font, each of a random size and at a random place.

    Returns
    -------
    images : array of uint8, shape (images, 32, 32)
    labels : array of int64
        Places in `CHARACTERS`.
    """
    pairs = list(_drawn(typefaces, part, copies))
    return np.stack([image for image, _ in pairs]), np.array([label for _, label in pairs])


def _drawn(typefaces: list[Typeface], part: str, copies: int) -> Iterator[tuple[np.ndarray, int]]:
    for typeface in typefaces:
        if part_of(typeface.name) != part:
            continue
        for number, file in enumerate(typeface.fonts):
            source = random.Random(f"{typeface.name} {number}")
            fonts = {points: ImageFont.truetype(str(file), points) for points in POINTS}
            for label, character in enumerate(CHARACTERS):
                for _ in range(copies):
                    place = SIZE / 2 + source.randint(-2, 2), BASELINE + source.randint(-2, 2)
                    yield np.asarray(_image(character, fonts[source.choice(POINTS)], place)), label


def _image(character: str, font: ImageFont.FreeTypeFont, place: tuple[float, float]) -> Image.Image:
    """An image of a character; the place is the middle of its baseline."""
    image = Image.new("L", (SIZE, SIZE))
    ImageDraw.Draw(image).text(place, character, fill=255, font=font, anchor="ms")
    return image
