"""The golden engine: a bit-exact NumPy model of the matrix engine."""

from collections.abc import Sequence

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.formats.parameter import instance
from lowtide_model import BfpTensor, Fp32, Improvement, Stochastic, improvement_of, matmul, quantize, to_fp32
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.post_operations import PostOperations, packed_results
from lowtide_model.engine.product import Events, Operand, Product, conversion_events
from lowtide_model.engine.result_plan import ResultPlan
from lowtide_model.engine.sums import Pass, checked_passes, total
from lowtide_model.stochastic import RoundingMethod

__all__ = ["GoldenEngine"]

NO_RESULTS = Fp32(values=np.zeros((0, 0), np.float32), overflows=0, underflows=0)
"""Results of a pass whose sums stay on chip."""


class GoldenEngine:
    """Converts both operands, multiplies them exactly, rounds once to FP32, and applies what follows the product.

    Parameters
    ----------
    config : Config
        Configuration of the modeled engine.
    """

    def __init__(self, config: Config):
        self.config = instance("config", config, Config)

    def multiply(
        self,
        a: Operand,
        b: Operand,
        a_settings: OperandSettings | None = None,
        b_settings: OperandSettings | None = None,
        *,
        post: PostOperations | None = None,
        results: OperandSettings | None = None,
    ) -> Product:
        """Multiply A (M × K) and B (K × N).

        Parameters
        ----------
        a, b : array of float32 or BfpTensor, shapes (M, K) and (K, N)
            Operands. A `BfpTensor`, with its groups along K, needs no conversion: it has no events and no improvement.
        a_settings, b_settings : OperandSettings, optional
            Settings for the conversion of an array; None for a tensor.
        post : PostOperations, optional
            Operations on the FP32 results.
        results : OperandSettings, optional
            Settings for the conversion of the results to packed groups along N, with a bias; None for FP32.

        Raises
        ------
        ValueError
            If the operands do not multiply or do not fit into the engine, or the engine lacks what follows the product.
        """
        only = Pass(a=a, b=b, a_settings=a_settings, b_settings=b_settings)
        return self.multiply_sum([only], post=post, results=results)

    def multiply_sum(
        self,
        passes: Sequence[Pass],
        *,
        post: PostOperations | None = None,
        results: OperandSettings | None = None,
    ) -> Product:
        """Add up products: C is the exact sum of A B over all passes, rounded once.

        Parameters
        ----------
        passes : sequence of Pass
            Parts of the reduction. Their results have one shape and one scale: the sums of both biases and precisions
            are equal.
        post : PostOperations, optional
            Operations on the FP32 results.
        results : OperandSettings, optional
            Settings for the conversion of the results to packed groups along N, with a bias; None for FP32.

        Returns
        -------
        Product
            The sum. Its events and improvements are the sums over the passes.

        Raises
        ------
        ValueError
            If `checked_passes` refuses the passes, or the engine lacks what follows the product.
        """
        bfp, products = self.config.bfp, []
        sums: np.ndarray | int = 0
        checked = checked_passes(self.config, passes)
        ResultPlan(config=self.config, shape=checked[-1].shape, post=post, results=results)
        for each, its in zip(passes, checked, strict=True):
            left, right = (
                x if isinstance(x, BfpTensor) else self.convert(side, x, of)
                for side, x, of in zip("ab", (each.a, each.b), its.settings, strict=True)
            )
            sums = sums + self._accumulators(left, right)
            result = NO_RESULTS if its.keep else to_fp32(sums, left, right)
            values = result.values if its.keep or post is None else post.applied(result.values)
            tensor = None if its.keep or results is None else packed_results(self.config, values, results)
            products.append(
                Product(
                    values=values if tensor is None else tensor.to_float(),
                    tensor=tensor,
                    events=Events(
                        **conversion_events("a", each.a, left, 1),
                        **conversion_events("b", each.b, right, 0),
                        **({} if tensor is None else conversion_events("c", values, tensor, 1)),
                        overflows=result.overflows,
                        underflows=result.underflows,
                    ),
                    a_improvement=self._improvement(each.a, its.settings[0], -1, bfp.chunk_a),
                    b_improvement=self._improvement(each.b, its.settings[1], 0, bfp.chunk_b),
                )
            )
        return total(products)

    def _accumulators(self, a: BfpTensor, b: BfpTensor) -> np.ndarray:
        """Exact accumulators, as Python integers if a sum on chip may exceed 64 bits."""
        accumulators = matmul(a, b, bfp=self.config.bfp)
        return accumulators.astype(object) if self.config.engine.sum_width(self.config.bfp) > 64 else accumulators

    def convert(self, side: str, x: np.ndarray, settings: OperandSettings) -> BfpTensor:
        """Convert an operand as the engine does.

        Parameters
        ----------
        side : str
            ``a`` or ``b``: A has its groups along its last axis, B along its first.
        x : array of float32, shape (M, K) or (K, N)
            Operand.
        settings : OperandSettings
            Precision, rounding, seed and bias.
        """
        bfp = self.config.bfp
        chunk, axis = (bfp.chunk_a, -1) if side == "a" else (bfp.chunk_b, 0)
        return quantize(
            x,
            mantissa=settings.chunks * chunk,
            exponent=bfp.exponent,
            group=bfp.lanes,
            axis=axis,
            bias=settings.bias,
            rounding=self._rounding(settings),
            nonfinite="saturate",
        )

    def _improvement(self, x: Operand, operand: OperandSettings, axis: int, chunk: int) -> Improvement | None:
        bfp = self.config.bfp
        if bfp.mantissa < 2 * chunk:
            return None
        if isinstance(x, BfpTensor):
            return Improvement(low_sum=0, high_sum=0)
        return improvement_of(x, chunk=chunk, exponent=bfp.exponent, group=bfp.lanes, axis=axis, bias=operand.bias)

    def _rounding(self, operand: OperandSettings) -> str | RoundingMethod:
        if operand.rounding != "stochastic":
            return operand.rounding
        source = attrs.evolve(self.config.engine.source(self.config.bfp.lanes), seed=operand.seed)
        return Stochastic(mode="half_step", source=source)
