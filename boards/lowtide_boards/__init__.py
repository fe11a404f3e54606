"""Engines on boards: a driver for hosts, top modules, bitstreams and flashing."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lowtide_boards.driver.device import Device

__all__ = ["Device"]


def __getattr__(name: str) -> Any:
    """Import the driver when it is used: bitstreams need neither NumPy nor pyserial."""
    if name == "Device":
        from lowtide_boards.driver.device import Device

        return Device
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
