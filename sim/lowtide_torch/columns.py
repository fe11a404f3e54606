"""Conversion of matrices whose vectors are columns, by the C functions or by operations of PyTorch."""

from torch import Tensor

from lowtide_torch import native
from lowtide_torch.conversion import Converted, Format, Words, convert
from lowtide_torch.windows import Windows

__all__ = ["convert_columns"]


def convert_columns(x: Tensor, form: Format, words: Words | None, *, keep: bool) -> Converted:
    """Convert matrices (matrices, K, vectors), whose vectors are columns.

    Parameters
    ----------
    x : Tensor of float32, shape (matrices, K, vectors)
        Operand.
    form, words
        See `convert`.
    keep : bool
        Whether the columns are converted in place, or as rows of the transposed matrices.

    Returns
    -------
    Converted
        The integers have the shape of ``x``.
    """
    if not native.available(x):
        return convert(x, form, words, columns=True) if keep else convert(x.mT, form, words).mT
    if keep and len(x) == 1 and x.stride(2) == 1:
        return native.columns(x.contiguous(), Windows.rows(x.shape[1], x.shape[2]), 0, x.shape[1], form, words)
    vectors = x.mT
    return native.rows(vectors if vectors.stride(2) == 1 else vectors.contiguous(), form, words).mT
