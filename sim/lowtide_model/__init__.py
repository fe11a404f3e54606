"""Golden models in NumPy: what the hardware computes, to the bit."""

from lowtide_model.bfp_tensor import BfpTensor
from lowtide_model.chunk import Chunk, chunks
from lowtide_model.converter import default_bias, quantise
from lowtide_model.fp32 import Fp32, scaled_to_fp32, to_fp32
from lowtide_model.improvement import Ratio, ratio_of
from lowtide_model.product import check_product, dot, matmul
from lowtide_model.random_source import SteppingSource, neighbour_words, words
from lowtide_model.rounder import round_magnitude, rounds_up
from lowtide_model.stochastic import GivenWords, Ideal, OneWord, Stochastic, reference

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
