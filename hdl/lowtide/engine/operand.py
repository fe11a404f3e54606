"""Operand settings: layout and legal values."""

from amaranth.hdl import Const, Value, signed
from amaranth.lib import data

from lowtide.engine.params import EngineParams
from lowtide.formats.bfp import Bfp
from lowtide.formats.packed import PackedLayout
from lowtide.units.logic import at_most, mux

__all__ = ["LEAST_BIAS", "MOST_BIAS", "NEAREST", "ROUNDINGS", "STOCHASTIC", "TRUNCATE", "OperandLayout"]

TRUNCATE, NEAREST, STOCHASTIC = range(3)

ROUNDINGS = ("truncate", "nearest", "stochastic")
"""Names of the rounding modes, by number. ``nearest`` rounds ties away from zero."""

LEAST_BIAS, MOST_BIAS = -160, 128
"""Legal biases. The smallest exponent of a normal FP32 number is -126, and at most 32 exponent codes end there, so no
tensor needs a bias below -157. No FP32 number has an exponent above 128. Magnitudes have at most 12 bits, so the scale
of a product is from -342 to 256, which fits the ten bits of the normalizer's scale."""


class OperandLayout(data.StructLayout):
    """Settings of an operand, a matrix of ``vectors`` vectors with ``length`` elements along the reduction.

    Parameters
    ----------
    bfp : Bfp
        Format of the groups.
    chunk : int
        Width of a chunk in bits.
    vectors : int
        Maximum number of vectors.
    params : EngineParams
        Width of a seed, longest transposed row, whether the operand may arrive packed, and slots of its buffer.

    Members
    -------
    vectors : unsigned
        Number of vectors: rows of A or columns of B.
    length : unsigned
        Elements per vector, along K.
    transposed : 1 bit
        1: the stream carries element 0 of every vector, then element 1. 0: it carries one vector after the other.
    chunks : unsigned
        Chunks per magnitude, at least 1.
    rounding : 2 bits
        Index into `ROUNDINGS`.
    seed : unsigned
        Seed of the random words; not 0.
    bias_auto : 1 bit
        1: use the bias that was found last, and ignore ``bias``.
    bias : signed, 9 bits
        Exponent bias ``B``.
    packed : 1 bit
        1: the stream carries packed groups, in order. ``rounding`` and ``seed`` are ignored. 0: FP32 numbers. Only with
        ``params.packed_operands``.
    slot : unsigned
        Slot of the buffer into which the operand is loaded, or in which it stays. Only with ``params.slots``.

    Attributes
    ----------
    legal : dict of str to range
        Legal values of each member. A seed of 0 is also legal if rounding is not stochastic.
    lanes : int
        Elements per group.
    max_k : int
        Maximum length of the reduction.
    most_chunks : int
        Most chunks per group.
    most_row : int
        Most words of the stream per vector of a packed operand.
    """

    def __init__(self, bfp: Bfp, chunk: int, vectors: int, params: EngineParams):
        lfsr_bits, packed, slots = params.lfsr_bits, params.packed_operands, params.slots
        self.lanes, self.max_k, self.most_chunks = bfp.lanes, bfp.max_k, bfp.mantissa // chunk
        self._most_transposed = params.transpose_depth
        self._row_sizes = [
            PackedLayout.of(bfp).words(chunks * chunk) if chunks else 0 for chunks in range(self.most_chunks + 1)
        ]
        group = f"l{bfp.lanes}_c{self.most_chunks}_k{bfp.max_k}"
        self.name = f"{group}_t{params.transpose_depth}_b{lfsr_bits}" + "_p" * packed + f"_s{slots}" * bool(slots)
        self.legal = {
            "vectors": range(1, vectors + 1),
            "length": range(1, bfp.max_k + 1),
            "transposed": range(2),
            "chunks": range(1, bfp.mantissa // chunk + 1),
            "rounding": range(len(ROUNDINGS)),
            "seed": range(1, 2**lfsr_bits),
            "bias_auto": range(2),
            "bias": range(LEAST_BIAS, MOST_BIAS + 1),
            **({"packed": range(2)} if packed else {}),
            **({"slot": range(slots)} if slots else {}),
        }
        super().__init__(
            {
                "vectors": vectors.bit_length(),
                "length": bfp.max_k.bit_length(),
                "transposed": 1,
                "chunks": (bfp.mantissa // chunk).bit_length(),
                "rounding": 2,
                "seed": lfsr_bits,
                "bias_auto": 1,
                "bias": signed(9),
                **({"packed": 1} if packed else {}),
                **({"slot": range(slots)} if slots else {}),
            }
        )

    @property
    def most_row(self) -> int:
        """Most words of the stream per vector of a packed operand."""
        return -(-self.max_k // self.lanes) * self._row_sizes[-1]

    def accepts(self, settings: data.View) -> Value:
        """Whether settings are legal, apart from the room in the buffer."""
        packed = self.packed(settings)
        return (
            (settings.vectors != 0)
            & (settings.length != 0)
            & at_most(settings.length, self.max_k)
            & (settings.chunks != 0)
            & at_most(settings.chunks, self.most_chunks)
            & (~settings.transposed | at_most(settings.vectors, self._most_transposed))
            & at_most(settings.rounding, STOCHASTIC)
            & ((settings.rounding != STOCHASTIC) | (settings.seed != 0))
            & ~(packed & (settings.transposed | settings.bias_auto))
            & (settings.bias_auto | ((settings.bias >= LEAST_BIAS) & (settings.bias <= MOST_BIAS)))
        )

    def packed(self, settings: data.View) -> Value:
        """Whether the operand arrives as packed groups."""
        return settings.packed if "packed" in self.legal else Const(0)

    def chunks(self, settings: data.View) -> Value:
        """Chunks per group."""
        return settings.chunks

    def auto(self, settings: data.View) -> Value:
        """Whether the operand uses the bias found last."""
        return settings.bias_auto

    def words(self, settings: data.View, groups: Value) -> Value:
        """Chunks per vector: words of its buffer."""
        return groups * settings.chunks

    def row(self, settings: data.View, groups: Value) -> Value:
        """Words of the stream per vector of a packed operand."""
        return groups * mux([Const(n, range(self._row_sizes[-1] + 1)) for n in self._row_sizes], settings.chunks)
