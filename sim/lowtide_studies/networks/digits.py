"""Handwritten digits: the 1,797 images that are bundled with scikit-learn."""

import attrs
import numpy as np
from sklearn.datasets import load_digits

__all__ = ["CLASSES", "HELD_OUT", "PIXELS", "SPLIT", "Digits", "Images"]

PIXELS, CLASSES, HELD_OUT = 64, 10, 360
SPLIT = 1


@attrs.frozen(eq=False)
class Images:
    """Images as rows of 64 pixels in FP32, from 0 to 1 in multiples of 1/16, and their labels, digits."""

    pixels: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, n: int) -> "Images":
        return self.take(slice(n))

    def take(self, which: slice | np.ndarray) -> "Images":
        """Images by their places."""
        return Images(self.pixels[which], self.labels[which])


@attrs.frozen(eq=False)
class Digits:
    """All images, in two parts: 1,437 images for training, and 360 images that training does not use."""

    training: Images
    held_out: Images

    @classmethod
    def load(cls, split: int = SPLIT) -> "Digits":
        """Shuffle and divide the images, reproducibly for each ``split``; other splits hold out other images."""
        data = load_digits()
        order = np.random.default_rng(split).permutation(len(data.target))
        pixels, labels = (data.data[order] / 16).astype(np.float32), data.target[order]
        return cls(
            Images(pixels[:-HELD_OUT], labels[:-HELD_OUT]),
            Images(pixels[-HELD_OUT:], labels[-HELD_OUT:]),
        )
