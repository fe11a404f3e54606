"""Serial ports, by name."""

import errno

import serial
from serial.tools.list_ports import comports

from lowtide.interfaces.serial.params import SerialParams
from lowtide_boards.driver.errors import PortError

__all__ = ["INITIAL_BAUD", "only_port", "open_port"]

INITIAL_BAUD = SerialParams().baud
"""Initial baud rate of a device."""

_REASONS = {
    errno.ENOENT: "no such port{others}",
    errno.EACCES: "permission denied; join its group, as in `sudo usermod -aG dialout $USER`, and log in again",
    errno.EBUSY: "in use by another program",
    errno.EAGAIN: "in use by another program",
}


def open_port(name: str) -> serial.Serial:
    """Open a port for this program alone.

    Raises
    ------
    PortError
        If the port does not exist, may not be used, belongs to another program, or is no serial port.
    """
    if "://" in name:
        raise PortError(f"cannot open {name}: port must be the name of a serial port, such as /dev/ttyUSB0, not a URL")
    try:
        return serial.serial_for_url(name, baudrate=INITIAL_BAUD, timeout=0, exclusive=True)
    except Exception as error:  # OSError and ValueError, and termios.error if a terminal has vanished
        number = getattr(error, "errno", None)
        if number is None and "lock" in str(error):
            number = errno.EBUSY
        reason = _REASONS.get(number or 0, "not a working serial port: " + " ".join(str(error).split()))
        raise PortError(f"cannot open {name}: {reason.format(others=_others())}") from None


def only_port() -> str:
    """Name of the only USB serial port.

    Raises
    ------
    PortError
        If there is no USB serial port, or more than one.
    """
    names = _usb()
    if len(names) != 1:
        found = f"several USB serial ports: {', '.join(names)}; name one" if names else "no USB serial port found"
        raise PortError(f"{found}; or simulate a device with `lowtide device serve` and name its port")
    return names[0]


def _usb() -> list[str]:
    return sorted(port.device for port in comports() if port.vid is not None)


def _others() -> str:
    names = _usb()
    return f"; USB serial ports: {', '.join(names)}" if names else ", and no USB serial port found"
