"""A new connection to a device whose connection was lost: the cable was pulled, or the device was switched off."""

import contextlib
import time

from lowtide_boards.driver.connection import Connection
from lowtide_boards.driver.errors import ConnectionLost, DeviceError, NotLowtide, PortError
from lowtide_boards.driver.ports import INITIAL_BAUD, open_port

__all__ = ["reconnect"]

RETURN_TIMEOUT = 10.0
"""Seconds to wait for a device whose connection was lost."""


def reconnect(name: str, baud: int, timeout: float, first: DeviceError) -> Connection:
    """Wait for the device at a port, and connect to it.

    Parameters
    ----------
    name : str
        Name of the port.
    baud : int
        Baud rate before the connection was lost. A device that was switched off has its initial rate.
    timeout : float
        Seconds to wait for an answer, in addition to the transfer time.
    first : DeviceError
        The error that lost the connection.

    Raises
    ------
    DeviceError
        Of the kind of ``first``, if the device does not answer within `RETURN_TIMEOUT`.
    """
    ends = time.monotonic() + RETURN_TIMEOUT
    while True:
        try:
            return _connected(name, baud, timeout)
        except (ConnectionLost, NotLowtide, PortError) as last:
            if time.monotonic() > ends:
                text = f"{first}; not reconnected within {RETURN_TIMEOUT:g} s: {last}"
                raise type(first)(text) from None
            time.sleep(0.2)


def _connected(name: str, baud: int, timeout: float) -> Connection:
    """Open the port, and connect at the baud rate, or else at the initial rate."""
    connection = Connection(open_port(name), timeout=timeout, name=name)
    try:
        with contextlib.suppress(NotLowtide):
            connection.framed_port.baud = baud
            connection.connect()
            return connection
        connection.framed_port.baud = INITIAL_BAUD
        connection.connect()
    except BaseException:
        connection.framed_port.close()
        raise
    return connection
