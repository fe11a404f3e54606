"""Back-to-back products on a simulated engine: each starts as soon as the engine is ready."""

from collections.abc import Callable, Sequence

import attrs
import numpy as np

from lowtide.engine.registers import ALL_ERRORS
from lowtide_model.engine.post_operations import PostOperations
from lowtide_model.engine.product import AnySettings, Operand, operand_vectors, settings_of
from lowtide_model.engine.result_plan import ResultPlan
from lowtide_model.engine.reveal import Reveal, reveal_registers
from lowtide_model.engine.slots import slots_of
from lowtide_sim.engine.verilated import ADD, KEEP, LOAD_A, LOAD_B, NO_VALUES, VerilatedEngine

__all__ = ["Queued", "Results", "run_queued"]


@attrs.frozen(kw_only=True, eq=False)
class Queued:
    """A queued product.

    Parameters
    ----------
    a, b : array of float32 or BfpTensor, shapes (M, K) and (K, N)
        Operands.
    a_settings, b_settings : OperandSettings or IntegerSettings, optional
        Conversion settings of an array, with biases, or settings of integers; None for a `BfpTensor`.
    reveal : Reveal, optional
        Term revealing.
    load_a, load_b : bool
        Whether the operand is loaded. Otherwise the engine reuses the operand that was loaded last or, with slots, the
        operand in the slot: it must be equal.
    slot_a, slot_b : int, optional
        Slots of the operands, if the engine has slots; by default slots take turns, see `slots_of`.
    add, keep : bool
        Whether the product adds the sums on chip, and whether its sums stay there, so that it has no results.
    post : PostOperations, optional
        Operations on the results.
    results : OperandSettings or IntegerSettings, optional
        Settings of packed results.
    """

    a: Operand
    b: Operand
    a_settings: AnySettings | None
    b_settings: AnySettings | None
    reveal: Reveal | None = None
    load_a: bool = True
    load_b: bool = True
    slot_a: int | None = None
    slot_b: int | None = None
    add: bool = False
    keep: bool = False
    post: PostOperations | None = None
    results: AnySettings | None = None


@attrs.frozen(kw_only=True, eq=False)
class Results:
    """Results of queued products.

    Parameters
    ----------
    values : list of array of float32
        Products, in order; of packed results, their exact values; empty for a product whose sums stay on chip.
    cycles, beats, waits, stalls : int
        Counters of the engine.
    """

    values: list[np.ndarray]
    cycles: int
    beats: int
    waits: int
    stalls: int


def run_queued(
    engine: VerilatedEngine,
    products: Sequence[Queued],
    *,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Results:
    """Start each product as soon as the engine is ready, while the streams of the products before it still run.

    The streams do not pause for the register accesses of the host.

    Parameters
    ----------
    engine : VerilatedEngine
        An idle engine.
    products : sequence of Queued
        Products, in order.
    progress : callable
        Called with the number of started products and the number of all products.

    Raises
    ------
    ValueError
        If operands do not multiply or do not fit into the engine, a bias is missing, or the engine lacks a slot.
    SimulationError
        If the engine reports an error, or results are missing.
    """
    config = engine.config
    settings = [
        (settings_of(config, "a", each.a, each.a_settings), settings_of(config, "b", each.b, each.b_settings))
        for each in products
    ]
    vectors = [operand_vectors(config, each.a, each.b, *of) for each, of in zip(products, settings, strict=True)]
    for each, (a, b) in zip(products, settings, strict=True):
        for side, of, load in (("a", a, each.load_a), ("b", b, each.load_b)):
            if load and of.bias is None:
                raise ValueError(f"{side}_settings.bias must be an integer for queued products, not None")
    plans = [
        ResultPlan(config=config, shape=(each.a.shape[0], each.b.shape[1]), post=each.post, results=each.results)
        for each in products
    ]
    slots = slots_of(config, products)
    reveals = [reveal_registers(config, each.reveal) for each in products]
    counts = [0 if each.keep else plan.beats for each, plan in zip(products, plans, strict=True)]
    sent = sum(not each.keep for each in products)
    transfer = engine.transfer(
        [engine.load(a) for each, (a, _) in zip(products, vectors, strict=True) if each.load_a],
        [engine.load(b) for each, (_, b) in zip(products, vectors, strict=True) if each.load_b],
        sum(counts),
        [plan.addends for each, plan in zip(products, plans, strict=True) if plan.addends and not each.keep],
    )
    engine.write("errors", ALL_ERRORS)
    engine.write("clear", 1)
    for n, (each, both, of, plan, terms) in enumerate(zip(products, vectors, settings, plans, reveals, strict=True)):
        start = LOAD_A * each.load_a | LOAD_B * each.load_b | ADD * each.add | KEEP * each.keep
        changes = [*engine.changes("a", both[0], of[0]), *engine.changes("b", both[1], of[1])]
        changes += [*engine.changed(terms), *engine.result_changes(plan)]
        if config.engine.slots:
            changes += zip(("a_slot", "b_slot"), slots[n], strict=True)
        engine.start(transfer, [*changes, ("start", start)])
        progress(n + 1, len(products))
    engine.finish(transfer, sent - int(transfer.last.sum()), 10**8)
    engine.wait("status", 2)
    engine.check_errors()
    ends = np.cumsum(counts)
    values = [
        NO_VALUES if each.keep else plan.product(transfer.results[end - count : end], each.load_a, each.load_b)[0]
        for each, end, count, plan in zip(products, ends, counts, plans, strict=True)
    ]
    return Results(values=values, **{name: engine.read(name) for name in ("cycles", "beats", "waits", "stalls")})
