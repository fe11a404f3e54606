"""The configuration of a device, as it says itself."""

from lowtide.config import Config, ConfigError
from lowtide.emission.serial import digest_of
from lowtide.engine.registers import IDENTITY
from lowtide_boards.driver.connection import Connection
from lowtide_boards.driver.errors import NotLowtide

__all__ = ["config_of"]

KEYS = (
    *("array.rows", "array.columns", "bfp.lanes", "bfp.chunk_a", "bfp.chunk_b", "bfp.mantissa", "bfp.exponent"),
    *(
        "bfp.max_k",
        "engine.input_width",
        "engine.output_width",
        "engine.buffer_depth",
        "engine.transpose_depth",
        "engine.random_bits",
    ),
    *("engine.lfsr_bits", "engine.counter_bits"),
)
"""Of a configuration, in the order of the registers that have them, which are those after the first one."""


def config_of(link: Connection) -> Config:
    """The configuration that a device was generated for.

    Raises
    ------
    NotLowtide
        If this version of lowtide generates something else from it.
    """
    identity, *values = link.one("read", 0, 1 + len(KEYS))
    if identity != IDENTITY:
        raise NotLowtide(f"the device at {link.name} has no engine: {identity:#010x}, not {IDENTITY:#010x}")
    try:
        config = Config().changed(dict(zip(KEYS, values, strict=True)))
    except ConfigError as error:
        raise NotLowtide(f"the device at {link.name} is of another version of lowtide: {error}") from None
    digest = link.constants["digest"] | link.constants["digest_high"] << 32
    if digest != digest_of(config):
        raise NotLowtide(
            f"the device at {link.name} is of another version of lowtide: its digest is {digest:016x}, that of its"
            f" configuration here {digest_of(config):016x}"
        )
    return config
