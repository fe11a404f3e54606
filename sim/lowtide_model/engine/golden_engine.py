"""The golden engine: a bit-exact NumPy model of the matrix engine."""

from collections.abc import Sequence

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.formats.parameter import instance
from lowtide_model import BfpTensor, Fp32, Improvement, Stochastic, improvement_of, matmul, quantize, scaled_to_fp32
from lowtide_model.engine.column_scale import scaled_columns
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.product import AnySettings, Events, Operand, Product, conversion_events
from lowtide_model.engine.result_plan import ResultPlan
from lowtide_model.engine.reveal import Reveal, effective
from lowtide_model.engine.sums import CheckedPass, Pass, checked_passes, scale_of, total
from lowtide_model.stochastic import RoundingMethod
from lowtide_model.terms import term_matmul

__all__ = ["GoldenEngine"]

NO_RESULTS = Fp32(values=np.zeros((0, 0), np.float32), overflows=0, underflows=0)
"""Results of a pass whose sums stay on chip."""


@attrs.frozen(kw_only=True, eq=False)
class Part:
    """A pass of a sum: exact accumulators and the exponent of their lowest bit, events, improvements of A and of B."""

    accumulators: np.ndarray
    scale: int
    events: dict[str, int]
    improvements: tuple[Improvement | None, Improvement | None]


class GoldenEngine:
    """Converts both operands, multiplies them exactly, rounds once to FP32, and applies what follows the product.

    An engine of integers reveals the terms of its operands, or takes them as they are, instead of the conversion.

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
        a_settings: AnySettings | None = None,
        b_settings: AnySettings | None = None,
        *,
        reveal: Reveal | None = None,
        post: PostOperations | None = None,
        results: AnySettings | None = None,
    ) -> Product:
        """Multiply A (M × K) and B (K × N).

        Parameters
        ----------
        a, b : array of float32 or BfpTensor, shapes (M, K) and (K, N)
            Operands. A `BfpTensor`, with its groups along K, needs no conversion: it has no events and no improvement.
            An engine of integers takes arrays of integers of ``terms.width`` bits.
        a_settings, b_settings : OperandSettings or IntegerSettings, optional
            Settings for the conversion of an array, or of integers; None for a tensor.
        reveal : Reveal, optional
            Term revealing, of an engine with the element ``tmac``; None to keep every term.
        post : PostOperations, optional
            Operations on the results.
        results : OperandSettings or IntegerSettings, optional
            Settings for the conversion of the results to packed groups along N, with a bias, or to integers; None for
            FP32.

        Raises
        ------
        ValueError
            If the operands do not multiply or do not fit into the engine, or the engine lacks what follows the product.
        """
        only = Pass(a=a, b=b, a_settings=a_settings, b_settings=b_settings, reveal=reveal)
        return self.multiply_sum([only], post=post, results=results)

    def multiply_sum(
        self,
        passes: Sequence[Pass],
        *,
        post: PostOperations | None = None,
        results: AnySettings | None = None,
    ) -> Product:
        """Add up products: C is the exact sum of A B over all passes, rounded once.

        Parameters
        ----------
        passes : sequence of Pass
            Parts of the reduction. Their results have one shape and one scale: the sums of both biases and precisions
            are equal.
        post : PostOperations, optional
            Operations on the results.
        results : OperandSettings or IntegerSettings, optional
            Settings for the conversion of the results to packed groups along N, with a bias, or to integers; None for
            FP32.

        Returns
        -------
        Product
            The sum. Its events and improvements are the sums over the passes.

        Raises
        ------
        ValueError
            If `checked_passes` refuses the passes, or the engine lacks what follows the product.
        """
        products = []
        sums: np.ndarray | int = 0
        checked = checked_passes(self.config, passes)
        plan = ResultPlan(config=self.config, shape=checked[-1].shape, post=post, results=results)
        for each, its in zip(passes, checked, strict=True):
            part = self._integer_part(each, its) if self.integers else self._bfp_part(each, its)
            sums = sums + part.accumulators
            result = NO_RESULTS if its.keep else self._rounded(sums, part.scale, plan)
            values = result.values if its.keep or post is None else post.applied(result.values)
            tensor, conversion = (None, {}) if its.keep else plan.packed(values)
            products.append(
                Product(
                    values=values if tensor is None else tensor.to_float(),
                    tensor=tensor,
                    events=Events(
                        **part.events,
                        **conversion,
                        overflows=result.overflows,
                        underflows=result.underflows,
                    ),
                    a_improvement=part.improvements[0],
                    b_improvement=part.improvements[1],
                )
            )
        return total(products)

    def _rounded(self, sums: np.ndarray, exponent: int, plan: ResultPlan) -> Fp32:
        """Round exact sums to FP32, after the offset and the scale of each column."""
        post = plan.post
        if not plan.odd and not (post and post.scales):
            return scaled_to_fp32(sums, exponent)
        scale, offset = (post.scale, post.offset) if post else (None, None)
        return scaled_columns(sums, exponent, scale, offset, odd=plan.odd)

    def _bfp_part(self, given: Pass, checked: CheckedPass) -> "Part":
        """Convert and multiply operands in block floating point."""
        bfp, (a, b) = self.config.bfp, checked.settings
        assert isinstance(a, OperandSettings)
        assert isinstance(b, OperandSettings)
        left, right = (
            x if isinstance(x, BfpTensor) else self.convert(side, x, of)
            for side, x, of in (("a", given.a, a), ("b", given.b, b))
        )
        accumulators = matmul(left, right, bfp=bfp)
        # As Python integers if a sum on chip may exceed 64 bits.
        wide = self.config.engine.sum_width(bfp) > 64
        return Part(
            accumulators=accumulators.astype(object) if wide else accumulators,
            scale=left.bias - (left.mantissa - 1) + right.bias - (right.mantissa - 1),
            events=conversion_events("a", given.a, left, 1) | conversion_events("b", given.b, right, 0),
            improvements=(
                self._improvement(given.a, a, -1, bfp.chunk_a),
                self._improvement(given.b, b, 0, bfp.chunk_b),
            ),
        )

    def _integer_part(self, given: Pass, checked: CheckedPass) -> "Part":
        """Multiply integers, or what term revealing leaves of them."""
        terms, scale = self.config.terms, scale_of(self.config, checked.settings)
        if self.config.array.element == "pmac":
            accumulators = np.asarray(given.a, np.int64) @ np.asarray(given.b, np.int64)
        else:
            settings = attrs.asdict(effective(self.config, given.reveal))
            accumulators = term_matmul(given.a, given.b, width=terms.width, encoding=terms.encoding, **settings)
        return Part(accumulators=accumulators, scale=scale, events={}, improvements=(None, None))

    @property
    def integers(self) -> bool:
        """Whether the engine takes integers."""
        return self.config.array.element != "fmac"

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
