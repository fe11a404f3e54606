"""The files from which the tools make a bitstream."""

import attrs

from lowtide.config import Config
from lowtide.emission.folder import verilog_and_modules
from lowtide.emission.serial import SerialTop
from lowtide_boards.targets.board import Board, BoardError
from lowtide_boards.targets.self_test_vectors import self_test_vectors
from lowtide_boards.targets.top import BoardTop, platform_of

__all__ = ["ENGINE", "TOP", "Design", "check_design", "design_of"]

ENGINE, TOP = "lowtide_serial", "top"


@attrs.frozen(kw_only=True)
class Design:
    """A configuration on a board.

    Parameters
    ----------
    tested : bool
        Whether the design has a self-test.
    files : dict of str to str
        Contents by file name: the emitted Verilog, the top module and the pin constraints; for Vivado, a project.
    """

    tested: bool
    files: dict[str, str]


def check_design(board: Board, config: Config) -> None:
    """Refuse a configuration that a board does not support, before any work starts.

    Raises
    ------
    ConfigError
        If the configuration has no engine.
    BoardError
        If the board cannot make the clock, the configuration needs DSP blocks of another family, or the board
        descriptions are not installed.
    """
    if config.bfp.aligner == "ecp5" and board.chip.family != "ecp5":
        raise BoardError(f"bfp.aligner must be logic on the {board.chip_name} of {board.title}, not 'ecp5'")
    BoardTop(board, config.serial.clock, tested=False)
    config.check_engine()


def design_of(board: Board, config: Config, self_test: bool | None = None) -> Design:
    """The files of a configuration on a board.

    Parameters
    ----------
    board : Board
        Target board.
    config : Config
        Configuration of the engine.
    self_test : bool, optional
        Whether the design has a self-test; by default `Board.self_test`.

    Raises
    ------
    ConfigError
        If the configuration has no engine.
    BoardError
        If the board cannot make the clock, or the board descriptions are not installed.
    """
    tested = board.self_test if self_test is None else self_test
    top = BoardTop(board, config.serial.clock, tested)
    text, _ = verilog_and_modules(SerialTop(config, ENGINE, self_test_vectors(config) if tested else None))
    platform = platform_of(board)
    platform.add_file(f"{ENGINE}.v", text)
    # Without source locations, which differ between machines.
    plan = platform.prepare(top, TOP, emit_src=False)
    files = {name: content.decode() if isinstance(content, bytes) else content for name, content in plan.files.items()}
    return Design(tested=tested, files=files)
