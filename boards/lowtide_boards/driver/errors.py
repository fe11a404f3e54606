"""What can go wrong between a host and a device; each message is one line."""

from lowtide.errors import LowtideError

__all__ = ["ConnectionLost", "DeviceError", "NotLowtide", "PortError", "Refused"]


class DeviceError(LowtideError):
    """Something is wrong with a device, or with the way to it."""


class PortError(DeviceError):
    """A port does not exist, is another program's, or went away."""


class NotLowtide(DeviceError):
    """What is at the port is no lowtide, or one of another version or configuration."""


class ConnectionLost(DeviceError):
    """The device does not answer."""


class Refused(DeviceError):
    """The device understood, and refused."""
