"""Ports of a board's top module that a simulation drives and observes."""

from typing import Any

import attrs

from lowtide_boards.targets.board import Board
from lowtide_boards.targets.top import platform_of

__all__ = ["BoardPort", "board_ports"]


@attrs.frozen(kw_only=True)
class BoardPort:
    """A port of the top module.

    Parameters
    ----------
    name : str
        Name of the port.
    pin : str
        Pin of the FPGA or, if its name has a colon, of a connector.
    inverted : bool
        Whether a low pin means 1.
    """

    name: str
    pin: str
    inverted: bool


def board_ports(board: Board) -> dict[str, BoardPort]:
    """The ports ``clk``, ``rx``, ``tx``, ``right`` and ``wrong`` of a board.

    Raises
    ------
    BoardError
        If the board descriptions are not installed.
    """
    platform = platform_of(board)
    places = {"clk": platform.default_clk, "rx": "uart:0.rx", "tx": "uart:0.tx", "right": board.right}
    return {name: _port(platform, place) for name, place in (places | {"wrong": board.wrong}).items()}


def _port(platform: Any, place: str) -> BoardPort:
    """Port at a place: resource, number and, after a point, part of the resource."""
    resource, _, part = place.partition(".")
    name, _, number = resource.partition(":")
    found = platform.lookup(name, int(number or 0))
    pins = next(io for io in found.ios if getattr(io, "name", part) == part)
    pins = pins.ios[0] if part else pins
    (pin,) = pins.names
    port = "__".join([f"{name}_{number or 0}", *filter(None, [part]), "io"])
    return BoardPort(name=port, pin=pin, inverted=pins.invert)
