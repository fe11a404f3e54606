"""Names, order and summaries of the commands, so that help appears without importing what the commands need."""

from collections.abc import Mapping

__all__ = ["GROUPS", "OWN", "RENAMED", "SUMMARIES"]

OWN: Mapping[str, str] = {
    "emit": "lowtide.cli.emit:emit",
    "list": "lowtide.cli.list:list_",
    "show": "lowtide.cli.show:show",
    "report": "lowtide.cli.report:report",
}
"""Module and object of each command of the generator."""

GROUPS: Mapping[str, str] = {
    "": "lowtide.commands",
    "device": "lowtide.device",
    "board": "lowtide.board",
    "study": "lowtide.studies",
}
"""Entry points whose commands each group has."""

SUMMARIES: Mapping[str, str] = {
    "emit": "Write Verilog and a JSON sidecar.",
    "list": "List presets, configuration keys and units.",
    "show": "Show the parameters of a preset or a unit.",
    "report": "Report area and clock frequency.",
    "sim": "Run a network on the simulated array.",
    "train": "Train a network on a matrix engine.",
    "run": "Run an ONNX network on an engine.",
    "tune": "Tune the weights of an ONNX network for few bits.",
    "bench": "Measure the speed of emission and of models.",
    "device": "Use a device at a serial port.",
    "board": "Build and load bitstreams for boards.",
    "study": "Run the studies of the documentation.",
    "device info": "Show a device's configuration.",
    "device test": "Compare random products with the golden model.",
    "device serve": "Simulate a device at a pseudo-terminal.",
    "board list": "List the supported boards.",
    "board build": "Build a bitstream.",
    "board check": "Check a bitstream in simulation, without a board.",
    "board flash": "Load a bitstream onto a board.",
    "study gradient-rounding": "Compare roundings of gradients.",
    "study precision-schedules": "Compare schedules of precision in training.",
    "study equal-area": "Compare training time at equal area.",
    "study term-revealing": "Measure pairs and accuracy with term revealing.",
    "study chunk-widths": "Compare chunk widths by area and time.",
    "study layers": "Measure cycles and bytes of real layers.",
    "study rounders": "Compare the area of stochastic rounders.",
    "study rounder-search": "Search for small, unbiased stochastic rounders.",
    "study network-training": "Train real networks in several formats.",
    "study layer-precision": "Find the bits of each layer of an ONNX network.",
    "study network-revealing": "Measure term revealing on real networks.",
    "study network-rounding": "Compare roundings of networks' gradients.",
}
"""Summary of each command, in the order of the help."""

RENAMED: Mapping[str, str] = {
    "bitstream": "board build",
    "chunks": "study chunk-widths",
    "equal-area": "study equal-area",
    "explore": "study rounder-search",
    "flash": "board flash",
    "info": "device info",
    "reveal": "study term-revealing",
    "rounders": "study rounders",
    "schedules": "study precision-schedules",
    "selftest": "device test",
    "serve": "device serve",
}
"""Earlier names of commands."""
