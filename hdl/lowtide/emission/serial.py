"""Serial top: an engine behind a UART."""

import hashlib
import json

from lowtide.config import Config
from lowtide.emission.top import engine_of
from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.formats.parameter import host_parameters
from lowtide.interfaces.serial.self_test import SelfTestVectors
from lowtide.interfaces.serial.serial_engine import SerialEngine

__all__ = ["SerialTop", "digest_of"]


def digest_of(config: Config) -> int:
    """Return 64 bits that identify a configuration to a host: the SHA-256 of its `host_parameters` as JSON."""
    sections = {"array": config.array, "bfp": config.bfp, "engine": config.engine}
    text = json.dumps({name: host_parameters(section) for name, section in sections.items()}, sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


class SerialTop(SerialEngine):
    """Serial top: the matrix engine of a configuration behind a UART.

    Parameters
    ----------
    config : Config
        Configuration.
    name : str
        Name of the module.
    test : SelfTestVectors, optional
        Self-test after reset.

    Members
    -------
    rx : In(1)
        Serial input, asynchronous.
    tx : Out(1)
        Serial output.
    test_done : Out(1)
        High after the self-test; only with one.
    test_passed : Out(1)
        High after the self-test if the answers match the check value; only with one.

    Raises
    ------
    ConfigError
        If the configuration has no engine.
    """

    def __init__(self, config: Config, name: str = "lowtide_serial", test: SelfTestVectors | None = None):
        self.config = config
        super().__init__(EngineWithRegisters(engine_of(config)), config.serial, digest_of(config), test)
        self.module_name = name
