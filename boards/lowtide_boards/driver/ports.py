"""Serial ports, by name."""

import errno

import serial
from serial.tools.list_ports import comports

from lowtide.interfaces.serial.params import SerialParams
from lowtide_boards.driver.errors import PortError

__all__ = ["FIRST_BAUD", "only_port", "opened"]

FIRST_BAUD = SerialParams().baud
"""Rate at which a device is greeted."""

_REASONS = {
    errno.ENOENT: "there is no such port{others}",
    errno.EACCES: "you may not use it: join its group, as in `sudo usermod -aG dialout $USER`, and log in again",
    errno.EBUSY: "another program uses it",
    errno.EAGAIN: "another program uses it",
}


def opened(name: str) -> serial.Serial:
    """A port, for this program alone.

    Raises
    ------
    PortError
        If it does not exist, may not be used, is another program's, or is no serial port.
    """
    if "://" in name:
        raise PortError(f"cannot open {name}: a port must be the name of a serial port, as /dev/ttyUSB0, not a URL")
    try:
        return serial.serial_for_url(name, baudrate=FIRST_BAUD, timeout=0, exclusive=True)
    except Exception as error:  # OSError and ValueError, and termios.error of a terminal that is gone
        number = getattr(error, "errno", None)
        if number is None and "lock" in str(error):
            number = errno.EBUSY
        reason = _REASONS.get(number or 0, "it is no serial port that works: " + " ".join(str(error).split()))
        raise PortError(f"cannot open {name}: {reason.format(others=_others())}") from None


def only_port() -> str:
    """The port of the only device that is plugged in.

    Raises
    ------
    PortError
        If there is none, or more than one.
    """
    names = _usb()
    if len(names) != 1:
        found = f"there are {', '.join(names)}: name one" if names else "no serial port on USB is there"
        raise PortError(f"{found}; or simulate a device by `lowtide serve`, and name its port")
    return names[0]


def _usb() -> list[str]:
    return sorted(port.device for port in comports() if port.vid is not None)


def _others() -> str:
    names = _usb()
    return f"; there are {', '.join(names)}" if names else ", and no other on USB"
