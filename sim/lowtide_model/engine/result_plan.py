"""Result plan: what follows a product, as an engine takes it, and its results as they arrive."""

from typing import Any

import attrs
import numpy as np

from lowtide.config import Config
from lowtide.engine.operand import ROUNDINGS
from lowtide.formats.parameter import IllegalValue, instance, whole_number
from lowtide_model import BfpTensor
from lowtide_model.engine.column_scale import integer_results, integer_words, integers_from_words, legal_offsets
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.post_operations import (
    PostOperations,
    packed_results,
    packed_words,
    result_settings,
    results_from_words,
)
from lowtide_model.engine.product import AnySettings, conversion_events
from lowtide_model.engine.results import matrix_of, result_beats, tiles_of
from lowtide_model.engine.transfer import Load
from lowtide_model.terms import IntegerTensor

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
    results : OperandSettings or IntegerSettings, optional
        Settings of packed results, with a bias; None for results in FP32.

    Raises
    ------
    ValueError
        If the engine lacks the operations or packed results, if an addend's shape differs from the product's, if the
        scale or the column bias is too long, or if a setting is out of the range of its register.
    """

    config: Config
    shape: tuple[int, int]
    post: PostOperations | None = None
    results: AnySettings | None = None

    def __attrs_post_init__(self):
        if self.results is not None:
            kind = IntegerSettings if self._integers else OperandSettings
            instance("results", self.results, kind)
            if not self.config.engine.packed_results:
                raise IllegalValue("results", "None, as engine.packed_results is false", self.results)
            if isinstance(self.results, OperandSettings):
                result_settings(self.config, self.results)
        if self.post is not None:
            self._check_post(instance("post", self.post, PostOperations))

    def _check_post(self, post: PostOperations) -> None:
        """Refuse operations that the engine lacks, or that do not fit the product."""
        engine, columns = self.config.engine, self.config.array.columns
        if not engine.post_operations and (post.adds or ((post.relu or post.final_relu) and not self._packs_integers)):
            raise IllegalValue("post", "None, as engine.post_operations is false", post)
        if post.scales and not engine.column_scale:
            raise ValueError("offset and scale of the post operations must be None, as engine.column_scale is false")
        post.check(*self.shape)
        most = engine.bias_tiles(columns) * columns
        for name, row in (("scale", post.scales), ("bias", post.bias is not None)):
            if row and self.shape[1] > most:
                raise ValueError(f"{name} of the post operations must have at most {most} numbers, not {self.shape[1]}")
        if post.offset is not None:
            legal = legal_offsets(self.config)
            for wrong in np.argwhere((post.offset < legal[0]) | (post.offset > legal[-1])):
                whole_number(f"offset at {int(wrong[0])}", post.offset[wrong[0]], legal)

    @property
    def _integers(self) -> bool:
        """Whether the engine takes integers."""
        return self.config.array.element != "fmac"

    @property
    def _packs_integers(self) -> bool:
        """Whether the results are packed integers."""
        return isinstance(self.results, IntegerSettings)

    @property
    def row_order(self) -> bool:
        """Whether the tiles are in row order, whichever operand is new."""
        return self.results is not None or (self.post is not None and (self.post.scales or self.post.adds))

    @property
    def odd(self) -> bool:
        """Whether the engine rounds sums to odd, since only the conversion to integers follows."""
        return self._packs_integers and not (self.post and self.post.adds)

    @property
    def registers(self) -> dict[str, int]:
        """Values of the registers of results, by name; empty if the engine has none."""
        engine, values, post = self.config.engine, {}, self.post or PostOperations()
        if engine.column_scale:
            values["c_scale"] = int(post.scales)
        if engine.post_operations:
            values |= {
                "c_add_bias": int(post.bias is not None),
                "c_relu": post.relu | post.final_relu << 1,
                "c_residual": int(post.residual is not None),
            }
        if engine.packed_results and self._integers:
            values |= {
                "c_packed": int(self.results is not None),
                **({} if engine.post_operations else {"c_relu": int(post.relu or post.final_relu)}),
                "c_bias": 0 if self.results is None else int(self.results.bias or 0),
            }
        elif engine.packed_results:
            results = self.results if isinstance(self.results, OperandSettings) else OperandSettings(bias=0)
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
        """Beats of scales and offsets, column bias and residual, padded to whole tiles with zeros; None without."""
        parts, post, columns = [], self.post or PostOperations(), self.shape[1]
        if post.scales:
            offset = np.zeros(columns, np.int64) if post.offset is None else post.offset
            parts.append(np.ones(columns, np.float32) if post.scale is None else post.scale)
            parts.append(offset.astype(np.int32).view(np.float32))
        if post.bias is not None:
            parts.append(post.bias)
        parts = [np.pad(row, (0, -columns % self.config.array.columns)) for row in parts]
        if post.residual is not None:
            parts.append(tiles_of(self.config, post.residual).reshape(-1))
        return Load.of(np.concatenate(parts)[np.newaxis], self.config.engine.output_width) if parts else None

    @property
    def beats(self) -> int:
        """Beats of the results."""
        if self.results is None:
            return result_beats(self.config, *self.shape)
        return -(-self._words // self.config.engine.output_width)

    @property
    def _words(self) -> int:
        """Words of packed results."""
        if isinstance(self.results, OperandSettings):
            return packed_words(self.config, *self.shape, self.results.chunks)
        return integer_words(self.config, *self.shape)

    def packed(self, values: np.ndarray) -> tuple[BfpTensor | IntegerTensor | None, dict[str, int]]:
        """Return the packed results of FP32 results, and the events of their conversion; None without packing."""
        if isinstance(self.results, IntegerSettings):
            integers, saturated = integer_results(self.config, values, self.results)
            return integers, {"c_saturated": saturated}
        if self.results is None:
            return None, {}
        tensor = packed_results(self.config, values, self.results)
        return tensor, conversion_events("c", values, tensor, 1)

    def product(
        self, beats: np.ndarray, new_a: bool = True, new_b: bool = True
    ) -> tuple[Any, BfpTensor | IntegerTensor | None]:
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
        words = np.ascontiguousarray(beats, np.float32).view(np.uint32).reshape(-1)[: self._words]
        if isinstance(self.results, IntegerSettings):
            integers = integers_from_words(self.config, words, self.shape, self.results)
            return integers.to_float(), integers
        tensor = results_from_words(self.config, words, self.shape, self.results)
        return tensor.to_float(), tensor
