"""Golden models in NumPy: what the hardware computes, to the bit."""

from lowtide_sim.golden.bfp import BfpTensor
from lowtide_sim.golden.chunk import Chunk, chunks
from lowtide_sim.golden.converter import default_bias, quantise
from lowtide_sim.golden.fp32 import Fp32, scaled_to_fp32, to_fp32
from lowtide_sim.golden.neighbour import neighbour_words
from lowtide_sim.golden.product import check_product, dot, matmul
from lowtide_sim.golden.ratio import Ratio, ratio_of
from lowtide_sim.golden.rounder import round_magnitude, rounds_up
from lowtide_sim.golden.source import SteppingSource, words
from lowtide_sim.golden.stochastic import GivenWords, Ideal, OneWord, Stochastic, reference

__all__ = [
    "BfpTensor",
    "Chunk",
    "Fp32",
    "GivenWords",
    "Ideal",
    "OneWord",
    "Ratio",
    "SteppingSource",
    "Stochastic",
    "check_product",
    "chunks",
    "default_bias",
    "dot",
    "matmul",
    "neighbour_words",
    "quantise",
    "ratio_of",
    "reference",
    "round_magnitude",
    "rounds_up",
    "scaled_to_fp32",
    "to_fp32",
    "words",
]
