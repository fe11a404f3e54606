"""Errors between host and device; each message is one line."""

from lowtide.errors import LowtideError

__all__ = ["ConnectionLost", "DeviceError", "NotLowtide", "PortError", "Refused"]


class DeviceError(LowtideError):
    """Base class of the errors of a device, its port or the connection."""


class PortError(DeviceError):
    """A port does not exist, belongs to another program, or failed."""


class NotLowtide(DeviceError):
    """No lowtide device is at the port, or a device with another version or configuration."""


class ConnectionLost(DeviceError):
    """The device does not answer."""


class Refused(DeviceError):
    """The device received a request and refused it."""
