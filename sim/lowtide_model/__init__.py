"""Bit-exact NumPy models of the hardware: the golden models."""

from lowtide_model.bfp_tensor import BfpTensor
from lowtide_model.chunk import Chunk, chunks
from lowtide_model.converter import default_bias, quantize
from lowtide_model.fp32 import Fp32, scaled_to_fp32, to_fp32
from lowtide_model.fp32_sum import add_fp32
from lowtide_model.improvement import Improvement, improvement_of
from lowtide_model.packed import pack, unpack
from lowtide_model.product import check_product, dot, matmul
from lowtide_model.random_source import SteppingSource, neighbor_words, words
from lowtide_model.rounder import round_magnitude, rounds_up
from lowtide_model.stochastic import GivenWords, Ideal, OneWord, Stochastic, reference

__all__ = [
    "BfpTensor",
    "Chunk",
    "Fp32",
    "GivenWords",
    "Ideal",
    "Improvement",
    "OneWord",
    "SteppingSource",
    "Stochastic",
    "add_fp32",
    "check_product",
    "chunks",
    "default_bias",
    "dot",
    "improvement_of",
    "matmul",
    "neighbor_words",
    "pack",
    "quantize",
    "reference",
    "round_magnitude",
    "rounds_up",
    "scaled_to_fp32",
    "to_fp32",
    "unpack",
    "words",
]
