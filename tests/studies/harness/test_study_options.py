"""The options that all studies share."""

from importlib import import_module

import click
import pytest

from fixtures.studies import run_command

STUDIES = {
    "gradient-rounding": "gradient_rounding",
    "precision-schedules": "precision_schedules",
    "equal-area": "equal_area",
    "term-revealing": "term_revealing",
    "chunk-widths": "chunk_widths",
    "layers": "layers",
    "rounders": "rounders",
    "rounder-search": "rounder_search",
    "network-training": "network_training",
    "layer-precision": "layer_precision",
    "network-revealing": "network_revealing",
    "network-rounding": "network_rounding",
}
SHARED = ("--quick", "--processes", "--storage", "--output", "--format", "--json", "--quiet")
WITHOUT_SEEDS = ("chunk-widths", "layers", "rounders", "layer-precision")


@pytest.mark.parametrize(("name", "package"), STUDIES.items())
def test_studies_share_options_and_form_of_help(name, package):
    command = import_module(f"lowtide_studies.{package}.command").command
    options = {option for one in command.params for option in one.opts}
    assert command.name == name
    assert options >= {*SHARED, "-o", *(["--seeds"] if name not in WITHOUT_SEEDS else [])}
    assert len(command.get_short_help_str(limit=80)) < 50
    page = run_command(command, "--help").stdout
    assert f"  lowtide study {name}\n" in page
    assert all(one.default is not None or not one.required for one in command.params if isinstance(one, click.Option))
