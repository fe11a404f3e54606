"""Drawn lines of text, with labels, for a network that reads text."""

import random
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lowtide.errors import CommandError
from lowtide_studies.network_training.glyphs import find_typefaces, part_of
from lowtide_studies.network_training.king_james import king_james

__all__ = ["HEIGHT", "WIDTH", "write_lines"]

HEIGHT, WIDTH = 48, 320
"""Pixels of an image: the usual size of PP-OCR."""

MARGINS, POINTS, DARKNESS = range(4, 13), range(26, 35), range(81)
"""Ranges of the left margin and of the font's size, in pixels, and of the gray value of the text."""

PARTS = ("validation", "test")
"""Parts of the typefaces that draw the samples of the search, and the other samples."""

TUNING = "training"
"""Part of the typefaces that draws the samples that tune weights."""

CHARACTERS = "character"
"""Key of an ONNX file's metadata: the characters of the classes from 1, one per line, before the space."""


def write_lines(model: str, folder: Path, count: int, tuning: int = 0) -> tuple[Path, Path]:
    """Draw lines of the King James text, and write inputs and labels.

    The samples of the search and the other samples have different typefaces: each second line is drawn in one of the
    fonts that `lowtide study network-training` takes for validation, the others in a font for tests. The samples that
    tune weights precede them, in fonts for training.

    Parameters
    ----------
    model : str
        ONNX file with one input, images of shape (N, 3, 48, 320) from -1 to 1. Its metadata list the characters.
    folder : Path
        Folder of both files.
    count : int
        Lines of both kinds.
    tuning : int
        Lines that tune weights.

    Returns
    -------
    (Path, Path)
        NumPy files ``lines.npz`` of the images, and ``lines-labels.npy`` of the classes of the characters.

    Raises
    ------
    CommandError
        If the model has no list of characters or not one input, or if fonts or the text are missing.
    """
    name, classes = _input_and_classes(model)
    words = [word for word in king_james("--inputs FILE").split() if set(word) <= set(classes)]
    typefaces = find_typefaces()
    *fonts, more = (
        [font for one in typefaces if part_of(one.name) == part for font in one.fonts] for part in (*PARTS, TUNING)
    )
    source, other = random.Random(0), random.Random(1)
    lines = [_line(other, more, words) for _ in range(tuning)]
    lines += [_line(source, fonts[number % 2], words) for number in range(count)]
    labels = np.zeros((len(lines), max(len(text) for _, text in lines)), np.int64)
    for row, (_, text) in zip(labels, lines, strict=True):
        row[: len(text)] = [classes[character] for character in text]
    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "lines.npz", folder / "lines-labels.npy"
    inputs: dict[str, Any] = {name: np.stack([image for image, _ in lines])}
    np.savez(files[0], **inputs)
    np.save(files[1], labels)
    return files


def _input_and_classes(model: str) -> tuple[str, dict[str, int]]:
    """Name of a model's input, and the class of each character."""
    from lowtide_onnx.model_file import read_model

    read = read_model(Path(model))
    metadata = {one.key: one.value for one in read.metadata_props}
    if CHARACTERS not in metadata:
        raise CommandError(f"{model} has no metadata {CHARACTERS!r} that list the characters it reads; give --inputs")
    if len(read.graph.input) != 1:
        raise CommandError(f"{model} must have one input for drawn lines, not {len(read.graph.input)}; give --inputs")
    characters = [*metadata[CHARACTERS].splitlines(), " "]
    return read.graph.input[0].name, {character: place for place, character in enumerate(characters, 1)}


def _line(source: random.Random, fonts: list[Path], words: list[str]) -> tuple[np.ndarray, str]:
    """An image in three equal colors and its text: as many consecutive words as fit."""
    font = ImageFont.truetype(str(source.choice(fonts)), source.choice(POINTS))
    first = source.randrange(len(words))
    text, margin = "", source.choice(MARGINS)
    for word in words[first:]:
        longer = f"{text} {word}".strip()
        if text and margin + font.getlength(longer) > WIDTH - MARGINS.start:
            break
        text = longer
    image = Image.new("L", (WIDTH, HEIGHT), 255)
    place = margin, HEIGHT // 2 + source.randint(-2, 2)
    ImageDraw.Draw(image).text(place, text, font=font, fill=source.choice(DARKNESS), anchor="lm")
    return np.broadcast_to(np.asarray(image, np.float32) / 127.5 - 1, (3, HEIGHT, WIDTH)), text
