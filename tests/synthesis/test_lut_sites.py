"""LUT6 sites of netlists, counted by hand and by trying all pairings."""

import random
from functools import cache

from lowtide.synthesis import synthesize
from lowtide.synthesis.lut_sites import Table, lut_sites, sites_of, tables_of

ALL_ZERO = ["0", "0", "0", "0"]


def lut(*nets, fixed=False):
    return Table(frozenset(nets), fixed)


def cell(kind, inputs, outputs):
    ways = dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output")
    return {"type": kind, "port_directions": ways, "connections": inputs | outputs}


def lut_cell(output, *nets):
    return cell(f"LUT{len(nets)}", {f"I{index}": [net] for index, net in enumerate(nets)}, {"O": [output]})


def carry(s, o, co=(90, 91, 92, 93), di=ALL_ZERO):
    return cell("CARRY4", {"CI": ["0"], "CYINIT": ["0"], "DI": di, "S": s}, {"O": o, "CO": list(co)})


def module(cells, outputs):
    ports = {"o": {"direction": "output", "bits": outputs}}
    return {"ports": ports, "cells": {str(index): one for index, one in enumerate(cells)}}


def test_two_tables_share_a_site_if_five_inputs_are_enough():
    assert lut_sites([lut(1, 2), lut(3, 4, 5)]) == 1
    assert lut_sites([lut(1, 2, 3), lut(4, 5, 6)]) == 2
    assert lut_sites([lut(1, 2, 3), lut(3, 4, 5)]) == 1
    assert lut_sites([lut(1, 2, 3, 4, 5), lut(1, 2, 3, 4, 5)]) == 1
    assert lut_sites([lut(1, 2, 3, 4, 5), lut(2, 3, 4, 5, 6)]) == 2


def test_table_of_six_inputs_has_a_site_of_its_own():
    assert lut_sites([lut(1, 2, 3, 4, 5, 6), lut(1)]) == 2


def test_fixed_tables_do_not_share_a_site():
    assert lut_sites([lut(1, 2, fixed=True), lut(1, 2, fixed=True)]) == 2
    assert lut_sites([lut(1, 2, fixed=True), lut(1, 2)]) == 1


def test_pairs_are_chosen_for_all_tables_together():
    # Only 1-2 with 1-2-3-4-5 and 6-7-8 with 6-9-10 leaves no table alone.
    assert lut_sites([lut(1, 2), lut(6, 7, 8), lut(6, 9, 10), lut(1, 2, 3, 4, 5)]) == 2


def check_random_tables(seed):
    draw = random.Random(seed)
    nets = range(draw.choice([6, 9, 14]))
    tables = [
        Table(frozenset(draw.sample(nets, draw.randint(0, 6))), fixed=draw.random() < 0.3)
        for _ in range(draw.randint(0, 10))
    ]

    @cache
    def fewest(left):
        if not left:
            return 0
        one, rest = left[0], left[1:]
        alone = fewest(rest)
        shared = [
            fewest(tuple(table for table in rest if table != other))
            for other in rest
            if not (tables[one].fixed and tables[other].fixed) and len(tables[one].nets.union(tables[other].nets)) <= 5
        ]
        return 1 + min([alone, *shared])

    assert lut_sites(tables) == fewest(tuple(range(len(tables))))


def test_no_pairing_takes_fewer_sites():
    for seed in range(300):
        check_random_tables(seed)


def test_carry_position_in_use_has_a_site():
    # S: a table, the same table again, a net without a table, a constant.
    cells = [lut_cell(10, 1, 2), carry(s=[10, 10, 3, "0"], o=[20, 21, 22, 23])]
    expected = [lut(1, 2, fixed=True), lut(1, 2, fixed=True), lut(3, fixed=True), lut(fixed=True)]
    assert tables_of(module(cells, outputs=[23])) == expected
    # A position is in use up to the last output that is read.
    assert tables_of(module(cells, outputs=[20])) == expected[:1]
    assert tables_of(module(cells, outputs=[92])) == expected[:3]
    # Without a use of the carry cell, its table still exists.
    assert tables_of(module(cells, outputs=[])) == [lut(1, 2)]


def test_table_of_di_may_share_the_site_of_its_position():
    cells = [lut_cell(10, 1, 2), lut_cell(11, 3), carry(s=[10, "0", "0", "0"], o=[20, 21, 22, 23], di=[11, *"000"])]
    assert sites_of({"modules": {"m": module(cells, outputs=[20])}}, "m") == 1


def test_inputs_of_muxf7_have_a_site_each():
    cells = [
        lut_cell(10, 1, 2),
        lut_cell(11, 1, 2),
        cell("MUXF7", {"I0": [10], "I1": [11], "S": [3]}, {"O": [12]}),
        cell("INV", {"I": [12]}, {"O": [13]}),
    ]
    assert tables_of(module(cells, outputs=[13])) == [lut(1, 2, fixed=True), lut(1, 2, fixed=True), lut(12)]
    assert sites_of({"modules": {"m": module(cells, outputs=[13])}}, "m") == 2


def test_shift_register_is_the_site_of_the_carry_input_that_it_drives():
    shift = cell("SRL16E", {"D": [1], "CE": ["1"], "CLK": [2]}, {"Q": [10]})
    assert tables_of(module([shift, carry(s=[10, *"000"], o=[20, 21, 22, 23])], outputs=[20])) == []


def test_instances_are_packed_apart():
    below = module([lut_cell(10, 1, 2)], outputs=[10])
    instance = {"type": "below", "port_directions": {"o": "output"}, "connections": {"o": [10]}}
    top = module([instance, instance, lut_cell(12, 10, 11)], outputs=[12])
    assert sites_of({"modules": {"below": below, "top": top}}, "top") == 3


def test_registered_adder_has_a_site_for_each_bit(adder):
    area = synthesize(adder, "adder", "xc7")
    assert (area.luts, area.lut_sites, area.logic_cells) == (16, 16, 8)
    assert synthesize(adder, "adder", "ecp5").lut_sites is None
