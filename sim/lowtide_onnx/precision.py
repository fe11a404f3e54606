"""Precision of each layer, from names and patterns."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from lowtide.config import Config
from lowtide.formats.parameter import IllegalValue, value_text, whole_number
from lowtide_onnx.errors import RefusedNode
from lowtide_onnx.operand import Bits
from lowtide_onnx.placement import Placed

__all__ = ["Precision", "legal_bits", "precision_of"]

Precision = int | str | Bits | Mapping[str, int | str | Bits | None] | None
"""Bits, or bits of A and of B, or ``fp32`` for the host; for all layers, or by names and patterns.

None in a mapping means ``fp32``, as `lowtide_model.precision_file.read_precision` returns it.
"""

HOST = "fp32"


def legal_bits(config: Config) -> tuple[list[int], list[int]]:
    """Legal magnitude bits of A and of B."""
    bfp = config.bfp
    first, second = (list(range(chunk, bfp.mantissa + 1, chunk)) for chunk in (bfp.chunk_a, bfp.chunk_b))
    return first, second


def precision_of(precision: Precision, placed: Sequence[Placed], config: Config) -> dict[str, Bits | None]:
    """Bits of each layer, and None for a layer or a refused node on the host.

    A name selects before a pattern, an earlier pattern before a later one, and ``*`` last, in any place. A layer that
    nothing selects has the whole mantissa.

    Raises
    ------
    IllegalValue
        If the engine does not have the bits, or a name or pattern selects nothing.
    RefusedNode
        If a refused node is not on the host.
    """
    given = dict(precision) if isinstance(precision, Mapping) else {} if precision is None else {"*": precision}
    layers = [one for one in placed if one.where != "host"]
    first, second = legal_bits(config)
    bits: dict[str, Bits | None] = {}
    used: set[str] = set()
    checked = {pattern: _bits(pattern, value, config) for pattern, value in given.items() if _named(pattern)}
    patterns = sorted(checked, key=lambda pattern: pattern == "*")
    for one in layers:
        hit = one.name if one.name in checked else next((p for p in patterns if fnmatchcase(one.name, p)), None)
        used.update([] if hit is None else [hit])
        bits[one.name] = (first[-1], second[-1]) if hit is None else checked[hit]
    unused = [pattern for pattern in given if pattern not in used and pattern != "*"]
    if unused:
        raise IllegalValue("precision", f"for layers: {_names(one.name for one in layers)}", unused[0])
    for one in layers:
        if one.where == "refused" and bits[one.name] is not None:
            raise RefusedNode(
                f"node {one.name!r} ({one.operation}): {one.reason}; leave the node to the host by the precision"
                f" {one.name}={HOST}"
            )
    return bits


def _named(pattern: Any) -> bool:
    if not isinstance(pattern, str):
        raise IllegalValue("precision", "for the names of layers", pattern)
    return True


def _names(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:40]) + (f" and {len(found) - 40} more" if len(found) > 40 else "")


def _bits(name: str, value: Any, config: Config) -> Bits | None:
    key = "precision" if name == "*" else f"precision of {value_text(name)}"
    if value is None:
        return None
    if isinstance(value, str):
        if value != HOST:
            raise IllegalValue(key, f"a number of bits, two of them, or {HOST!r}", value)
        return None
    sides = value if isinstance(value, tuple) else (value, value)
    if len(sides) != 2:
        raise IllegalValue(key, f"a number of bits, two of them, or {HOST!r}", value)
    a, b = (
        whole_number(key, bits, legal, because="whole chunks up to bfp.mantissa")
        for bits, legal in zip(sides, legal_bits(config), strict=True)
    )
    return a, b
