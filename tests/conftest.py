"""All fixtures of the tests: see the folder `fixtures`."""

pytest_plugins = (
    "fixtures.slices",
    "fixtures.simulations",
    "fixtures.engines",
    "fixtures.devices",
    "fixtures.prover",
    "fixtures.programs",
    "fixtures.verilog_modules",
    "fixtures.command_line",
    "fixtures.studies",
)
