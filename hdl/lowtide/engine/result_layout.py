"""Result settings: layout and legal values of what follows a product."""

from amaranth.hdl import signed
from amaranth.lib import data

from lowtide.engine.operand import LEAST_BIAS, MOST_BIAS, ROUNDINGS
from lowtide.engine.params import EngineParams
from lowtide.formats.bfp import Bfp

__all__ = ["FinishLayout", "ResultLayout"]


class ResultLayout(data.StructLayout):
    """Settings of the results of a product.

    Parameters
    ----------
    bfp : Bfp or None
        Format of the groups; None for an engine of integers.
    params : EngineParams
        Whether the engine has scales per column, post operations and packed results, and the width of a seed.

    Members
    -------
    scale : 1 bit
        1: add an offset to each exact sum and multiply by a scale, both per column. Only with ``params.column_scale``.
    add_bias : 1 bit
        1: add a number per column. Only with ``params.post_operations``, as ``relu`` and ``residual``.
    relu : 2 bits
        Bit 0: ReLU before the residual is added. Bit 1: ReLU at the end. Packed integers without post operations have
        one bit: packed integers below zero become 0.
    residual : 1 bit
        1: add a matrix of the size of the product.
    packed : 1 bit
        1: the results leave packed along N, as groups or integers. 0: FP32 numbers, and the other settings are ignored.
        Only with ``params.packed_results``, as ``chunks``, ``rounding``, ``seed`` and ``bias``.
    chunks : unsigned
        Chunks of A per magnitude, at least 1. Only of groups, as ``rounding`` and ``seed``.
    rounding : 2 bits
        Index into `ROUNDINGS`.
    seed : unsigned
        Seed of the random words; not 0.
    bias : signed, 9 bits
        Exponent bias ``B``, or exponent of the scale of integers.

    Attributes
    ----------
    legal : dict of str to range
        Legal values of each member. A seed of 0 is also legal if rounding is not stochastic.
    """

    def __init__(self, bfp: Bfp | None, params: EngineParams):
        most = bfp.mantissa // bfp.chunk_a if bfp else 1
        post = {"add_bias": (1, range(2)), "relu": (2, range(4)), "residual": (1, range(2))}
        groups = {
            "chunks": (most.bit_length(), range(1, most + 1)),
            "rounding": (2, range(len(ROUNDINGS))),
            "seed": (params.lfsr_bits, range(1, 2**params.lfsr_bits)),
        }
        integers = {} if params.post_operations else {"relu": (1, range(2))}
        packed = {
            "packed": (1, range(2)),
            **(groups if bfp else integers),
            "bias": (signed(9), range(LEAST_BIAS, MOST_BIAS + 1)),
        }
        members = {"scale": (1, range(2))} if params.column_scale else {}
        members |= (post if params.post_operations else {}) | (packed if params.packed_results else {})
        self.legal = {name: legal for name, (_, legal) in members.items()}
        super().__init__({name: shape for name, (shape, _) in members.items()})


class FinishLayout(data.StructLayout):
    """What follows a product, and the size of its results.

    Parameters
    ----------
    settings : ResultLayout
        Settings of the results.
    vectors, length : int
        Most rows and most columns of a product.
    tiles : int
        Most tiles of a row of tiles.

    Members
    -------
    settings : ResultLayout
        Settings of the results.
    vectors : unsigned
        Rows of the product.
    length : unsigned
        Columns of the product.
    across : unsigned
        Tiles per row of tiles.
    """

    def __init__(self, settings: ResultLayout, vectors: int, length: int, tiles: int):
        sizes = {"vectors": range(vectors + 1), "length": range(length + 1), "across": range(tiles + 1)}
        super().__init__({"settings": settings, **sizes})
