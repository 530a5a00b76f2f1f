# How rules name the project's own files as inputs, and the packages that they depend on.

from importlib import metadata


def own_file(path):
    """A file under workflow/ as an input. Unlike workflow.source_path's copy, whose name changes with each run, it is
    compared by checksum: a file that was only touched, by git for one, runs nothing. Nor does a project that moved,
    with its results in it: their paths are relative."""
    file = HOME / "workflow" / path
    return str(file.relative_to(Path.cwd()) if HOME.resolve() == Path.cwd() else file)


def shared_modules(*names):
    """What a script imports from common/: Snakemake itself watches the script only."""
    return [own_file(f"scripts/common/{name}.py") for name in names]


def version(package):
    """Of an installed package; None where only the rule's own environment has it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
