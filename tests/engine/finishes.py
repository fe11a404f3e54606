"""What follows a product, at random."""

from typing import Any

import attrs
from operands import Case, random_case, random_matrix, random_operand

from lowtide_model.bfp_tensor import BfpTensor
from lowtide_model.engine.golden_engine import GoldenEngine
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.post_operations import PostOperations

__all__ = ["Finish", "FinishedCase", "random_finish", "random_finished"]


@attrs.frozen(eq=False)
class Finish:
    """Post operations, and settings of packed results; arguments of `multiply`."""

    post: PostOperations | None = None
    results: OperandSettings | None = None

    def arguments(self) -> dict[str, Any]:
        """The finish as keyword arguments."""
        return {"post": self.post, "results": self.results}


@attrs.frozen(eq=False)
class FinishedCase:
    """A product, and what follows it."""

    case: Case
    finish: Finish

    def run(self, engine):
        """The product of an engine."""
        case = self.case
        return engine.multiply(case.a, case.b, case.a_settings, case.b_settings, **self.finish.arguments())

    def check(self, engine):
        """The product of an engine is the golden engine's: every bit, and all that is counted."""
        due, product = self.run(GoldenEngine(engine.config)), self.run(engine)
        assert product.values.tobytes() == due.values.tobytes()
        assert product.events == due.events
        assert (product.tensor is None) == (due.tensor is None)
        if due.tensor is not None:
            assert isinstance(product.tensor, BfpTensor)
            assert isinstance(due.tensor, BfpTensor)
            assert product.tensor.signed.tolist() == due.tensor.signed.tolist()
            assert product.tensor.codes.tolist() == due.tensor.codes.tolist()
            assert (product.tensor.bias, product.tensor.shape) == (due.tensor.bias, due.tensor.shape)


def random_finish(rng, config, shape, special=0.0):
    """Any of the post operations and packed results that an engine has."""
    engine, (rows, columns) = config.engine, shape
    post = results = None
    if engine.post_operations and rng.random() < 0.8:
        fits = columns <= engine.bias_tiles(config.array.columns) * config.array.columns
        post = PostOperations(
            bias=random_matrix(rng, (1, columns), special)[0].copy() if fits and rng.random() < 0.5 else None,
            relu=bool(rng.integers(2)),
            residual=random_matrix(rng, (rows, columns), special) if rng.random() < 0.5 else None,
            final_relu=bool(rng.integers(2)),
        )
    if engine.packed_results and rng.random() < 0.6:
        results = random_operand(rng, config, config.bfp.chunk_a, found=0)
    return Finish(post, results)


def random_finished(rng, config, largest=None, special=0.0, found=0.4):
    """A product of any shape that the engine takes, and what follows it."""
    case = random_case(rng, config, largest, special, found)
    return FinishedCase(case, random_finish(rng, config, (case.a.shape[0], case.b.shape[1]), special))
