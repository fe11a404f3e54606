"""What an engine is told of an operand."""

from amaranth.hdl import signed
from amaranth.lib import data

from lowtide.formats.bfp import Bfp

__all__ = ["LEAST_BIAS", "MOST_BIAS", "NEAREST", "ROUNDINGS", "STOCHASTIC", "TRUNCATE", "OperandLayout"]

TRUNCATE, NEAREST, STOCHASTIC = range(3)

ROUNDINGS = ("truncate", "nearest", "stochastic")
"""Names of the ways to round, by their numbers. ``nearest`` sends ties away from zero."""

LEAST_BIAS, MOST_BIAS = -160, 128
"""Legal biases. The smallest exponent of a normal FP32 number is -126, and at most 32 exponent codes end there, so no
tensor needs a bias below -157. No FP32 number has an exponent above 128. Magnitudes have at most 12 bits, so the scale
of a product is from -342 to 256, and the ten bits of the normalizer's scale hold it."""


class OperandLayout(data.StructLayout):
    """Settings of an operand, a matrix of ``lines`` lines of ``length`` numbers along the reduction.

    Parameters
    ----------
    bfp : Bfp
        Format of its groups.
    chunk : int
        Bits of a chunk.
    lines : int
        Most lines.
    generator : int
        Bits of a seed.

    Members
    -------
    lines, length : unsigned
        Rows of A or columns of B; elements along K.
    transposed : 1 bit
        The stream brings the first number of each line, then the second; not line by line.
    chunks : unsigned
        Chunks of a magnitude, from 1 up.
    rounding : 2 bits
        One of `ROUNDINGS`, by its number.
    seed : unsigned
        Of the random words; not 0.
    bias_auto : 1 bit
        The bias is the one that was found last, and ``bias`` is not looked at.
    bias : signed, 9 bits
        ``B``.

    Attributes
    ----------
    legal : dict of str to range
        Legal values of each member. A seed of 0 is legal too where rounding is not stochastic.
    """

    def __init__(self, bfp: Bfp, chunk: int, lines: int, generator: int):
        self.legal = {
            "lines": range(1, lines + 1),
            "length": range(1, bfp.max_k + 1),
            "transposed": range(2),
            "chunks": range(1, bfp.mantissa // chunk + 1),
            "rounding": range(len(ROUNDINGS)),
            "seed": range(1, 2**generator),
            "bias_auto": range(2),
            "bias": range(LEAST_BIAS, MOST_BIAS + 1),
        }
        super().__init__(
            {
                "lines": lines.bit_length(),
                "length": bfp.max_k.bit_length(),
                "transposed": 1,
                "chunks": (bfp.mantissa // chunk).bit_length(),
                "rounding": 2,
                "seed": generator,
                "bias_auto": 1,
                "bias": signed(9),
            }
        )
