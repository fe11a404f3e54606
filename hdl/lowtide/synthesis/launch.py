"""Runs one tool of a Python package: ``launch.py PACKAGE PROGRAM ARGUMENT...``, a YoWASP one with a deep call stack.

YoWASP's tools are WebAssembly. Yosys walks a netlist recursively and exhausts the default stack of 512 KiB on chains of
a few thousand cells, which an array has. Starting the tool from here also spares it a place on PATH.
"""

import importlib
import sys

import wasmtime

STACK_BYTES = 2 << 20  # as much as wasmtime grants without further settings

plain_config = wasmtime.Config


def deep_config() -> wasmtime.Config:
    """A wasmtime configuration with the deeper stack."""
    config = plain_config()
    config.max_wasm_stack = STACK_BYTES
    return config


if __name__ == "__main__":
    wasmtime.Config = deep_config
    package, program = sys.argv[1:3]
    if run := getattr(importlib.import_module(package), f"run_{program}", None):
        sys.exit(run(sys.argv[3:]))
    sys.argv[:3] = [program]  # what is written in Python looks for its arguments there
    sys.exit(importlib.import_module(f"{package}.{program}").main())
