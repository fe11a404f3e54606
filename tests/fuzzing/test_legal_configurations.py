"""Random legal configurations are reproducible, rarely illegal, and cover all values of short lists."""

from random import Random

import attrs
import pytest
from legal_configurations import (
    ENGINES,
    draw_config,
    draw_engine_config,
    draw_parameters,
    draw_unit,
    try_config,
    try_parameters,
)

from lowtide.config import Config
from lowtide.emission.registry import UNITS

SECTIONS = {section.name: section.type for section in attrs.fields(Config)}
KINDS = sorted(
    {*SECTIONS.values(), *(unit.parameters for unit in UNITS.values())},
    key=lambda kind: (kind.__module__, kind.__name__),
)


@pytest.mark.parametrize("draw", [draw_config, draw_engine_config, draw_unit])
def test_a_seed_gives_the_same_draws(draw):
    first, second, other = ([draw(random) for _ in range(5)] for random in map(Random, (1, 1, 2)))
    assert first == second != other


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_few_draws_of_parameters_are_illegal(kind):
    """Many illegal draws would mean that new rules between keys exclude most of the space."""
    random = Random(1)
    assert sum(try_parameters(random, kind, {}) is not None for _ in range(400)) >= 0.1 * 400


@pytest.mark.parametrize(("fixed", "engine"), [({}, False), *((keys, True) for keys in ENGINES)])
def test_few_draws_of_configurations_are_illegal(fixed, engine):
    random = Random(1)
    assert sum(try_config(random, fixed, engine=engine) is not None for _ in range(100)) >= 0.15 * 100


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_value_of_a_short_list_is_drawn(kind):
    random = Random(1)
    drawn = [draw_parameters(random, kind) for _ in range(1000)]
    for key in attrs.fields(kind):
        legal, values = key.metadata["legal"], {getattr(parameters, key.name) for parameters in drawn}
        if key.name == "taps":
            assert len(values) > 5
        elif len(legal) <= 8:
            assert values == set(legal), key.name
        else:
            assert len(values) >= 8, key.name


def test_sections_are_those_of_the_configuration():
    config = draw_config(Random(1), {"array": {"rows": 3}})
    assert config.array.rows == 3
    assert {name: type(getattr(config, name)) for name in SECTIONS} == SECTIONS
