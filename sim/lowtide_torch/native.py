"""The C functions of ``convert.c``, compiled at first use. Without a compiler, operations of PyTorch replace them."""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lowtide.engine.operand import ROUNDINGS
from lowtide_torch.conversion import Converted, Format, Words
from lowtide_torch.windows import Windows

__all__ = ["available", "columns", "fold", "rows"]

SOURCE = Path(__file__).with_name("convert.c")
FLAGS = ("-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")


class _Form(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int32) for name in ("lanes", "mantissa", "top", "bias", "rounding")] + [
        (name, ctypes.c_int32) for name in ("random_bits", "fraction", "chunk")
    ]


class _Geometry(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_int64)
        for name in (
            *("height", "width", "channels", "depth", "offset", "down", "across", "rows", "columns"),
            *("stride_h", "stride_w", "pad_h", "pad_w", "dilation_h", "dilation_w"),
        )
    ]


def available(x: Tensor) -> bool:
    """Whether the C functions are available for a tensor; ``LOWTIDE_TORCH_NATIVE=0`` switches them off."""
    return x.device.type == "cpu" and _library() is not None


@functools.cache
def _library() -> ctypes.CDLL | None:
    """The compiled functions, from a folder for the user's caches; None without a compiler."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if os.environ.get("LOWTIDE_TORCH_NATIVE", "1") == "0" or compiler is None:
        return None
    inputs = (SOURCE.read_text(encoding="utf-8"), *FLAGS, compiler, platform.machine(), _processor())
    digest = hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:20]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lowtide"
    library = folder / f"convert-{digest}.so"
    try:
        if not library.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder) as build:
                fresh = Path(build, "convert.so")
                subprocess.run([compiler, *FLAGS, str(SOURCE), "-o", str(fresh)], check=True, capture_output=True)
                fresh.replace(library)
        return ctypes.CDLL(str(library))
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor() -> str:
    """Model and features of the processor, since the library has its instructions."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return "".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))


def rows(x: Tensor, form: Format, words: Words | None) -> Converted:
    """`convert` of vectors (matrices, vectors, K), whose elements are contiguous along K."""
    matrices, vectors, length = x.shape
    integers = torch.empty(x.shape)
    sums, lowest = np.empty((3, matrices, vectors)), np.empty((matrices, vectors), np.int32)
    library = _library()
    assert library is not None
    library.lowtide_rows(
        _address(x),
        *map(ctypes.c_int64, (matrices, vectors, length, x.stride(0), x.stride(1))),
        ctypes.byref(_form(form)),
        *_words(words, pairs=True),
        _address(integers),
        *map(_pointer, (*sums, lowest)),
    )
    return _converted(integers, form, sums, lowest)


def columns(x: Tensor, windows: Windows, first: int, last: int, form: Format, words: Words | None) -> Converted:
    """`convert` of the windows of contiguous images (N, H, W, C), with groups of windows: each element is a vector.

    The integers have the shape (groups, last - first, elements).
    """
    integers = torch.empty(windows.groups, last - first, windows.size)
    sums, lowest = np.empty((3, windows.groups, windows.size)), np.empty((windows.groups, windows.size), np.int32)
    library = _library()
    assert library is not None
    for group in range(windows.groups):
        library.lowtide_columns(
            _address(x),
            ctypes.byref(_geometry(windows, group)),
            ctypes.c_int64(first),
            ctypes.c_int64(last),
            ctypes.byref(_form(form)),
            *_words(words, group),
            _address(integers[group]),
            *(_pointer(one[group]) for one in (*sums, lowest)),
        )
    return _converted(integers, form, sums, lowest)


def fold(product: Tensor, windows: Windows, first: int, last: int, images: Tensor) -> None:
    """Add the windows of images ``first`` to ``last`` to zeros, in the order of `Windows.fold`."""
    library = _library()
    assert library is not None
    for group in range(windows.groups):
        library.lowtide_fold(
            _address(product[group]),
            ctypes.byref(_geometry(windows, group)),
            ctypes.c_int64(first),
            ctypes.c_int64(last),
            _address(images),
        )


def _converted(integers: Tensor, form: Format, sums: np.ndarray, lowest: np.ndarray) -> Converted:
    squares, low, high = sums
    more = 1 + 2.0**-20
    return Converted(
        integers=integers,
        squares=float(squares.max(initial=0)) * more,
        normal_squares=float(np.ldexp(squares, -2 * lowest).max(initial=0)) * more,
        scale=form.scale,
        low_sums=torch.from_numpy(low) if form.chunk else None,
        high_sums=torch.from_numpy(high) if form.chunk else None,
        vectors=(torch.from_numpy(squares), torch.from_numpy(lowest)),
    )


def _form(form: Format) -> _Form:
    return _Form(
        lanes=form.lanes,
        mantissa=form.mantissa,
        top=2**form.exponent - 1,
        bias=form.bias,
        rounding=ROUNDINGS.index(form.rounding),
        random_bits=form.random_bits,
        fraction=form.fraction,
        chunk=form.chunk,
    )


def _geometry(windows: Windows, group: int) -> _Geometry:
    depth = windows.channels // windows.groups
    return _Geometry(
        *(windows.height, windows.width, windows.channels, depth, depth * group, windows.down, windows.across),
        *(*windows.kernel, *windows.stride, *windows.padding, *windows.dilation),
    )


def _words(
    words: Words | None, matrix: int = 0, *, pairs: bool = False
) -> tuple[ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]:
    if words is None:
        return ctypes.c_void_p(None), ctypes.c_void_p(None), ctypes.c_int64(1)
    return _pointer(words.pairs if pairs else words.table), _pointer(words.starts[matrix:]), ctypes.c_int64(words.high)


def _address(x: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(x.data_ptr())


def _pointer(x: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(x.ctypes.data)
