"""Serial top: an engine behind a UART."""

import hashlib
import json
from typing import Any

from lowtide.config import Config
from lowtide.emission.top import engine_of
from lowtide.engine.engine_with_registers import EngineWithRegisters
from lowtide.engine.operand_format import INTEGER_KEYS, TERM_KEYS
from lowtide.engine.params import CONVERSION_KEYS
from lowtide.formats.parameter import host_parameters
from lowtide.interfaces.serial.self_test import SelfTestVectors
from lowtide.interfaces.serial.serial_engine import SerialEngine

__all__ = ["SerialTop", "digest_of", "host_sections"]


def digest_of(config: Config) -> int:
    """Return 64 bits that identify a configuration to a host: the SHA-256 of its `host_parameters` as JSON."""
    text = json.dumps(host_sections(config), sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def host_sections(config: Config) -> dict[str, dict[str, Any]]:
    """Return the parameters of an engine's configuration that matter to a host, by section."""
    element = config.array.element
    array, engine = host_parameters(config.array), host_parameters(config.engine)
    if element == "fmac":
        return {"array": array, "bfp": host_parameters(config.bfp), "engine": engine}
    return {
        "array": array,
        "terms": {key: getattr(config.terms, key) for key in (TERM_KEYS if element == "tmac" else INTEGER_KEYS)},
        "engine": {key: value for key, value in engine.items() if key not in CONVERSION_KEYS},
    }


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
