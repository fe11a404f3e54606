"""Tiling of matrix products for the array: tiles, the beats of each tile, and unpacking of the results."""

from functools import cached_property
from itertools import product
from typing import Any

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.formats import ChunkLayout
from lowtide.formats.parameter import instance
from lowtide_model import BfpTensor, check_product, chunks

__all__ = ["Tiling", "pack_words"]


@attrs.frozen(kw_only=True, eq=False)
class Tiling:
    """A product ``A`` (M × K) times ``B`` (K × N), split into tiles of ``rows`` × ``columns`` results.

    Tiles are in row-major order of the product. Tiles at the lower and right edges are padded with words of zero. A
    tile takes one beat per group along K, per slice of ``lanes`` elements of a group, and per pair of a chunk of A and
    a chunk of B.

    Many beats share their words, so each word of the stream is packed once, and a beat is a pair of indices.

    Parameters
    ----------
    a, b : BfpTensor
        Operands of the golden model, grouped along K.
    config : Config
        The hardware.

    Raises
    ------
    ValueError
        If the operands are not matrices, their shapes do not multiply, or the hardware does not support them.
    """

    a: BfpTensor
    b: BfpTensor
    config: Config

    def __attrs_post_init__(self):
        instance("a", self.a, BfpTensor)
        instance("b", self.b, BfpTensor)
        instance("config", self.config, Config)
        if len(self.a.shape) != 2 or len(self.b.shape) != 2:
            raise ValueError(f"a and b must be matrices, not of shapes {self.a.shape} and {self.b.shape}")
        check_product(self.a, self.b, bfp=self.config.bfp)
        if 0 in (*self.a.shape, *self.b.shape):
            raise ValueError(f"dimensions must be 1 or more, not of shapes {self.a.shape} and {self.b.shape}")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the product, ``M`` and ``N``."""
        return self.a.shape[0], self.b.shape[1]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        array = self.config.array
        return -(-self.shape[0] // array.rows), -(-self.shape[1] // array.columns)

    @property
    def tiles(self) -> int:
        """Tiles of the product."""
        return self.grid[0] * self.grid[1]

    @cached_property
    def beats_per_tile(self) -> int:
        """Beats per tile."""
        return len(self._steps[0])

    @property
    def beats(self) -> int:
        """Beats of the whole product."""
        return self.tiles * self.beats_per_tile

    @property
    def busy(self) -> int:
        """Element-cycles that contribute to results: one per beat and result, without padding."""
        M, N = self.shape
        return M * N * self.beats_per_tile

    @cached_property
    def words_a(self) -> np.ndarray:
        """Distinct ``tdata`` words of the stream of A: uint8, one per row, the lowest byte first."""
        return _words(self.a, self.config.bfp.layout_a, self.config.array.rows)

    @cached_property
    def words_b(self) -> np.ndarray:
        """Distinct ``tdata`` words of the stream of B: uint8, one per row, the lowest byte first."""
        return _words(self.b, self.config.bfp.layout_b, self.config.array.columns)

    @property
    def order(self) -> tuple[np.ndarray, np.ndarray]:
        """Indices into `words_a` and `words_b` for the beats of all tiles, in order."""
        down, across = self.grid
        step_a, step_b = self._steps
        tile_a, tile_b = np.divmod(np.arange(self.tiles), across)
        first_a, first_b = tile_a * (len(self.words_a) // down), tile_b * (len(self.words_b) // across)
        return np.add.outer(first_a, step_a).reshape(-1), np.add.outer(first_b, step_b).reshape(-1)

    @cached_property
    def _steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Indices of the words of A and B for the beats of one tile, relative to the tile's first word."""
        chunks_a, chunks_b = (
            tensor.mantissa // chunk
            for tensor, chunk in ((self.a, self.config.bfp.chunk_a), (self.b, self.config.bfp.chunk_b))
        )
        slices = self.a.signed.shape[-1] // self.config.bfp.lanes
        pairs = product(range(slices), range(chunks_a), range(chunks_b))
        a, b = np.array([(s * chunks_a + i, s * chunks_b + j) for s, i, j in pairs]).T
        return a, b

    def words_of(self, results: np.ndarray) -> np.ndarray:
        """Unpack the results of whole tiles, including padding.

        Parameters
        ----------
        results : array of uint8, shape (tiles * rows, bytes)
            ``tdata`` of the stream of results, in order of arrival, the lowest byte first.

        Returns
        -------
        array of int64 or of Python integers (object), shape (whole rows of tiles, whole columns of tiles)
            ``[:M, :N]`` is the product. Python integers if a result has more than 64 bits.
        """
        array, width = self.config.array, self.config.bfp.accumulator
        expected = (self.tiles * array.rows, -(-array.columns * width // 8))
        if results.shape != expected:
            raise ValueError(f"results must have shape {expected}, not {results.shape}")
        bits = np.unpackbits(results, axis=1, count=array.columns * width, bitorder="little")
        words = _signed(bits.reshape(len(results), array.columns, width))
        down, across = self.grid
        tiles = words.reshape(down, across, array.rows, array.columns)
        return tiles.transpose(0, 2, 1, 3).reshape(down * array.rows, across * array.columns)

    def padded(self, acc: np.ndarray) -> np.ndarray:
        """The product's accumulators, padded with zeros to whole tiles: the expected value of `words_of`."""
        down, across = self.grid
        missing = down * self.config.array.rows - self.shape[0], across * self.config.array.columns - self.shape[1]
        return np.pad(acc, [(0, missing[0]), (0, missing[1])])


def pack_words(signed: np.ndarray, codes: np.ndarray, layout: ChunkLayout) -> np.ndarray:
    """Pack chunks of groups into words of the stream, in the hardware's layout.

    Parameters
    ----------
    signed : array of int, shape (words, n, lanes)
        Elements, below ``2**chunk`` in magnitude.
    codes : array of int, shape (words, n)
        Exponent codes.
    layout : ChunkLayout
        Layout of one chunk. Chunk 0 is in the lowest bits.

    Returns
    -------
    array of uint8, shape (words, bytes)
        Packed words, the lowest byte first; unused bits are zero.
    """
    lanes, lane = layout["lane"], layout["lane"].shape.elem_shape
    bits = np.zeros((*codes.shape, layout.size), np.uint8)
    for i in range(layout.lanes):
        start = lanes.offset + i * lane.size
        for bit in range(layout.chunk):
            bits[..., start + lane["magnitude"].offset + bit] = np.abs(signed[..., i]) >> bit & 1
        bits[..., start + lane["sign"].offset] = signed[..., i] < 0
    for bit in range(layout["exponent"].width):
        bits[..., layout["exponent"].offset + bit] = codes >> bit & 1
    return np.packbits(bits.reshape(len(bits), -1), axis=1, bitorder="little")


def _words(tensor: BfpTensor, layout: ChunkLayout, vectors: int) -> np.ndarray:
    """Words of one operand: per panel of ``vectors`` rows of A or columns of B, per slice along K, per chunk."""
    split = chunks(tensor, layout.chunk)
    signed, codes = np.stack([chunk.signed for chunk in split]), np.stack([chunk.codes for chunk in split])
    missing = [(0, 0), (0, -signed.shape[1] % vectors), (0, 0)]
    signed, codes = np.pad(signed, missing), np.pad(codes, missing)
    slices = tensor.group // layout.lanes
    codes = np.repeat(codes, slices, axis=2)
    codes = codes.reshape(len(split), -1, vectors, codes.shape[2])
    signed = signed.reshape(*codes.shape, layout.lanes)
    # From (chunk, panel, vector, slice, lane) to (panel, slice, chunk, vector, lane).
    signed, codes = signed.transpose(1, 3, 0, 2, 4), codes.transpose(1, 3, 0, 2)
    return pack_words(signed.reshape(-1, vectors, layout.lanes), codes.reshape(-1, vectors), layout)


def _signed(bits: np.ndarray) -> np.ndarray:
    """Integers from two's complement bits along the last axis, the lowest bit first."""
    width = bits.shape[-1]
    extension = np.repeat(bits[..., -1:], -width % 64, axis=-1)
    limbs = np.packbits(np.concatenate([bits, extension], axis=-1), axis=-1, bitorder="little").view("<i8")
    words: Any = limbs[..., -1]
    for i in range(limbs.shape[-1] - 2, -1, -1):
        words = words.astype(object) * 2**64 + limbs[..., i].view("<u8").astype(object)
    return words
