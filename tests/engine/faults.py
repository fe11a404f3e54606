"""Products that are disturbed at random, with operands that follow each product."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from stalls import random_stalls

from lowtide_model.engine.transfer import Load
from lowtide_sim.engine.verilated import LOAD_A, LOAD_B

__all__ = ["disturb", "flagged", "run_faults"]


def flagged(engine):
    """What is flagged, which is cleared."""
    flags = engine.read("errors")
    engine.write("errors", flags)
    assert engine.read("errors") == 0
    return flags


def disturb(engine, rng, loads):
    """Run some of a product, prepared as ``loads``, with wrong addends or wrong settings."""
    load_a, load_b, addends = loads
    names = [name for name in engine.registers if name[:2] in ("a_", "b_", "c_")]
    for name in rng.choice(names, 3) if rng.random() < 0.3 else ():
        engine.write(str(name), int(rng.integers(0, 2**32)))
    if addends and rng.random() < 0.4:
        load = addends[0]
        addends = [Load(np.concatenate([load.numbers] * 2), np.concatenate([load.last * 0, load.last]))]
    elif addends and rng.random() < 0.4:
        addends = []
    engine.write("start", int(rng.integers(0, 8)) if rng.random() < 0.3 else LOAD_A | LOAD_B)
    transfer = engine.transfer([load_a], [load_b], 10_000, addends)
    engine.run(transfer, products=1, most=int(rng.integers(1, 400)))
    for name in rng.choice(names, 3):  # in mid-product
        engine.write(str(name), int(rng.integers(0, 2**32)))
    engine.write("start", int(rng.integers(0, 8)))
    engine.run(transfer, products=1, most=int(rng.integers(1, 400)))


def run_faults(
    engine: Any, cycles: int, seed: int, *, prepare: Callable[[Any], Sequence[Any]], check: Callable[[Any], None]
) -> None:
    """Disturb random products for some cycles; after each few, reset the engine and check another product.

    ``prepare(rng)`` writes the settings of a random product and returns its operands; ``check(rng)`` runs one.
    """
    rng, since = np.random.default_rng(seed), engine.cycles
    while engine.cycles - since < cycles:
        engine.stalls = random_stalls(rng)
        for _ in range(int(rng.integers(1, 4))):
            disturb(engine, rng, prepare(rng))
        engine.reset()
        check(rng)
