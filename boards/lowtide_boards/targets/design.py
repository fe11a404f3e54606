"""The files from which the tools make a bitstream."""

import attrs

from lowtide.config import Config
from lowtide.emission.folder import verilog_and_modules
from lowtide.emission.serial import SerialTop
from lowtide.emission.top import engine_of
from lowtide_boards.targets.board import Board
from lowtide_boards.targets.self_test_vectors import conversation_of
from lowtide_boards.targets.top import BoardTop, platform_of

__all__ = ["ENGINE", "TOP", "Design", "check_design", "design_of"]

ENGINE, TOP = "lowtide_serial", "top"


@attrs.frozen(kw_only=True)
class Design:
    """A configuration on a board.

    Parameters
    ----------
    tested : bool
        Whether it has a self-test.
    files : dict of str to str
        By their names: the emitted Verilog as it is simulated, the top around it, and where its pins are; with
        Vivado, a project.
    """

    tested: bool
    files: dict[str, str]


def check_design(board: Board, config: Config) -> None:
    """Refuse a configuration that a board cannot have, before any work starts.

    Raises
    ------
    ConfigError
        If the configuration has no engine.
    BoardError
        If the board cannot make its clock, or descriptions of boards are not installed.
    """
    BoardTop(board, config.serial.clock, tested=False)
    engine_of(config)


def design_of(board: Board, config: Config, self_test: bool | None = None) -> Design:
    """The files of a configuration on a board.

    Parameters
    ----------
    board : Board
        Where it goes.
    config : Config
        What goes there.
    self_test : bool, optional
        Whether it has one; by default if the board has room for it.

    Raises
    ------
    ConfigError
        If the configuration has no engine.
    BoardError
        If the board cannot make its clock, or descriptions of boards are not installed.
    """
    tested = board.self_test if self_test is None else self_test
    top = BoardTop(board, config.serial.clock, tested)
    text, _ = verilog_and_modules(SerialTop(config, ENGINE, conversation_of(config) if tested else None))
    platform = platform_of(board)
    platform.add_file(f"{ENGINE}.v", text)
    # Without places in source, which would differ from machine to machine.
    plan = platform.prepare(top, TOP, emit_src=False)
    files = {name: content.decode() if isinstance(content, bytes) else content for name, content in plan.files.items()}
    return Design(tested=tested, files=files)
