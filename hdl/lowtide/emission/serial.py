"""The top with a serial line that is emitted."""

import hashlib
import json

from lowtide.config import Config
from lowtide.emission.top import engine_of
from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.interfaces.serial.self_test import SelfTestVectors
from lowtide.interfaces.serial.serial_engine import SerialEngine

__all__ = ["SerialTop", "digest_of"]


def digest_of(config: Config) -> int:
    """64 bits by which a host knows what an engine was generated for: SHA-256 of its sections, as JSON."""
    tables = config.to_tables()
    text = json.dumps({name: tables[name] for name in ("array", "bfp", "engine")}, sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


class SerialTop(SerialEngine):
    """The matrix engine of a configuration at the end of a serial line.

    Parameters
    ----------
    config : Config
        What to build.
    name : str
        Name of the module.
    test : SelfTestVectors, optional
        What it asks itself after reset.

    Members
    -------
    rx, tx : In(1), Out(1)
        The line.
    test_over, test_passed : Out(1), Out(1)
        As of `SelfTest`; only with one.

    Raises
    ------
    ConfigError
        If the configuration has no such engine.
    """

    def __init__(self, config: Config, name: str = "lowtide_serial", test: SelfTestVectors | None = None):
        self.config = config
        super().__init__(EngineWithRegisters(engine_of(config)), config.serial, digest_of(config), test)
        self.module_name = name
