"""Operand settings: layout and legal values."""

from amaranth.hdl import signed
from amaranth.lib import data

from lowtide.formats.bfp import Bfp

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
    lfsr_bits : int
        Width of a seed in bits.
    packed : bool
        Whether the operand may arrive as packed groups.
    slots : int
        Slots of the operand's buffer; 0 without slots.

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
        ``packed``.
    slot : unsigned
        Slot of the buffer into which the operand is loaded, or in which it stays. Only with ``slots``.

    Attributes
    ----------
    legal : dict of str to range
        Legal values of each member. A seed of 0 is also legal if rounding is not stochastic.
    """

    def __init__(self, bfp: Bfp, chunk: int, vectors: int, lfsr_bits: int, packed: bool, slots: int = 0):
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
