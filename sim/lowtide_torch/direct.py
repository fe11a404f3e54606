"""Products of a convolution without a copy of its windows, where their bits equal the bits of the plain product."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from lowtide_torch import native
from lowtide_torch.columns import convert_columns
from lowtide_torch.conversion import Converted, fits
from lowtide_torch.engine import Engine
from lowtide_torch.exact import FLOAT32_EXACT, FLOAT64_EXACT, SCALE_OF_PARTS, PanelSum, norm_bound, rounded, split
from lowtide_torch.improvements import add_sums, improvement
from lowtide_torch.operand import Operand, Result
from lowtide_torch.windows import Windows

__all__ = ["forward", "to_inputs", "to_weights"]

BLOCK = 2**18
"""Numbers of a product that are computed at once: few enough to stay in a core's cache."""


def forward(engine: Engine, x: Operand, b: Operand, windows: Windows, measure: bool, layer: str) -> Result | None:
    """Convert each element of the images once, and convolve the integers; None if the bits might differ.

    Groups of a window lie along the channels if the channels of a group are whole groups of lanes. Then all windows
    have equal conversions of an element, if its rounding needs no random words. The sum must be one
    panel, or stay on chip.

    Parameters
    ----------
    engine : Engine
        Engine of the product.
    x : Operand, shape (N, H, W, C)
        Images.
    b : Operand, shape (groups, elements, outputs of a group)
        Weights.
    windows : Windows
        Windows of the images.
    measure : bool
        Whether to measure the relative improvements.
    layer : str
        Name of the module in errors.
    """
    bfp = engine.config.bfp
    form, weight_form = engine.format_of("a", x.settings, measure), engine.format_of("b", b.settings, measure)
    outputs = b.x.shape[2]
    panels = engine.panels(windows.count, windows.size, outputs, x.settings, b.settings, layer)
    depth = windows.channels // windows.groups
    one = windows.size <= panels.length
    one |= panels.sums and panels.length % bfp.lanes == 0 and b.settings.rounding != "stochastic"
    whole = depth % bfp.lanes == 0 and one
    if not (whole and native.available(x.x) and fits(form) and fits(weight_form)):
        return None
    if x.settings.rounding == "stochastic":
        return None
    (words,) = engine.words("b", b.settings, windows.groups, outputs, panels.wide, windows.size, 1)
    pixels = native.rows(x.x.reshape(1, -1, windows.channels), form, None)
    vectors = native.rows(b.x.mT.contiguous(), weight_form, words)
    norm = _largest_norm(pixels, windows, math.sqrt(vectors.normal_squares))
    images = pixels.integers.reshape(x.x.shape).permute(0, 3, 1, 2)
    weights = vectors.integers.reshape(-1, *windows.kernel, depth).permute(0, 3, 1, 2)
    scale = form.scale + weight_form.scale
    if norm * math.sqrt(vectors.normal_squares) <= FLOAT32_EXACT:
        values = rounded(_convolved(images, weights, windows), scale)
    elif windows.groups == 1 and -126 <= scale <= SCALE_OF_PARTS and (parts := split(vectors.mT, norm)):
        both = torch.cat([part[0].mT for part in parts]).reshape(-1, *windows.kernel, depth).permute(0, 3, 1, 2)
        high, low = _convolved(images, both, windows).chunk(2, 1)
        # Both sums are exact, so their sum in float32 is the exact sum, rounded once.
        values = torch.add(high, low).mul_(2.0**scale).add_(0.0)
    else:
        return None
    values = values.permute(0, 2, 3, 1)
    values = values.reshape(windows.count, windows.groups, -1).transpose(0, 1)
    return Result(
        values=values,
        a_improvement=_pixels_improvement(pixels, windows),
        b_improvement=improvement(add_sums([0, 0], vectors)),
    )


def to_inputs(
    engine: Engine, a: Operand, b: Operand, windows: Windows, measure: bool, layer: str
) -> tuple[Tensor, Result] | None:
    """The gradient of the images: products of a few images at a time, added to the images; None if not supported.

    The result has the improvements, and no values.
    """
    panels = engine.panels(a.x.shape[1], a.x.shape[2], windows.size, a.settings, b.settings, layer)
    form, weight_form = engine.format_of("a", a.settings, measure), engine.format_of("b", b.settings, measure)
    if a.x.shape[2] > panels.length or not (native.available(a.x) and fits(form) and fits(weight_form)):
        return None
    matrices, m, k = a.x.shape
    (a_words,) = engine.words("a", a.settings, matrices, m, panels.high, k, 1)
    (b_words,) = engine.words("b", b.settings, matrices, windows.size, panels.wide, k, 1)
    left = convert_columns(a.x.mT, form, a_words, keep=False)
    right = convert_columns(b.x, weight_form, b_words, keep=False)
    bound = norm_bound(left, right)
    if bound > FLOAT64_EXACT:
        return None
    shape = (windows.images, windows.height, windows.width, windows.channels)
    images = torch.zeros(shape)
    scale, windows_per_image = form.scale + weight_form.scale, windows.down * windows.across
    step = max(1, BLOCK // (windows_per_image * windows.size * windows.groups))
    exact = bound <= FLOAT32_EXACT
    rows = left.integers.mT if exact else left.integers.mT.double()
    columns = right.integers if exact else right.integers.double()
    buffer = torch.empty(matrices, step * windows_per_image, windows.size, dtype=rows.dtype)
    for first in range(0, windows.images, step):
        last = min(first + step, windows.images)
        part = buffer[:, : (last - first) * windows_per_image]
        torch.bmm(rows[:, first * windows_per_image : last * windows_per_image], columns, out=part)
        native.fold(rounded(part, scale), windows, first, last, images)
    sums = add_sums([0, 0, 0, 0], left, right)
    return images, Result(values=images, a_improvement=improvement(sums[:2]), b_improvement=improvement(sums[2:]))


def to_weights(engine: Engine, x: Operand, b: Operand, windows: Windows, measure: bool, layer: str) -> Result | None:
    """The gradient of the weights: the windows of a panel are converted from the images; None if not supported."""
    k = windows.count
    panels = engine.panels(windows.size, k, b.x.shape[2], x.settings, b.settings, layer)
    forms = engine.format_of("a", x.settings, measure), engine.format_of("b", b.settings, measure)
    if not (native.available(x.x) and all(map(fits, forms))):
        return None
    matrices, outputs = windows.groups, b.x.shape[2]
    depths = -(-k // panels.length)
    a_words = engine.words("a", x.settings, matrices, windows.size, panels.high, panels.length, depths)
    b_words = engine.words("b", b.settings, matrices, outputs, panels.wide, panels.length, depths)
    total, sums = PanelSum(forms[0].scale + forms[1].scale, panels.sums), [0, 0, 0, 0]
    for depth in range(depths):
        first, last = depth * panels.length, min((depth + 1) * panels.length, k)
        left = native.columns(x.x, windows, first, last, forms[0], a_words[depth])
        right = convert_columns(b.x[:, first:last], forms[1], b_words[depth], keep=True)
        if not total.add(left, right):
            return None
        sums = add_sums(sums, left, right)
    return Result(values=total.values(), a_improvement=improvement(sums[:2]), b_improvement=improvement(sums[2:]))


def _convolved(images: Tensor, weights: Tensor, windows: Windows) -> Tensor:
    weights = weights.contiguous(memory_format=torch.channels_last)
    geometry = windows.stride, windows.padding, windows.dilation, windows.groups
    return functional.conv2d(images, weights, None, *geometry)


def _largest_norm(pixels: Converted, windows: Windows, other: float) -> float:
    """Largest norm of a window, in units of its lowest bit.

    First without regard to places, which suffices for most images and takes no time.
    """
    assert pixels.vectors is not None
    taps = windows.kernel[0] * windows.kernel[1]
    simple = math.sqrt(taps * pixels.squares) / 2.0 ** int(pixels.vectors[1].min())
    if simple * other <= FLOAT32_EXACT:
        return simple
    if windows.dilation != (1, 1):
        return simple
    shape = (windows.images, 1, windows.height, windows.width)
    squares, lowest = (one.reshape(shape).double() for one in pixels.vectors)
    sums = functional.avg_pool2d(functional.pad(squares, _sides(windows)), windows.kernel, 1, divisor_override=1)
    least = -functional.max_pool2d(functional.pad(-lowest, _sides(windows), value=-math.inf), windows.kernel, 1)
    return math.sqrt(float((sums * torch.exp2(-2 * least)).max()) * (1 + 2.0**-20))


def _sides(windows: Windows) -> tuple[int, int, int, int]:
    (down, across) = windows.padding
    return across, across, down, down


def _pixels_improvement(pixels: Converted, windows: Windows):
    """Improvement of the windows: each element counts in every window that contains it."""
    if pixels.low_sums is None or pixels.high_sums is None:
        return None
    down, across = (_times(windows, axis) for axis in (0, 1))
    times = (down[:, None] * across).double()
    shape = (windows.images, windows.height, windows.width)
    low, high = ((sums.reshape(shape) * times).sum() for sums in (pixels.low_sums, pixels.high_sums))
    return improvement([int(low), int(high)])


def _times(windows: Windows, axis: int) -> Tensor:
    """Windows along an axis that contain each place."""
    length, count = (windows.height, windows.down) if axis == 0 else (windows.width, windows.across)
    taps = torch.arange(windows.kernel[axis]) * windows.dilation[axis] - windows.padding[axis]
    places = (torch.arange(count)[:, None] * windows.stride[axis] + taps).flatten()
    return torch.bincount(places[(places >= 0) & (places < length)], minlength=length)
