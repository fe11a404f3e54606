"""FuseSoC's generator: what a core asks for becomes the arguments of ``lowtide emit``."""

from pathlib import Path

from fusesoc.capi2.generator import Generator

from lowtide.cli import main

PARAMETERS = {"top", "bus", "config", "set", "name", "prefix"}


def arguments(parameters: dict, files_root: Path) -> list[str]:
    """The command that writes into this folder.

    Raises
    ------
    SystemExit
        If there is a parameter that is none, or ``set`` is not a mapping.
    """
    parameters = {name: value for name, value in parameters.items() if value is not None}
    unknown = parameters.keys() - PARAMETERS
    if unknown:
        raise SystemExit(f"lowtide: no parameter {min(unknown)!r}; parameters: {', '.join(sorted(PARAMETERS))}")
    config = str(parameters.get("config", "default"))
    if config.endswith(".toml"):
        config = str(files_root / config)
    options = [f"--{name}={parameters[name]}" for name in ("top", "bus", "name", "prefix") if name in parameters]
    changes = parameters.get("set", {})
    if not isinstance(changes, dict):
        raise SystemExit(f"lowtide: set must be keys with values, as in array.rows: 4, not {changes!r}")
    return ["emit", config, "-o", ".", *options, *(f"--set={key}={value}" for key, value in changes.items())]


if __name__ == "__main__":
    generator = Generator()
    try:
        main(arguments(generator.config or {}, Path(generator.files_root)))
    except SystemExit as done:  # a command line ends so, also when all went well
        if done.code:
            raise
    generator.add_files([path.name for path in Path.cwd().glob("*.v")], file_type="verilogSource")
    generator.write()
