"""The rate of a line, as fast as both of its ends can."""

import contextlib
import time

from lowtide_boards.driver.connection import Connection
from lowtide_boards.driver.errors import ConnectionLost, NotLowtide, PortError, Refused

__all__ = ["BAUDS", "RATES", "change_rate", "divisor_of", "fastest"]

RATES = (12_000_000, 6_000_000, 4_000_000, 3_000_000, 2_000_000, 1_500_000, 1_000_000, 921_600, 460_800, 230_400)
"""Rates that usual USB bridges have."""

BAUDS = range(1, 10**8 + 1)
"""Rates that a user may ask for; which of them a device has follows from its clock."""

TOLERANCE = 0.02
"""Share by which the two ends may differ: over ten bits, a fifth of one."""

LEAST_DIVISOR = 4


def divisor_of(clock: int, baud: int) -> int | None:
    """Clocks of a bit at a rate; none if the device cannot make it."""
    divisor = round(clock / baud)
    if not LEAST_DIVISOR <= divisor < 1 << 16 or abs(clock / divisor / baud - 1) > TOLERANCE:
        return None
    return divisor


def change_rate(link: Connection, baud: int, *, tries: int = 2) -> bool:
    """Go to a rate on both ends, and begin again there; whether that works. If not, both are at the device's first.

    Raises
    ------
    ConnectionLost
        If the device does not come back.
    """
    divisor = divisor_of(link.constants["clock"], baud)
    if divisor is None:
        return False
    first = round(link.constants["clock"] / link.constants["divisor"])
    link.one("rate", divisor, 0)
    with contextlib.suppress(PortError):  # the host's end may not have the rate
        link.line.baud = baud
        if _speaks(link, tries):
            return True
    # The device gives the new rate up by itself, for its first one.
    for _ in range(10):
        time.sleep(0.5)
        link.line.baud = first
        if _speaks(link, 1):
            return False
    raise ConnectionLost(f"the device at {link.name} was lost at {baud} baud; switch it off and on")


def _speaks(link: Connection, tries: int) -> bool:
    with contextlib.suppress(NotLowtide):
        link.connect(tries)
        return True
    return False


def fastest(link: Connection) -> int:
    """Go to the fastest rate that works; gives it.

    Raises
    ------
    ConnectionLost
        If the device does not come back from one that does not.
    """
    for baud in RATES:
        if baud <= link.port.baudrate:
            break
        with contextlib.suppress(Refused):
            if change_rate(link, baud):
                break
    return link.port.baudrate
