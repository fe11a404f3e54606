"""Result plan: what follows a product, as an engine takes it, and its results as they arrive."""

from typing import Any

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.engine.operand import ROUNDINGS
from lowtide.formats.parameter import IllegalValue, instance
from lowtide_model import BfpTensor
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.post_operations import (
    PostOperations,
    packed_words,
    result_settings,
    results_from_words,
)
from lowtide_model.engine.results import matrix_of, result_beats, tiles_of
from lowtide_model.engine.transfer import Load

__all__ = ["ResultPlan"]


@attrs.frozen(kw_only=True, eq=False)
class ResultPlan:
    """What follows a product, and the form of its results.

    Parameters
    ----------
    config : Config
        The engine.
    shape : pair of int
        Rows and columns of the product.
    post : PostOperations, optional
        Operations on the results.
    results : OperandSettings, optional
        Settings of packed results, with a bias; None for results in FP32.

    Raises
    ------
    ValueError
        If the engine lacks the operations or packed results, if an addend's shape differs from the product's, if the
        column bias is too long, or if a setting is out of the range of its register.
    """

    config: Config
    shape: tuple[int, int]
    post: PostOperations | None = None
    results: OperandSettings | None = None

    def __attrs_post_init__(self):
        engine, columns = self.config.engine, self.config.array.columns
        if self.post is not None:
            instance("post", self.post, PostOperations)
            if not engine.post_operations:
                raise IllegalValue("post", "None, as engine.post_operations is false", self.post)
            self.post.check(*self.shape)
            most = engine.bias_tiles(columns) * columns
            if self.post.bias is not None and len(self.post.bias) > most:
                raise ValueError(f"bias of the post operations must have at most {most} numbers, not {self.shape[1]}")
        if self.results is not None:
            instance("results", self.results, OperandSettings)
            if not engine.packed_results:
                raise IllegalValue("results", "None, as engine.packed_results is false", self.results)
            result_settings(self.config, self.results)

    @property
    def row_order(self) -> bool:
        """Whether the tiles are in row order, whichever operand is new."""
        added = self.post is not None and (self.post.bias is not None or self.post.residual is not None)
        return added or self.results is not None

    @property
    def registers(self) -> dict[str, int]:
        """Values of the registers of results, by name; empty if the engine has none."""
        engine, values = self.config.engine, {}
        if engine.post_operations:
            post = self.post or PostOperations()
            values |= {
                "c_add_bias": int(post.bias is not None),
                "c_relu": post.relu | post.final_relu << 1,
                "c_residual": int(post.residual is not None),
            }
        if engine.packed_results:
            results = self.results or OperandSettings(bias=0)
            values |= {
                "c_packed": int(self.results is not None),
                "c_chunks": results.chunks,
                "c_rounding": ROUNDINGS.index(results.rounding),
                "c_seed": results.seed,
                "c_bias": int(results.bias or 0),
            }
        return values

    @property
    def addends(self) -> Load | None:
        """Beats of the column bias and the residual, padded to whole tiles with zeros; None if there are none."""
        array, parts = self.config.array, []
        if self.post is not None and self.post.bias is not None:
            parts.append(np.pad(self.post.bias, (0, -self.shape[1] % array.columns)))
        if self.post is not None and self.post.residual is not None:
            parts.append(tiles_of(self.config, self.post.residual).reshape(-1))
        return Load.of(np.concatenate(parts)[np.newaxis], self.config.engine.output_width) if parts else None

    @property
    def beats(self) -> int:
        """Beats of the results."""
        if self.results is None:
            return result_beats(self.config, *self.shape)
        return -(-packed_words(self.config, *self.shape, self.results.chunks) // self.config.engine.output_width)

    def product(self, beats: np.ndarray, new_a: bool = True, new_b: bool = True) -> tuple[Any, BfpTensor | None]:
        """Return the values of the product and, if its results are packed, their tensor, from the results' beats.

        Parameters
        ----------
        beats : array of float32, shape (beats, numbers)
            Results in order of arrival.
        new_a, new_b : bool
            Whether the operand is loaded for this product.
        """
        if self.results is None:
            return matrix_of(self.config, beats, *self.shape, new_a, new_b and not self.row_order), None
        count = packed_words(self.config, *self.shape, self.results.chunks)
        words = np.ascontiguousarray(beats, np.float32).view(np.uint32).reshape(-1)[:count]
        tensor = results_from_words(self.config, words, self.shape, self.results)
        return tensor.to_float(), tensor
