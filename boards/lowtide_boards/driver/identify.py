"""Configuration of a device, from its registers."""

from lowtide.config import Config, ConfigError
from lowtide.emission.serial import digest_of
from lowtide.engine.registers import IDENTITY
from lowtide_boards.driver.connection import Connection
from lowtide_boards.driver.errors import NotLowtide

__all__ = ["config_of"]

KEYS = (
    *("array.rows", "array.columns", "bfp.lanes", "bfp.chunk_a", "bfp.chunk_b", "bfp.mantissa", "bfp.exponent"),
    *("bfp.max_k", "engine.input_width", "engine.output_width", "engine.buffer_depth", "engine.transpose_depth"),
    *("engine.random_bits", "engine.lfsr_bits", "engine.counter_bits", "engine.packed_operands"),
)
"""Keys of a configuration, in the order of their registers, which follow the register ``identity``."""


def config_of(connection: Connection) -> Config:
    """The configuration for which a device was generated.

    Raises
    ------
    NotLowtide
        If this version of lowtide generates another device from the configuration.
    """
    identity, *values = connection.request("read", 0, 1 + len(KEYS))
    if identity != IDENTITY:
        raise NotLowtide(
            f"no lowtide engine at {connection.name}: expected identity {IDENTITY:#010x}, got {identity:#010x}"
        )
    try:
        settings: dict[str, int | bool] = dict(zip(KEYS, values, strict=True))
        settings["engine.packed_operands"] = bool(settings["engine.packed_operands"])
        config = Config().changed(settings)
    except ConfigError as error:
        raise NotLowtide(f"device at {connection.name} is from another version of lowtide: {error}") from None
    digest = connection.constants["digest"] | connection.constants["digest_high"] << 32
    if digest != digest_of(config):
        raise NotLowtide(
            f"device at {connection.name} is from another version of lowtide: expected digest {digest_of(config):016x},"
            f" got {digest:016x}"
        )
    return config
