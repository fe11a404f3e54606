"""Baud rates: find and set the fastest rate that host and device support."""

import contextlib
import time

from lowtide_boards.driver.connection import Connection
from lowtide_boards.driver.errors import ConnectionLost, NotLowtide, PortError, Refused

__all__ = ["BAUDS", "USUAL_BAUDS", "change_baud", "divisor_of", "set_fastest_baud"]

USUAL_BAUDS = (
    *(12_000_000, 6_000_000, 4_000_000, 3_000_000, 2_000_000, 1_500_000, 1_000_000),
    *(921_600, 460_800, 230_400),
)
"""Baud rates that usual USB bridges support, fastest first."""

BAUDS = range(1, 10**8 + 1)
"""Baud rates that a user may request; the device's clock limits them further."""

TOLERANCE = 0.02
"""Largest relative difference between the baud rates of host and device: a fifth of a bit over ten bits."""

LEAST_DIVISOR = 4


def divisor_of(clock: int, baud: int) -> int | None:
    """Clock cycles per bit at a baud rate; None if the device cannot make the rate."""
    divisor = round(clock / baud)
    if not LEAST_DIVISOR <= divisor < 1 << 16 or abs(clock / divisor / baud - 1) > TOLERANCE:
        return None
    return divisor


def change_baud(connection: Connection, baud: int, *, tries: int = 2) -> bool:
    """Set a baud rate on host and device and reconnect. If that fails, return both to the device's initial rate.

    Returns
    -------
    bool
        Whether the connection works at the new rate.

    Raises
    ------
    ConnectionLost
        If the device does not answer at its initial rate either.
    """
    divisor = divisor_of(connection.constants["clock"], baud)
    if divisor is None:
        return False
    initial = round(connection.constants["clock"] / connection.constants["divisor"])
    connection.request("set_baud", divisor, 0)
    with contextlib.suppress(PortError):  # the host's port may not support the rate
        connection.framed_port.baud = baud
        if _answers(connection, tries):
            return True
    # The device returns to its initial rate by itself.
    for _ in range(10):
        time.sleep(0.5)
        connection.framed_port.baud = initial
        if _answers(connection, 1):
            return False
    raise ConnectionLost(
        f"device at {connection.name} lost: no answer after the change to {baud} baud; switch the device off and on"
    )


def _answers(connection: Connection, tries: int) -> bool:
    with contextlib.suppress(NotLowtide):
        connection.connect(tries)
        return True
    return False


def set_fastest_baud(connection: Connection) -> int:
    """Set the fastest baud rate that works, and return the rate.

    Raises
    ------
    ConnectionLost
        If the device does not answer at its initial rate after a rate that failed.
    """
    for baud in USUAL_BAUDS:
        if baud <= connection.port.baudrate:
            break
        with contextlib.suppress(Refused):
            if change_baud(connection, baud):
                break
    return connection.port.baudrate
