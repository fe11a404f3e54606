"""From the golden model's chunks to the words of a stream."""

import numpy as np

from lowtide_model import BfpTensor, Chunk, chunks

__all__ = ["streamed"]


def streamed(tensor: BfpTensor, lanes: int, fields: dict[str, int], chunk: int) -> list[list[int]]:
    """A matrix as beats: for each group of ``lanes`` elements a beat for each of its chunks.

    Parameters
    ----------
    tensor : BfpTensor, shape (words, K) with its groups along K
        One row for each word of a beat.
    lanes : int
        Elements of a word: the tensor's group, or a divisor of it.
    fields : dict
        Bit fields of a word, as the sidecar gives them.
    chunk : int
        Bits of a chunk.
    """
    parts = [_beats(part, tensor.group // lanes, lanes, fields) for part in chunks(tensor, chunk)]
    return [list(group) for group in zip(*parts, strict=True)]


def _beats(part: Chunk, words_per_group: int, lanes: int, fields: dict[str, int]) -> list[int]:
    codes = np.repeat(part.codes, words_per_group, axis=-1)
    values = part.signed.reshape(*codes.shape, lanes)
    return [
        sum(_word(values[n, group], int(codes[n, group]), fields) << n * fields["bits"] for n in range(codes.shape[0]))
        for group in range(codes.shape[1])
    ]


def _word(values: np.ndarray, code: int, fields: dict[str, int]) -> int:
    word = code << fields["exponent_from_bit"]
    for lane, value in enumerate(values.tolist()):
        word |= (abs(value) | (value < 0) << fields["sign_bit"]) << lane * fields["lane_bits"]
    return word
