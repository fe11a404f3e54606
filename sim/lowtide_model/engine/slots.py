"""Slots of the operands of products that follow each other on an engine."""

from collections.abc import Sequence
from typing import Any

from lowtide.config import Config
from lowtide.formats.parameter import IllegalValue, whole_number

__all__ = ["slots_of"]


def slots_of(config: Config, products: Sequence[Any]) -> list[tuple[int, int]]:
    """Return the slots of A and of B of each product.

    Without a given slot, slots take turns: a new operand is loaded into the slot after the slot of the operand loaded
    last, and a reused operand is the operand loaded last. An engine without slots has slot 0 only.

    Parameters
    ----------
    config : Config
        Configuration of the engine.
    products : sequence of `Work` or of `Queued`
        Products, in order.

    Raises
    ------
    IllegalValue
        If the engine lacks a slot.
    """
    return list(zip(*(_side(config.engine.slots, name, products) for name in "ab"), strict=True))


def _side(count: int, name: str, products: Sequence[Any]) -> list[int]:
    """Slots of A or of B, of which an engine has ``count``."""
    last, found = -1, []
    for product in products:
        load, given = getattr(product, f"load_{name}"), getattr(product, f"slot_{name}")
        if given is not None and not count:
            raise IllegalValue(f"slot_{name}", "None, as engine.slots is 0", given)
        slot = (last + load) % max(count, 1) if given is None else whole_number(f"slot_{name}", given, range(count))
        if load:
            last = slot
        found.append(slot)
    return found
