"""Stalls of the streams of an engine, at random."""

from lowtide_model.engine.transfer import Stalls

__all__ = ["random_stalls"]


def random_stalls(rng, streams=4):
    """Stalls of the first streams of an engine, without stalls half of the time."""
    return Stalls(*(int(share) for share in rng.choice([0, 0, 60, 200], streams)))
