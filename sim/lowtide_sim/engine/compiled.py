"""An emitted engine as a compiled library: the functions of its harness."""

import ctypes
from pathlib import Path

from lowtide.emission.top import AxiStreamEngine
from lowtide_model.engine.transfer import Stream
from lowtide_sim.compiled_top import compiled_top

__all__ = ["compiled"]

HARNESS = Path(__file__).with_name("engine.cpp")


def compiled(top: AxiStreamEngine, folder: Path) -> ctypes.CDLL:
    """The library of an engine; builds it if it is not in the folder."""
    engine = top.config.engine
    library = compiled_top(
        top, HARNESS, folder, {"BYTES": 4 * engine.input_width, "RESULT_BYTES": 4 * engine.output_width}
    )
    library.engine_create.restype = ctypes.c_void_p
    library.engine_create.argtypes = (ctypes.c_uint32,)
    library.engine_destroy.argtypes = library.engine_reset.argtypes = (ctypes.c_void_p,)
    library.engine_write.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)
    library.engine_read.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    library.engine_read.restype = ctypes.c_uint32
    library.engine_run.restype = ctypes.c_uint64
    library.engine_run.argtypes = (ctypes.c_void_p, *(ctypes.POINTER(Stream),) * 3, ctypes.c_uint64, ctypes.c_uint64)
    return library
