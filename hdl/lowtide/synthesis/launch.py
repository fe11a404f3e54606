"""Launcher: ``launch.py PACKAGE PROGRAM ARGUMENT...`` runs a tool of a Python package, a YoWASP tool with a deep stack.

YoWASP's tools are WebAssembly. Yosys walks a netlist recursively, and chains of a few thousand cells, as an array
has, exhaust the default stack of 512 KiB. The launcher also makes the tools independent of PATH.
"""

import importlib
import sys

import wasmtime

STACK_BYTES = 2 << 20  # the maximum of wasmtime without further settings

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
    sys.argv[:3] = [program]  # Python programs read their arguments here
    sys.exit(importlib.import_module(f"{package}.{program}").main())
