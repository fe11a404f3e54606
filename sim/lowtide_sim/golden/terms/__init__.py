"""Golden models of term revealing: digits, selection, term queues, and the products of what is left."""

from lowtide_sim.golden.terms.encoding import digits_of, encode, value_of
from lowtide_sim.golden.terms.integer import IntegerTensor, quantise_integers
from lowtide_sim.golden.terms.product import term_matmul
from lowtide_sim.golden.terms.queue import TermQueue, term_queue
from lowtide_sim.golden.terms.reveal import reveal_data, reveal_weights
from lowtide_sim.golden.terms.selection import receding_water, top_terms

__all__ = [
    "IntegerTensor",
    "TermQueue",
    "digits_of",
    "encode",
    "quantise_integers",
    "receding_water",
    "reveal_data",
    "reveal_weights",
    "term_matmul",
    "term_queue",
    "top_terms",
    "value_of",
]
