"""Loads a model. The packages of the extra ``onnx`` are imported here, and not with `lowtide_onnx`."""

from pathlib import Path
from typing import TYPE_CHECKING

from lowtide.config import Config
from lowtide.formats.parameter import instance
from lowtide_onnx.errors import MissingPackage

if TYPE_CHECKING:
    from lowtide_onnx.network import Network

__all__ = ["load_onnx"]


def load_onnx(path: str | Path, engine: Config | str = "default") -> "Network":
    """Load an ONNX file, and place each of its nodes on an engine or on the host.

    Parameters
    ----------
    path : str or Path
        ONNX file. Tensors in external files lie beside it.
    engine : Config or str
        Configuration of the engine: a preset, or a TOML file.

    Returns
    -------
    Network
        The network. Its text lists the nodes on the engine, the nodes on the host, and the refused nodes.

    Raises
    ------
    MissingPackage
        If onnx or onnxruntime is not installed.
    ModelError
        If the file is not an ONNX model that onnxruntime can run.
    ConfigError
        If no engine has this configuration.
    """
    config = Config.load(engine) if isinstance(engine, str) else instance("engine", engine, Config)
    config.check_bfp_engine()
    try:
        from lowtide_onnx.network import Network
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("lowtide"):
            raise
        raise MissingPackage(f"lowtide_onnx needs {error.name}: pip install 'lowtide[onnx]'") from None
    return Network(path, config)
