"""Windows of a convolution: the rows of its products."""

import attrs
import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Windows"]


@attrs.frozen(kw_only=True)
class Windows:
    """Windows of images (N, H, W, C), in the order of images, rows and columns.

    The elements of a window are in the order of kernel rows, kernel columns and channels. Elements outside the image
    are zero. Each group of channels has a matrix.

    Parameters
    ----------
    images, height, width, channels : int
        Shape of the images.
    kernel, stride, padding, dilation : (int, int)
        Geometry of the convolution; the padding is equal on both sides.
    groups : int
        Groups of channels.
    """

    images: int
    height: int
    width: int
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int

    @classmethod
    def rows(cls, count: int, length: int) -> "Windows":
        """Windows of the rows of a matrix: each row is an image of one element."""
        one = (1, 1)
        return cls(
            images=count,
            height=1,
            width=1,
            channels=length,
            kernel=one,
            stride=one,
            padding=(0, 0),
            dilation=one,
            groups=1,
        )

    @property
    def down(self) -> int:
        """Rows of windows of an image."""
        reach = self.dilation[0] * (self.kernel[0] - 1) + 1
        return (self.height + 2 * self.padding[0] - reach) // self.stride[0] + 1

    @property
    def across(self) -> int:
        """Columns of windows of an image."""
        reach = self.dilation[1] * (self.kernel[1] - 1) + 1
        return (self.width + 2 * self.padding[1] - reach) // self.stride[1] + 1

    @property
    def count(self) -> int:
        """Number of windows."""
        return self.images * self.down * self.across

    @property
    def size(self) -> int:
        """Elements of a window in one group of channels."""
        return self.kernel[0] * self.kernel[1] * (self.channels // self.groups)

    @property
    def plain(self) -> bool:
        """Whether each element of the images is a window."""
        ones = (1, 1)
        return self.kernel == ones and self.stride == ones and self.padding == (0, 0) and self.groups == 1

    def unfold(self, x: Tensor) -> Tensor:
        """Windows of images (N, H, W, C) as matrices of shape (groups, windows, elements)."""
        if self.plain:
            return x.reshape(1, self.count, self.channels)
        padded = functional.pad(
            x, (0, 0, self.padding[1], self.padding[1], self.padding[0], self.padding[0])
        ).contiguous()
        n, h, w, c = padded.stride()
        (sh, sw), (dh, dw), depth = self.stride, self.dilation, self.channels // self.groups
        shape = (self.groups, self.images, self.down, self.across, *self.kernel, depth)
        strides = (depth * c, n, h * sh, w * sw, h * dh, w * dw, c)
        return padded.as_strided(shape, strides).reshape(self.groups, self.count, self.size)

    def fold(self, rows: Tensor) -> Tensor:
        """Sums of the windows (groups, windows, elements) at each element of the images (N, H, W, C), in FP32.

        An element is the sum over kernel rows, then kernel columns, in ascending order, that starts with +0.
        """
        if self.plain:
            return rows.reshape(self.images, self.height, self.width, self.channels)
        (ph, pw), (sh, sw), (dh, dw) = self.padding, self.stride, self.dilation
        shape = (self.images, self.height + 2 * ph, self.width + 2 * pw, self.groups, self.channels // self.groups)
        sums = torch.zeros(shape, dtype=rows.dtype, device=rows.device)
        parts = rows.reshape(self.groups, self.images, self.down, self.across, *self.kernel, -1)
        parts = parts.permute(1, 2, 3, 0, 6, 4, 5)
        for i in range(self.kernel[0]):
            for j in range(self.kernel[1]):
                ih, iw = slice(i * dh, i * dh + sh * self.down, sh), slice(j * dw, j * dw + sw * self.across, sw)
                sums[:, ih, iw] += parts[..., i, j]
        sums = sums[:, ph : ph + self.height, pw : pw + self.width]
        return sums.reshape(self.images, self.height, self.width, self.channels)
