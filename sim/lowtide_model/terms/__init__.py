"""Golden models of term revealing: encoding, selection, term queues, products, and requantization."""

from lowtide_model.terms.encoding import digits_of, encode, value_of
from lowtide_model.terms.integer import IntegerTensor, quantize_integers
from lowtide_model.terms.product import reveal_data, reveal_weights, term_matmul
from lowtide_model.terms.requantize import multiplier_of, requantize, requantize_data
from lowtide_model.terms.selection import TermQueue, receding_water, term_queue, top_terms

__all__ = [
    "IntegerTensor",
    "TermQueue",
    "digits_of",
    "encode",
    "multiplier_of",
    "quantize_integers",
    "receding_water",
    "requantize",
    "requantize_data",
    "reveal_data",
    "reveal_weights",
    "term_matmul",
    "term_queue",
    "top_terms",
    "value_of",
]
