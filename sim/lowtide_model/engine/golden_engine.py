"""The golden engine: a bit-exact NumPy model of the matrix engine."""

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.formats.parameter import instance
from lowtide_model import BfpTensor, Improvement, Stochastic, improvement_of, matmul, quantize, to_fp32
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.product import Events, Product, operand_vectors
from lowtide_model.stochastic import RoundingMethod

__all__ = ["GoldenEngine"]


class GoldenEngine:
    """Converts both operands, multiplies them exactly, and rounds once to FP32.

    Parameters
    ----------
    config : Config
        Configuration of the modeled engine.
    """

    def __init__(self, config: Config):
        self.config = instance("config", config, Config)

    def multiply(
        self, a: np.ndarray, b: np.ndarray, a_settings: OperandSettings, b_settings: OperandSettings
    ) -> Product:
        """Multiply A (M × K) and B (K × N).

        Raises
        ------
        ValueError
            If the operands do not multiply, or do not fit into the engine.
        """
        operand_vectors(self.config, a, b, a_settings, b_settings)
        bfp = self.config.bfp
        left, right = self._convert(a, a_settings, -1, bfp.chunk_a), self._convert(b, b_settings, 0, bfp.chunk_b)
        result = to_fp32(matmul(left, right, bfp=bfp), left, right)
        return Product(
            values=result.values,
            events=Events(
                a_exp_saturated=left.saturated_groups,
                b_exp_saturated=right.saturated_groups,
                a_saturated=left.saturated_elements,
                b_saturated=right.saturated_elements,
                a_nonfinite=_nonfinite_groups(a, 1, bfp.lanes),
                b_nonfinite=_nonfinite_groups(b, 0, bfp.lanes),
                overflows=result.overflows,
                underflows=result.underflows,
            ),
            a_improvement=self._improvement(a, a_settings, -1, bfp.chunk_a),
            b_improvement=self._improvement(b, b_settings, 0, bfp.chunk_b),
        )

    def _improvement(self, x: np.ndarray, operand: OperandSettings, axis: int, chunk: int) -> Improvement | None:
        bfp = self.config.bfp
        if bfp.mantissa < 2 * chunk:
            return None
        return improvement_of(x, chunk=chunk, exponent=bfp.exponent, group=bfp.lanes, axis=axis, bias=operand.bias)

    def _convert(self, x: np.ndarray, operand: OperandSettings, axis: int, chunk: int) -> BfpTensor:
        bfp = self.config.bfp
        return quantize(
            x,
            mantissa=operand.chunks * chunk,
            exponent=bfp.exponent,
            group=bfp.lanes,
            axis=axis,
            bias=operand.bias,
            rounding=self._rounding(operand),
            nonfinite="saturate",
        )

    def _rounding(self, operand: OperandSettings) -> str | RoundingMethod:
        if operand.rounding != "stochastic":
            return operand.rounding
        source = attrs.evolve(self.config.engine.source(self.config.bfp.lanes), seed=operand.seed)
        return Stochastic(mode="half_step", source=source)


def _nonfinite_groups(x: np.ndarray, axis: int, group: int) -> int:
    """Number of groups along an axis that contain a NaN or an infinity."""
    nonfinite = np.moveaxis(~np.isfinite(x), axis, -1)
    nonfinite = np.pad(nonfinite, [(0, 0), (0, -nonfinite.shape[1] % group)])
    return int(nonfinite.reshape(len(nonfinite), -1, group).any(axis=-1).sum())
