"""What follows a product that is split into parts: on the engine for each part, or on the host for the whole."""

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from lowtide.config import Config
from lowtide_model import BfpTensor
from lowtide_model.engine.integer_operand import IntegerSettings
from lowtide_model.engine.operand import OperandSettings
from lowtide_model.engine.passes import Part
from lowtide_model.engine.post_operations import PostOperations, packed_results
from lowtide_model.engine.product import AnySettings, Events, conversion_events
from lowtide_model.engine.result_plan import ResultPlan
from lowtide_model.terms import IntegerTensor

__all__ = ["Following"]


@attrs.frozen(kw_only=True, eq=False)
class Following:
    """Post operations and packed results of a split product, and where each is done.

    Parameters
    ----------
    config : Config
        The engine.
    post : PostOperations, optional
        Operations on the results.
    results : OperandSettings or IntegerSettings, optional
        Settings of packed results.
    adds, packs : bool
        Whether the engine applies the operations, and whether it packs the results. Otherwise the host does.
    """

    config: Config
    post: PostOperations | None
    results: AnySettings | None
    adds: bool
    packs: bool

    @classmethod
    def of(
        cls,
        config: Config,
        parts: Sequence[Part],
        shape: tuple[int, int],
        post: PostOperations | None,
        results: AnySettings | None,
    ) -> "Following":
        """What follows a product of a shape, in these parts.

        Raises
        ------
        ValueError
            If the engine lacks the operations or packed results, an addend's shape differs from the product's, or the
            host would have to scale or to convert exact sums.
        """
        if post is not None:
            post.check(*shape)
        first = parts[0].rows, parts[0].columns
        one = None if post is None else post.part(*first)
        most = config.engine.bias_tiles(config.array.columns) * config.array.columns
        whole = all(part.add or part.keep or not part.k.start for part in parts)  # the host adds nothing
        fits = post is None or post.bias is None or all(part.shape[2] <= most for part in parts)
        if one is not None and not fits:
            one = attrs.evolve(one, bias=None)
        ResultPlan(config=config, shape=(parts[0].shape[0], parts[0].shape[2]), post=one, results=results)
        adds = whole and fits
        integers = isinstance(results, IntegerSettings)
        if not adds and (integers or (post is not None and post.scales)):
            cause = "engine.sum_rows = 0" if not whole else f"a column bias of at most {most} numbers"
            raise ValueError(f"scales and packed integers must follow exact sums, not sums of the host ({cause})")
        single = integers or all((part.rows, part.columns) == first for part in parts)
        return cls(config=config, post=post, results=results, adds=adds, packs=adds and single)

    def on_engine(self, part: Part) -> dict[str, Any]:
        """Arguments of `multiply` for a part."""
        after: dict[str, Any] = {}
        if self.adds and self.post is not None:
            after["post"] = self.post.part(part.rows, part.columns)
        if self.packs and self.results is not None:
            after["results"] = self.results
        return after

    def on_host(
        self, values: np.ndarray, tensor: BfpTensor | IntegerTensor | None, events: Events
    ) -> tuple[np.ndarray, BfpTensor | IntegerTensor | None, Events]:
        """Return the values, the tensor and the events after what the engine did not do."""
        if tensor is not None:
            return tensor.to_float(), tensor, events
        if self.post is not None and not self.adds:
            values = self.post.applied(values)
        if not isinstance(self.results, OperandSettings):
            return values, None, events
        tensor = packed_results(self.config, values, self.results)
        return tensor.to_float(), tensor, attrs.evolve(events, **conversion_events("c", values, tensor, 1))
