"""Processing elements for terms and integers compared with Python's integers, cycle by cycle."""

import random
import re

import pytest
from attrs import evolve
from element_bench import Beat, check

from lowtide.formats import IllegalValue
from lowtide.formats.terms import Terms
from lowtide.units.arithmetic.pair_mac import PairMac
from lowtide.units.arithmetic.pmac import Pmac, PmacParams
from lowtide.units.arithmetic.tmac import Tmac

TERMS = [
    Terms(),
    Terms(group=1, budget=1, data_terms=1),
    Terms(width=2, group=3, budget=2, data_terms=1),
    Terms(group=5, values=2, parallel=3, budget=7),
    Terms(width=16, group=64, values=8, parallel=2, data_terms=8),
    Terms(width=9, encoding="booth", group=12, values=4, parallel=5),
    Terms(width=4, encoding="binary", group=2, budget=4, data_terms=2, max_k=3),
]
PAIRS = [terms for terms in TERMS if terms.group * terms.data_terms <= 64]


def packed(layout, fields):
    """Fields packed to the layout's bits."""
    return layout.const(fields).as_value().value


def tmac_beats(terms, rng, tiles):
    """Tiles of several groups: data are written in separate beats, at any time before the group's terms arrive."""
    largest = terms.max_magnitude
    beats, bank = [Beat(restart=True)], 0
    for groups in tiles:
        for _ in range(groups):
            values = [rng.choice((-largest, largest, rng.randint(-largest, largest))) for _ in range(terms.group)]
            padded = values + [rng.randint(-largest, largest) for _ in range(-len(values) % terms.values)]
            for slot in range(terms.slots):
                now = padded[slot * terms.values : (slot + 1) * terms.values]
                word = {"value": now, "slot": slot, "bank": bank, "write": 1}
                # Terms of the other bank arrive meanwhile; here words of zeros that select the bank.
                beats.append(Beat(packed(terms.layout_a, word), packed(terms.layout_b, {"bank": 1 - bank})))
            for _ in range(rng.randint(0, 2 * terms.group)):
                beats.append(term_beat(terms, rng, values, bank))
            bank = 1 - bank
        end(beats, rng, groups)
    return beats


def end(beats, rng, carried):
    """End a tile with its last beat, if ``carried``, or with a beat without a term, two cycles after a restart."""
    if carried and rng.random() < 0.7:
        beats[-1] = evolve(beats[-1], restart=True)
    else:
        beats += [Beat()] * beats[-1].restart + [Beat(restart=True)]


def term_beat(terms, rng, values, bank):
    """Random terms of the group, with random writes to the other bank meanwhile."""
    words, addend = [], 0
    for _ in range(terms.parallel):
        exponent, index = rng.randrange(terms.digits), rng.randrange(terms.group)
        negative, nonzero = rng.getrandbits(1), int(rng.random() < 0.8)
        words.append({"exponent": exponent, "index": index, "negative": negative, "nonzero": nonzero})
        addend += nonzero * (-1) ** negative * values[index] << exponent
    a = {"value": [0] * terms.values, "slot": rng.randrange(terms.slots), "bank": 1 - bank, "write": rng.getrandbits(1)}
    return Beat(packed(terms.layout_a, a), packed(terms.layout_b, {"term": words, "bank": bank}), addend=addend)


def bounded(beats, terms):
    """Beats whose sums fit the accumulator: terms that would overflow it are omitted."""
    total, kept = 0, []
    for beat in beats:
        total += beat.addend
        if abs(total) > terms.max_sum:
            total -= beat.addend
            beat = Beat(beat.a, 0, restart=beat.restart)
        if beat.restart:
            total = 0
        kept.append(beat)
    return kept


@pytest.mark.parametrize("terms", TERMS, ids=str)
def test_tmac_sums_data_shifted_by_terms(terms):
    check(Tmac(terms), bounded(tmac_beats(terms, random.Random(1), [2, 1, 0, 3, 1]), terms))


def pair_beats(element, rng, tiles):
    """Tiles of several groups with sufficient spacing of restarts."""
    terms, spacing = element.terms, element.spacing
    beats, bank = [], 0
    slots = terms.group * terms.data_terms
    for groups in tiles:
        start = len(beats)
        for _ in range(groups):
            held = [random_term(terms, rng) for _ in range(slots)]
            for slot, term in enumerate(held):
                beats.append(Beat(packed(element.layout_a, term | {"slot": slot, "bank": bank, "write": 1})))
            for _ in range(rng.randint(0, 2 * slots)):
                pairs = [random_term(terms, rng) | {"slot": rng.randrange(slots)} for _ in range(terms.parallel)]
                other = random_term(terms, rng) | {"slot": 0, "bank": 1 - bank, "write": rng.getrandbits(1)}
                b = packed(element.layout_b, {"pair": pairs, "bank": bank})
                addend = sum(product(weight, held[weight["slot"]]) for weight in pairs)
                beats.append(Beat(packed(element.layout_a, other), b, addend=addend))
            bank = 1 - bank
        beats[start:start] = [Beat()] * max(0, spacing - (len(beats) - start))
        end(beats, rng, groups)
    return beats


def random_term(terms, rng):
    """Random term, at times of the largest exponent, or zero."""
    exponent = rng.choice((0, terms.digits - 1, rng.randrange(terms.digits)))
    return {"exponent": exponent, "negative": rng.getrandbits(1), "nonzero": int(rng.random() < 0.8)}


def product(one, other):
    """Product of two terms."""
    sign = (-1) ** (one["negative"] ^ other["negative"])
    return one["nonzero"] * other["nonzero"] * sign << one["exponent"] + other["exponent"]


@pytest.mark.parametrize("terms", PAIRS, ids=str)
def test_pair_mac_sums_products_of_terms(terms):
    element = PairMac(terms)
    check(element, bounded(pair_beats(element, random.Random(1), [1, 2, 0, 1]), terms))


@pytest.mark.parametrize("multiplier", ["booth", "inferred"])
@pytest.mark.parametrize("width", [2, 3, 4, 7, 8, 16])
def test_pmac_sums_products(width, multiplier):
    shape = PmacParams(width=width, multiplier=multiplier, max_k=40)
    rng, low, high = random.Random(1), -(1 << width - 1), (1 << width - 1) - 1
    beats = [Beat(restart=True)]
    for length in (0, 1, 2, 40, 7):
        ends = rng.random() < 0.5 or length == 40
        for _ in range(length):
            a, b = (low if ends else rng.choice((low, high, rng.randint(low, high))) for _ in range(2))
            mask = (1 << width) - 1
            beats.append(Beat(a & mask, b & mask, addend=a * b))
        end(beats, rng, length > 1)
    check(Pmac(shape), beats)


@pytest.mark.parametrize("multiplier", ["booth", "inferred"])
def test_pmac_multiplies_every_pair_of_small_integers(multiplier):
    shape = PmacParams(width=4, multiplier=multiplier)
    pairs = [(a, b) for a in range(-8, 8) for b in range(-8, 8)]
    beats = [Beat(restart=True)]
    for a, b in pairs:
        beats += [Beat(), Beat(a & 15, b & 15, restart=True, addend=a * b)]
    check(Pmac(shape), beats)


@pytest.mark.parametrize("make", [lambda: Tmac(Terms()), lambda: Pmac(PmacParams()), lambda: PairMac(Terms())])
def test_drain_words_from_below_pass_an_idle_element(make):
    element, rng = make(), random.Random(5)
    beats = [Beat(restart=True)] + [Beat(drain=0)] * (element.latency + 2)
    beats += [Beat(drain=rng.getrandbits(len(element.drain_i))) for _ in range(20)]
    check(element, beats)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Terms(width=1), "width must be from 2 to 16, not 1"),
        (lambda: Terms(group=65), "group must be from 1 to 64, not 65"),
        (
            lambda: Terms(group=2, budget=9),
            "budget must be from 1 to 8 (the maximum terms of group = 2 values, width = 8 in hese), not 9",
        ),
        (
            lambda: Terms(data_terms=5),
            "data_terms must be from 1 to 4 (the maximum terms of a value, width = 8 in hese), not 5",
        ),
        (lambda: Terms(values=3), "values must be one of 1, 2, 4, 8, not 3"),
        (lambda: Terms(group=3, values=4, budget=1), "values must be one of 1, 2 (at most group = 3), not 4"),
        (lambda: Terms(encoding="csd"), "encoding must be one of binary, booth, hese, not 'csd'"),
        (lambda: PmacParams(width=17), "width must be from 2 to 16, not 17"),
        (lambda: PmacParams(multiplier="dsp"), "multiplier must be one of booth, inferred, not 'dsp'"),
    ],
)
def test_illegal_formats_name_the_legal_values(make, message):
    with pytest.raises(IllegalValue, match=f"^{re.escape(message)}$"):
        make()
