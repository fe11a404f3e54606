"""Convolution: a product whose rows are windows of an image."""

import attrs
import numpy as np

__all__ = ["Convolution"]


@attrs.frozen
class Convolution:
    """Square windows at every place of images of shape (rows, columns, channels), without padding.

    Parameters
    ----------
    size : int
        Rows and columns of a window.
    """

    size: int

    def unfold(self, x: np.ndarray) -> np.ndarray:
        """One row per window, with channels, then positions; windows in the order of images, rows and columns."""
        windows = np.lib.stride_tricks.sliding_window_view(x, (self.size, self.size), axis=(1, 2))
        return windows.reshape(-1, x.shape[3] * self.size**2)

    def fold(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Sum of each element over the windows that contain it."""
        images, height, width, channels = shape
        down, across = height - self.size + 1, width - self.size + 1
        windows = rows.reshape(images, down, across, channels, self.size, self.size)
        folded = np.zeros(shape, rows.dtype)
        for i in range(self.size):
            for j in range(self.size):
                folded[:, i : i + down, j : j + across] += windows[..., i, j]
        return folded

    def outputs(self, rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Images with one position per window."""
        images, height, width, _ = shape
        return rows.reshape(images, height - self.size + 1, width - self.size + 1, -1)
