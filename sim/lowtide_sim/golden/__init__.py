"""Golden models in NumPy: what the hardware computes, to the bit."""

from lowtide_sim.golden.bfp import BfpTensor
from lowtide_sim.golden.chunk import Chunk, chunks
from lowtide_sim.golden.converter import quantise
from lowtide_sim.golden.fp32 import Fp32, to_fp32
from lowtide_sim.golden.product import check_product, dot, matmul

__all__ = ["BfpTensor", "Chunk", "Fp32", "check_product", "chunks", "dot", "matmul", "quantise", "to_fp32"]
